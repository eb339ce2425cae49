import { expect, test } from 'vitest';
import { addLine, EMPTY_SNAPSHOT, type Heard, renderSnapshot } from '../../../src/core/snapshot.ts';

const line = (id: string, body: string, more: Partial<Heard> = {}): Heard => ({
  id,
  messageId: `m${id}`,
  nick: 'tari',
  body,
  at: 1000,
  ...more,
});
const of = (...lines: Heard[]) => lines.reduce((all, one) => addLine(all, one, 3), EMPTY_SNAPSHOT);
const texts = (...lines: Heard[]): string[] => of(...lines).lines.map(({ t }) => t);

test('the last ones are kept, each once, in order', () => {
  expect(texts(line('1', 'a'), line('2', 'b'), line('2', 'b'), line('3', 'c'), line('4', 'd'))).toEqual([
    'b',
    'c',
    'd',
  ]);
});

test('a correction changes the words of the same person only', () => {
  expect(texts(line('1', 'teh'), line('2', 'the', { replaces: 'm1' }))).toEqual(['the']);
  expect(texts(line('1', 'mine'), line('2', 'hacked', { replaces: 'm1', nick: 'eve' }))).toEqual(['mine', 'hacked']);
});

test('a retraction by the writer or a moderator takes a line out, a stranger’s does not', () => {
  expect(texts(line('1', 'a'), line('2', '', { retracts: 'm1' }))).toEqual([]);
  expect(texts(line('1', 'a'), line('2', '', { retracts: '1', nick: '', moderator: 'admin' }))).toEqual([]);
  expect(texts(line('1', 'a'), line('2', '', { retracts: 'm1', nick: 'eve' }))).toEqual(['a']);
});

test('the file is what the widget reads', () => {
  const text = renderSnapshot(
    'sax@conference.x',
    of(line('17', 'hi'), line('18', 'news', { kind: 'announcement', nick: 'bot' })),
  );
  expect(JSON.parse(text)).toEqual({
    v: 1,
    room: 'sax@conference.x',
    messages: [
      { id: '17', n: 'tari', t: 'hi', ts: 1000, k: 'chat' },
      { id: '18', n: 'bot', t: 'news', ts: 1000, k: 'announcement' },
    ],
  });
});
