import { expect, test } from 'vitest';
import { type Connection, keepConnected } from '../../../src/app/keep-connected.ts';
import type { Disconnect } from '../../../src/app/ports/chat.ts';
import { newDeferred } from '../../../src/core/deferred.ts';
import { EXIT, SaxError } from '../../../src/core/errors.ts';
import { fakeClock } from '../../helpers/fake-clock.ts';
import { fakeLog } from '../../helpers/fake-log.ts';

type Fake = Connection & { end(why: Disconnect): void; pings: number; answer: boolean; closedByUs: boolean };

function fakeConnection(): Fake {
  const closed = newDeferred<Disconnect>();
  const connection: Fake = {
    closed: closed.promise,
    pings: 0,
    answer: true,
    closedByUs: false,
    async ping() {
      connection.pings += 1;
      if (!connection.answer) throw new Error('no answer');
    },
    async close() {
      connection.closedByUs = true;
      closed.resolve({ kind: 'closed', reason: 'closed', permanent: false });
    },
    abandon: (why) => closed.resolve(why),
    end: (why) => closed.resolve(why),
  };
  return connection;
}

const LOST: Disconnect = { kind: 'network', reason: 'lost', permanent: false };

/** A loop over servers that the test scripts: what each attempt gives, in turn; then silence. */
function start(
  targets: readonly string[],
  script: readonly (Fake | Error | 'silent')[],
  silent?: (session: Fake, silent: boolean) => void,
) {
  const clock = fakeClock();
  const log = fakeLog();
  const stop = new AbortController();
  const tried: [string, number][] = [];
  const sessions: Fake[] = [];
  const done = keepConnected<string, Fake>({
    name: 'test',
    targets,
    describe: (target) => target,
    attempt(target, signal) {
      const outcome = script[tried.length] ?? 'silent';
      tried.push([target, clock.monotonic()]);
      if (outcome instanceof Error) return Promise.reject(outcome);
      if (outcome !== 'silent') return Promise.resolve(outcome);
      return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    },
    connected: (session) => void sessions.push(session),
    ...(silent === undefined ? {} : { silent }),
    clock,
    random: () => 0,
    log,
    signal: stop.signal,
  });
  let error: unknown;
  const settled = done.catch((thrown: unknown) => {
    error = thrown;
  });
  return { clock, log, stop, tried, sessions, settled, error: () => error };
}

const refused = new Error('ECONNREFUSED');

test('waits 1, 1.5, 2.25 … 60 s while a server is away, for ever', async () => {
  const { clock, tried, stop, settled } = start(
    ['a'],
    Array.from({ length: 20 }, () => refused),
  );
  await clock.advance(200_000);
  expect(tried.map(([, at]) => at)).toEqual([
    0, 1000, 2500, 4750, 8125, 13_188, 20_782, 32_173, 49_259, 74_888, 113_331, 170_996,
  ]);
  stop.abort();
  await settled;
});

test('takes the next server at once, and comes back to the first when it may', async () => {
  const { clock, tried, stop, settled } = start(
    ['a', 'b', 'c'],
    Array.from({ length: 20 }, () => refused),
  );
  await clock.advance(2000);
  expect(tried).toEqual([
    ['a', 0],
    ['b', 0],
    ['c', 0],
    ['a', 1000],
    ['b', 1000],
    ['c', 1000],
  ]);
  stop.abort();
  await settled;
});

test('an attempt that never ends is given up', async () => {
  const held = fakeConnection();
  const { clock, tried, sessions, stop, settled } = start(['a'], ['silent', held]);
  await clock.advance(31_000);
  expect(tried.map(([, at]) => at)).toEqual([0, 31_000]);
  expect(sessions).toEqual([held]);
  stop.abort();
  await settled;
});

test('a silent peer is given up by the watchdog', async () => {
  const silent = fakeConnection();
  const { clock, tried, stop, settled, log } = start(['a'], [silent, fakeConnection()]);
  await clock.advance(20_000);
  expect(silent.pings).toBe(1);
  silent.answer = false;
  await clock.advance(15_000);
  expect(tried.map(([, at]) => at)).toEqual([0, 31_000]);
  expect(log.entries.map(({ event }) => event)).toEqual([
    'connecting',
    'connected',
    'disconnected',
    'connecting',
    'connected',
  ]);
  stop.abort();
  await settled;
});

test('a silent peer that is worth keeping is taken back when it speaks before another one stands', async () => {
  const frozen = fakeConnection();
  const told: boolean[] = [];
  const { clock, tried, sessions, stop, settled, log } = start(
    ['a'],
    [frozen, 'silent', 'silent'],
    (session, silent) => {
      expect(session).toBe(frozen);
      told.push(silent);
    },
  );
  frozen.answer = false;
  await clock.advance(16_000);
  expect(told).toEqual([true]);
  await clock.advance(84_000);
  expect(tried.map(([, at]) => at)).toEqual([0, 16_000, 47_500, 79_750]);
  frozen.answer = true;
  await clock.advance(1000);
  expect(told).toEqual([true, false]);
  expect(log.entries.at(-1)).toMatchObject({ level: 'info', event: 'heard-again' });
  // It is watched as before, and the attempt has ended.
  await clock.advance(60_000);
  expect(tried).toHaveLength(4);
  expect(sessions).toEqual([frozen]);
  frozen.end(LOST);
  await clock.advance(1000);
  expect(tried).toHaveLength(5);
  stop.abort();
  await settled;
  expect(clock.sleepers()).toBe(0);
});

test('a silent peer is given up when another one stands, and closed when we stop', async () => {
  const [frozen, other, third] = [fakeConnection(), fakeConnection(), fakeConnection()];
  const { clock, tried, sessions, stop, settled } = start(
    ['a', 'b'],
    [frozen, other, refused, refused, third],
    () => {},
  );
  frozen.answer = false;
  await clock.advance(15_000);
  expect(tried.map(([target]) => target)).toEqual(['a', 'b']);
  expect(await frozen.closed).toMatchObject({ reason: 'silent, and replaced' });
  expect(sessions).toEqual([frozen, other]);
  other.answer = false;
  await clock.advance(15_100);
  stop.abort();
  await settled;
  expect(other.closedByUs).toBe(true);
  expect(clock.sleepers()).toBe(0);
});

test('success resets the backoff, a connection that breaks at once does not', async () => {
  const held = fakeConnection();
  const { clock, tried, stop, settled } = start(['a'], [refused, refused, held, fakeConnection()]);
  await clock.advance(60_000);
  held.end(LOST);
  await clock.advance(1000);
  expect(tried.map(([, at]) => at)).toEqual([0, 1000, 2500, 61_000]);
  stop.abort();
  await settled;

  const flapping = Array.from({ length: 4 }, () => fakeConnection());
  const second = start(['a'], flapping);
  for (const connection of flapping) {
    connection.end(LOST);
    await second.clock.advance(100);
  }
  await second.clock.advance(10_000);
  expect(second.tried.map(([, at]) => at)).toEqual([0, 1000, 2500, 4750, 8125]);
  second.stop.abort();
  await second.settled;
});

test('a refused login ends the loop with its exit code, but not once a login had worked', async () => {
  const wrong = new SaxError(EXIT.refused, 'login refused');
  const first = start(['a'], [wrong]);
  await first.settled;
  expect(first.error()).toBe(wrong);

  const held = fakeConnection();
  const second = start(['a'], [held, wrong, wrong, fakeConnection()]);
  await second.clock.advance(10_000);
  held.end(LOST);
  await second.clock.advance(10_000);
  expect(second.error()).toBeUndefined();
  expect(second.tried).toHaveLength(4);
  expect(second.log.entries.filter(({ level }) => level === 'error')).toHaveLength(2);
  second.stop.abort();
  await second.settled;
});

test('a conflict with a twin is final', async () => {
  const held = fakeConnection();
  const { clock, settled, error } = start(['a'], [held]);
  await clock.advance(10_000);
  held.end({ kind: 'conflict', reason: 'replaced', permanent: true });
  await settled;
  expect(error()).toMatchObject({ exit: EXIT.temporary });
});

test('stopping closes the connection, also in the middle of an attempt or a wait', async () => {
  const held = fakeConnection();
  const connected = start(['a'], [held]);
  await connected.clock.advance(10);
  connected.stop.abort();
  await connected.settled;
  expect(held.closedByUs).toBe(true);

  const attempting = start(['a'], ['silent']);
  await attempting.clock.advance(10);
  attempting.stop.abort();
  await attempting.settled;

  const waiting = start(['a'], [refused]);
  await waiting.clock.advance(10);
  waiting.stop.abort();
  await waiting.settled;
  for (const { error, clock } of [connected, attempting, waiting]) {
    expect(error()).toBeUndefined();
    expect(clock.sleepers()).toBe(0);
  }
});

test('a twin that logs in while we do is a conflict too: no second attempt', async () => {
  const { tried, settled, error, clock } = start(['a'], [new SaxError(EXIT.temporary, 'replaced by another login')]);
  await clock.advance(0);
  await settled;
  expect(error()).toMatchObject({
    exit: EXIT.temporary,
    message: expect.stringContaining('replaced by another login'),
  });
  expect(tried).toHaveLength(1);
});
