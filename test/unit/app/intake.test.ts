import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Intake, makeIntake } from '../../../src/app/intake.ts';
import { type OutboxDriver, runOutbox } from '../../../src/app/outbox.ts';
import type { DatagramSocket } from '../../../src/app/ports/datagram.ts';
import { decodeSpoken, encodeSpoken } from '../../../src/app/speaker.ts';
import { systemClock } from '../../../src/clock.ts';
import { decodeAnswer, decodeDatagram } from '../../../src/core/datagram.ts';
import { openAsker } from '../../../src/edges/dgram/ask.ts';
import { adoptDatagrams, listenDatagrams } from '../../../src/edges/dgram/listen.ts';
import { sendDatagram } from '../../../src/edges/dgram/send.ts';
import { fcntl } from '../../../src/edges/state/libc.ts';
import { fakeLog } from '../../helpers/fake-log.ts';
import { type MemoryDisk, memoryJournal, newDisk } from '../../helpers/memory-journal.ts';
import { keptSocket, startSite } from '../../helpers/site.ts';
import { until } from '../../helpers/until.ts';

const F_DUPFD_CLOEXEC = 1030;
let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sax-'));
  path = join(directory, 's');
});
afterEach(() => rmSync(directory, { recursive: true }));

const send = (text: string): void => sendDatagram(path, new TextEncoder().encode(text));
const on = (
  socket: DatagramSocket,
  disk: MemoryDisk,
): {
  intake: Intake;
  outbox: OutboxDriver;
  stop: AbortController;
  done: Promise<void>;
  dropped: string[];
  blocked: (string | undefined)[];
} => {
  const log = fakeLog();
  const outbox = runOutbox({ name: 't', journal: memoryJournal(disk), clock: systemClock, log });
  const dropped: string[] = [];
  const blocked: (string | undefined)[] = [];
  const intake = makeIntake({
    socket,
    decode: ({ bytes, truncated }) => decodeDatagram(bytes, truncated, { entities: 'decode', wording: {} }),
    outbox,
    clock: systemClock,
    log,
    count: {
      received() {},
      blocked: (reason) => void blocked.push(reason),
      dropped: (reason) => void dropped.push(reason),
    },
  });
  const stop = new AbortController();
  return { intake, outbox, stop, done: intake.run(stop.signal), dropped, blocked };
};
/** What the journal holds, oldest first. */
const journalled = (disk: MemoryDisk): string[] =>
  disk.lines
    .map((text) => JSON.parse(text))
    .filter(({ t }) => t === 'p')
    .map(({ p }) => decodeSpoken(p).body);

test('a socket of our own: read at once, in order, bad ones dropped with their reason', async () => {
  const disk = newDisk();
  const { stop, done, dropped } = on(listenDatagrams({ path, mode: 0o600 }), disk);
  for (const text of ['a', '{"sax":1', 'b', '{"sax":1,"type":"chat","who":"T","what":"c"}']) send(text);
  await until(() => journalled(disk).length === 3);
  stop.abort();
  await done;
  expect([journalled(disk), dropped]).toEqual([['a', 'b', '* T: c'], ['not JSON']]);
});

test('a stop takes what the kernel still held', async () => {
  const disk = newDisk();
  const { stop, done } = on(listenDatagrams({ path, mode: 0o600 }), disk);
  await until(() => true);
  for (let n = 0; n < 10; n += 1) send(`${n}`);
  stop.abort();
  await done;
  expect(journalled(disk)).toHaveLength(10);
});

test('killed between remembering and taking: what is seen again is not said again, equal words included', async () => {
  const kept = keptSocket(path);
  const adopt = (): DatagramSocket => adoptDatagrams(fcntl(kept.fd, F_DUPFD_CLOEXEC, 10));
  const disk = newDisk();
  // The first one is "killed": it remembers and never takes.
  const real = adopt();
  let dead = false;
  const drop = (): void => {
    dead = true;
  };
  const killed = on({ ...real, drop, peek: () => (dead ? [] : real.peek()) }, disk);
  for (const text of ['same', 'same', 'other']) send(text);
  // All three are in one look, since nothing was read yet.
  await until(() => journalled(disk).length === 3);
  killed.stop.abort();
  await killed.done;
  for (const text of ['same', 'new']) send(text);
  const next = on(adopt(), disk);
  await until(() => journalled(disk).includes('new'));
  next.stop.abort();
  await next.done;
  kept.close();
  expect(journalled(disk)).toEqual(['same', 'same', 'other', 'same', 'new']);
});

test('killed before remembering: what was only looked at is still there', async () => {
  const kept = keptSocket(path);
  const adopt = (): DatagramSocket => adoptDatagrams(fcntl(kept.fd, F_DUPFD_CLOEXEC, 10));
  for (const text of ['one', 'two']) send(text);
  expect(adopt().peek()).toHaveLength(2);
  const disk = newDisk();
  const { stop, done } = on(adopt(), disk);
  await until(() => journalled(disk).length === 2);
  stop.abort();
  await done;
  kept.close();
  expect(journalled(disk)).toEqual(['one', 'two']);
});

test.each([false, true])(
  'a full disk (kept socket: %s): who asks is told, the rest waits and keeps its place',
  async (keep) => {
    const kept = keep ? keptSocket(path) : undefined;
    const disk = newDisk();
    const { stop, done } = on(
      kept === undefined ? listenDatagrams({ path, mode: 0o600 }) : adoptDatagrams(fcntl(kept.fd, F_DUPFD_CLOEXEC, 10)),
      disk,
    );
    const asker = openAsker();
    disk.full = true;
    send('first');
    asker.send(path, new TextEncoder().encode('{"sax":1,"type":"system","text":"asked","ack":true}'));
    send('second');
    const answer = decodeAnswer((await asker.answer(10_000)) ?? new Uint8Array());
    expect(answer).toEqual({ ok: false, error: expect.stringContaining('ENOSPC') });
    disk.full = false;
    await until(() => journalled(disk).length === 2);
    stop.abort();
    await done;
    asker.close();
    kept?.close();
    expect(journalled(disk)).toEqual(['first', 'second']);
  },
);

test('a full disk and a quiet site: it is told when there is room again, and the next who asks is answered', async () => {
  const disk = newDisk();
  const { stop, done, blocked } = on(listenDatagrams({ path, mode: 0o600 }), disk);
  const asker = openAsker();
  const ask = (): void =>
    asker.send(path, new TextEncoder().encode('{"sax":1,"type":"system","text":"asked","ack":true}'));
  disk.full = true;
  ask();
  expect(decodeAnswer((await asker.answer(10_000)) ?? new Uint8Array())).toMatchObject({ ok: false });
  await until(() => blocked.length > 1);
  expect(blocked.every((reason) => reason?.includes('ENOSPC'))).toBe(true);
  disk.full = false;
  await until(() => blocked.at(-1) === undefined);
  ask();
  await until(() => journalled(disk).length === 1);
  stop.abort();
  await done;
  asker.close();
});

test('a kept socket whose queue runs empty again and again loses nothing', async () => {
  const kept = keptSocket(path);
  const disk = newDisk();
  const { stop, done } = on(adoptDatagrams(fcntl(kept.fd, F_DUPFD_CLOEXEC, 10)), disk);
  const { accepted } = await startSite({ socket: path, prefix: 'n', burst: 1, everyUs: 20, count: 4000 }).finished;
  await until(() => journalled(disk).length >= accepted.length);
  stop.abort();
  await done;
  kept.close();
  expect(journalled(disk)).toEqual(accepted);
}, 30_000);

test('what is added comes behind what the kernel held, also when so much waits for the disk that the socket is not read', async () => {
  const sent = Array.from({ length: 20_100 }, (_, n) => `${n}`);
  const queue = sent.map((text) => ({
    bytes: new TextEncoder().encode(text),
    truncated: false,
    from: undefined,
    stamp: undefined,
  }));
  let close: (() => void) | undefined;
  const socket: DatagramSocket = {
    kept: false,
    readable: () =>
      queue.length > 0
        ? Promise.resolve(true)
        : new Promise((resolve) => {
            close = () => resolve(false);
          }),
    take: () => queue.splice(0, 16),
    peek: () => [],
    drop() {},
    answer: () => true,
    close: () => close?.(),
  };
  const disk = newDisk();
  disk.full = true;
  const { intake, stop, done } = on(socket, disk);
  await until(() => intake.pending >= 20_000);
  expect(queue.length).toBeGreaterThan(0);
  await intake.drained();
  const added = intake.add([{ payload: encodeSpoken({ body: 'spooled', kind: 'announcement' }) }]);
  disk.full = false;
  await added;
  stop.abort();
  await done;
  expect(journalled(disk)).toEqual([...sent, 'spooled']);
});
