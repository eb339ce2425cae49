import { appendFileSync, closeSync, existsSync, mkdirSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Submission } from '../../../src/app/outbox.ts';
import { sweepSpool } from '../../../src/app/spool.ts';
import { systemClock } from '../../../src/clock.ts';
import { fnv1a } from '../../../src/core/fnv1a.ts';
import { openSpool } from '../../../src/edges/spool/spool.ts';
import { flock } from '../../../src/edges/state/libc.ts';
import { fakeLog } from '../../helpers/fake-log.ts';
import { until } from '../../helpers/until.ts';

const LOCK_SH = 1;
let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sax-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const write = (...texts: string[]): void => {
  for (const text of texts) {
    const sum = fnv1a(new TextEncoder().encode(text));
    appendFileSync(join(directory, 'announcements'), `\n1700000000.000000-1-${text} ${text.length} ${sum}\n${text}\n`);
  }
};
/** Sweeps into a list; `take` answers for the disk. */
const sweep = (take: (items: readonly Submission[]) => Promise<void>, cursor?: string) => {
  const stop = new AbortController();
  const log = fakeLog();
  const done = sweepSpool({
    spool: openSpool(directory, systemClock),
    intake: { add: take, drained: () => Promise.resolve() },
    read: ({ bytes, at }) => ({ payload: new TextDecoder().decode(bytes), at }),
    cursor: () => cursor,
    clock: systemClock,
    log,
    signal: stop.signal,
  });
  return { stop, done, log };
};

test('every record once and in order; after a crash in the middle only the rest', async () => {
  write('1', '2', '3');
  const got: string[] = [];
  // Killed when two were on the disk: the file stands.
  const killed = sweep(() => new Promise(() => {}));
  await until(() => existsSync(join(directory, 'announcements.sweeping')));
  killed.stop.abort();
  await killed.done;
  write('4');
  const next = sweep(async (items) => {
    got.push(...items.map(({ payload }) => payload));
  }, '1700000000.000000-1-2');
  await until(() => got.length === 2 && !existsSync(join(directory, 'announcements.sweeping')));
  next.stop.abort();
  await next.done;
  expect(got).toEqual(['3', '4']);
});

test('a stop waits neither for a disk that takes nothing nor for a writer who sleeps with the lock', async () => {
  write('1');
  const full = sweep(() => new Promise(() => {}));
  await until(() => existsSync(join(directory, 'announcements.sweeping')));
  full.stop.abort();
  await full.done;
  const writer = openSync(join(directory, 'announcements.sweeping'), 'a');
  flock(writer, LOCK_SH);
  const held = sweep(() => Promise.reject(new Error('not to be read')));
  await new Promise((resolve) => setImmediate(resolve));
  held.stop.abort();
  await held.done;
  closeSync(writer);
  expect(existsSync(join(directory, 'announcements.sweeping'))).toBe(true);
  expect(held.log.entries).toEqual([]);
});

test('a directory that is missing is told, once, and used when it is there', async () => {
  rmSync(directory, { recursive: true });
  const got: string[] = [];
  const { stop, done, log } = sweep(async (items) => {
    got.push(...items.map(({ payload }) => payload));
  });
  await until(() => log.entries.length > 0);
  mkdirSync(directory);
  write('1');
  await until(() => got.length === 1);
  stop.abort();
  await done;
  expect(log.entries.filter(({ level }) => level === 'warn').map(({ event }) => event)).toEqual(['spool-failed']);
});
