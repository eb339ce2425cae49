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

test('what is heard in one go is written at once, what follows within a quarter of a second together', async () => {
  const { clock, written, snapshot } = make();
  for (const id of ['1', '2', '3']) snapshot.heard(line(id));
  await clock.advance(0);
  expect(written).toEqual([['1', '2', '3']]);
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

test('an archive that does not answer leaves what is known, and is asked again; a later join does not wait for the earlier one', async () => {
  const { clock, written, snapshot } = make();
  snapshot.heard(line('1'));
  const session = fakeSession();
  session.archived = () => Promise.reject(new Error('away'));
  snapshot.joined(session);
  snapshot.heard(line('2'));
  await clock.advance(1000);
  expect(written.at(-1)).toEqual(['1', '2']);
  session.archived = (_room, _query) => ({
    lines: ['0', '1', '2'].map((id) => line(id, 'archive')),
    complete: true,
    first: '0',
    last: '2',
    count: 3,
  });
  await clock.advance(2000);
  expect(written.at(-1)).toEqual(['0', '1', '2']);
});

test('a session that is over is not asked any more', async () => {
  const { clock, snapshot } = make();
  const session = fakeSession();
  let asked = 0;
  session.archived = () => {
    asked += 1;
    return Promise.reject(new Error('away'));
  };
  snapshot.joined(session);
  await clock.advance(1000);
  session.end({ kind: 'network', reason: 'gone', permanent: false });
  await clock.advance(200_000);
  expect(asked).toBe(1);
});

test('a flush waits for the write that is under way: the last one is the newest', async () => {
  const clock = fakeClock();
  const started: string[] = [];
  const finished: string[] = [];
  const ends: (() => void)[] = [];
  const snapshot = keepSnapshot({
    room: 'sax@conference.x',
    lines: 3,
    async write(text) {
      started.push(text);
      await new Promise<void>((resolve) => ends.push(resolve));
      finished.push(text);
    },
    clock,
    log: fakeLog(),
  });
  snapshot.heard(line('1'));
  await clock.advance(0);
  snapshot.heard(line('2'));
  const flushed = snapshot.flush();
  await clock.advance(0);
  expect(started).toHaveLength(1);
  ends[0]?.();
  await clock.advance(0);
  ends[1]?.();
  await flushed;
  expect(finished.at(-1)).toContain('line 2');
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
