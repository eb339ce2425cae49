import { expect, test } from 'vitest';
import type { RoomLine } from '../../../src/app/ports/chat.ts';
import { keepSnapshot } from '../../../src/app/snapshot.ts';
import { fakeClock } from '../../helpers/fake-clock.ts';
import { fakeLog } from '../../helpers/fake-log.ts';
import { fakeSession } from '../../helpers/fake-session.ts';

const line = (id: string, source: RoomLine['source'] = 'live'): RoomLine => ({
  id,
  messageId: `m${id}`,
  originId: undefined,
  nick: 'webridge',
  jid: undefined,
  body: `line ${id}`,
  at: 1000,
  source,
  kind: 'announcement',
});

function make(lines = 3) {
  const clock = fakeClock();
  const log = fakeLog();
  const written: string[][] = [];
  const disk: { error: Error | undefined } = { error: undefined };
  const snapshot = keepSnapshot({
    room: 'sax@conference.x',
    lines,
    async write(text) {
      if (disk.error !== undefined) throw disk.error;
      written.push((JSON.parse(text) as { messages: { id: string }[] }).messages.map(({ id }) => id));
    },
    clock,
    log,
  });
  return { clock, log, written, disk, snapshot };
}

test('the first line is written at once, what follows within a quarter of a second together', async () => {
  const { clock, written, snapshot } = make();
  for (const id of ['1', '2', '3']) snapshot.heard(line(id));
  await clock.advance(0);
  expect(written).toEqual([['1']]);
  snapshot.heard(line('4'));
  snapshot.heard(line('5'));
  await clock.advance(249);
  expect(written).toHaveLength(1);
  await clock.advance(1);
  expect(written.at(-1)).toEqual(['3', '4', '5']);
});

test('after a join it holds the archive’s last lines and what was heard while they were read', async () => {
  const { clock, written, snapshot } = make(5);
  snapshot.heard(line('1'));
  await clock.advance(1000);
  const session = fakeSession();
  let answer: () => void = () => undefined;
  session.archived = (_room, query) =>
    new Promise((resolve) => {
      expect(query).toMatchObject({ before: '', max: 5 });
      const lines = ['2', '3'].map((id) => line(id, 'archive'));
      answer = () => resolve({ lines, complete: false, first: '2', last: '3', count: 3 });
    });
  snapshot.joined(session);
  snapshot.heard(line('3'));
  snapshot.heard(line('4'));
  answer();
  await clock.advance(1000);
  expect(written.at(-1)).toEqual(['2', '3', '4']);
});

test('an archive that does not answer leaves what is known; a later join does not wait for the earlier one', async () => {
  const { clock, written, snapshot } = make();
  snapshot.heard(line('1'));
  const session = fakeSession();
  session.archived = () => Promise.reject(new Error('away'));
  snapshot.joined(session);
  snapshot.heard(line('2'));
  await clock.advance(1000);
  expect(written.at(-1)).toEqual(['1', '2']);
});

test('a full disk is told once, and the next line tries again; a flush writes what is not yet written', async () => {
  const { clock, log, written, disk, snapshot } = make();
  disk.error = new Error('ENOSPC');
  for (const id of ['1', '2']) {
    snapshot.heard(line(id));
    await clock.advance(1000);
  }
  expect(log.entries.map(({ event }) => event)).toEqual(['snapshot-failed']);
  disk.error = undefined;
  snapshot.heard(line('3'));
  await clock.advance(10);
  snapshot.heard(line('4'));
  await snapshot.flush();
  expect(written).toEqual([
    ['1', '2', '3'],
    ['2', '3', '4'],
  ]);
});
