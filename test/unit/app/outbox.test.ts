import { expect, test, vi } from 'vitest';
import { type Destination, type OutboxDriver, runOutbox } from '../../../src/app/outbox.ts';
import type { Clock } from '../../../src/app/ports/clock.ts';
import type { Log } from '../../../src/app/ports/log.ts';
import { crash, memoryJournal, newDisk } from '../../helpers/memory-journal.ts';

const log: Log = { error() {}, warn() {}, info() {}, debug() {}, child: () => log };

/** Sleeps last no time, but the watchdog's (a quarter of a minute): nothing gets stuck here. */
const fastClock = (): Clock => {
  let now = 0;
  return {
    now: () => now,
    monotonic: () => now,
    async sleep(ms, signal) {
      await new Promise((resolve) => setImmediate(resolve));
      if (ms === 15_000) await new Promise<void>((resolve) => signal?.addEventListener('abort', () => resolve()));
      signal?.throwIfAborted();
      now += ms;
    },
  };
};

/** Mulberry32: a seed names a whole history. */
const random = (seed: number) => (): number => {
  seed = (seed + 0x6d2b79f5) | 0;
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
};

/**
 * A room like ejabberd's: takes messages of one connection in order, archives, then reflects; a cut loses what was not yet taken and what
 * was not yet reflected. Now and then it is too fast for it: it holds one message back and refuses the next.
 */
function makeWorld(seed: number) {
  const chance = random(seed);
  const said: { id: string; text: string; stamp: string }[] = [];
  let connection:
    | { inbox: { id: string; text: string }[]; outbox: (() => void)[]; held?: { id: string; text: string } | undefined }
    | undefined;
  const say = (message: { id: string; text: string }): void => {
    said.push({ ...message, stamp: String(said.length + 1) });
  };
  return {
    said,
    chance,
    cut(driver: OutboxDriver): void {
      if (connection !== undefined) {
        // What is under way is taken by the room or lost: always a prefix.
        const taken = Math.floor(chance() * (connection.inbox.length + 1));
        if (connection.held !== undefined) say(connection.held);
        else for (const message of connection.inbox.slice(0, taken)) say(message);
      }
      connection = undefined;
      driver.detach();
    },
    connect(driver: OutboxDriver): void {
      const mine = { inbox: [], outbox: [] } as NonNullable<typeof connection>;
      connection = mine;
      const destination: Destination = {
        deliver: ({ id, payload }) => {
          mine.inbox.push({ id, text: payload });
        },
        position: () => Promise.resolve(said.at(-1)?.stamp ?? ''),
        async findDelivered(entries, after) {
          await new Promise((resolve) => setImmediate(resolve));
          if (chance() < 0.3) throw new Error('the archive is away');
          const wanted = new Set(entries.map(({ id }) => id));
          const later = said.filter(({ stamp }) => Number(stamp) > Number(after ?? 0));
          return new Map(later.filter(({ id }) => wanted.has(id)).map(({ id, stamp }) => [id, stamp]));
        },
        stuck: () => undefined,
      };
      driver.attach(destination);
    },
    /** One turn of the server. */
    turn(driver: OutboxDriver): void {
      const mine = connection;
      if (mine === undefined) return;
      if (mine.outbox.length > 0 && chance() < 0.7) {
        mine.outbox.shift()?.();
        return;
      }
      if (mine.held !== undefined && chance() < 0.3) {
        const { id } = mine.held;
        say(mine.held);
        mine.held = undefined;
        const stamp = String(said.length);
        mine.outbox.push(() => driver.confirmed(id, stamp));
        return;
      }
      const message = mine.inbox.shift();
      if (message === undefined) return;
      if (mine.held !== undefined) {
        mine.outbox.push(() => driver.refused(message.id, 'resource-constraint'));
      } else if (chance() < 0.1) {
        mine.held = message;
      } else {
        say(message);
        const stamp = String(said.length);
        mine.outbox.push(() => driver.confirmed(message.id, stamp));
      }
    },
  };
}

async function history(seed: number): Promise<{ accepted: string[]; said: string[] }> {
  const world = makeWorld(seed);
  const disk = newDisk();
  const accepted: string[] = [];
  const start = (): OutboxDriver =>
    runOutbox({ name: 'test', journal: memoryJournal(disk), clock: fastClock(), log, settleMs: 5 });
  let driver = start();
  let sent = 0;
  let connected = false;
  for (let step = 0; step < 400 || driver.size > 0; step += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    const dice = step < 400 ? world.chance() : 0.99;
    if (dice < 0.35) {
      const texts = Array.from({ length: 1 + Math.floor(world.chance() * 3) }, () => {
        sent += 1;
        return `${sent}`;
      });
      disk.full = world.chance() < 0.1;
      const mine = driver;
      await driver
        .submit(texts.map((payload) => ({ payload })))
        .then(() => mine === driver && accepted.push(...texts))
        .catch(() => undefined);
      disk.full = false;
    } else if (dice < 0.4) {
      world.cut(driver);
      connected = false;
    } else if (dice < 0.43) {
      world.cut(driver);
      connected = false;
      crash(disk, Math.floor(world.chance() * 5));
      driver = start();
    } else if (!connected) {
      world.connect(driver);
      connected = true;
    } else world.turn(driver);
    if (step > 20_000) throw new Error(`seed ${seed} does not end: ${driver.size} left, ${driver.phase}`);
  }
  world.cut(driver);
  return { accepted, said: world.said.map(({ text }) => text) };
}

test.each(Array.from({ length: process.env['SAXCTL_LONG'] === '1' ? 300 : 25 }, (_, seed) => seed + 1))(
  'history %i of cuts, crashes, refusals and a full disk: everything accepted is said once, in order',
  async (seed) => {
    const { accepted, said } = await history(seed);
    expect(accepted.length).toBeGreaterThan(20);
    expect(said).toEqual(accepted);
  },
);

/**
 * The same with a socket that outlives the process: what it shows is remembered, then taken; a crash may come at any moment, also in the
 * middle of a write or of a compaction. Nothing here is excused: whatever was put into the socket is to be said.
 */
async function keptHistory(seed: number): Promise<{ sent: string[]; said: string[] }> {
  const world = makeWorld(seed);
  const disk = newDisk();
  disk.slow = true;
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  const start = (): OutboxDriver =>
    runOutbox({ name: 'test', journal: memoryJournal(disk), clock: fastClock(), log, settleMs: 5 });
  let driver = start();
  const sent: string[] = [];
  const kernel: string[] = [];
  let reading = false;
  const read = async (mine: OutboxDriver): Promise<void> => {
    const { life } = disk;
    const shown = kernel.slice(0, 3);
    const kept = await mine.submit(shown.map((payload) => ({ payload, origin: { key: payload } }))).then(
      () => true,
      () => false,
    );
    await turn();
    if (disk.life !== life) return;
    if (kept) kernel.splice(0, shown.length);
    reading = false;
  };
  let connected = false;
  for (let step = 0; step < 500 || driver.size + kernel.length > 0; step += 1) {
    await turn();
    const dice = step < 500 ? world.chance() : 0.99;
    disk.full = step < 500 && world.chance() < 0.1;
    disk.large = world.chance() < 0.3;
    if (!reading && kernel.length > 0) {
      reading = true;
      void read(driver);
    }
    if (dice < 0.3) {
      sent.push(String(sent.length + 1));
      kernel.push(String(sent.length));
    } else if (dice < 0.33) {
      world.cut(driver);
      connected = false;
    } else if (dice < 0.38) {
      world.cut(driver);
      connected = false;
      crash(disk, Math.floor(world.chance() * 5));
      driver = start();
      reading = false;
    } else if (!connected) {
      world.connect(driver);
      connected = true;
    } else world.turn(driver);
    if (step > 20_000) throw new Error(`seed ${seed} does not end: ${driver.size} left, ${driver.phase}`);
  }
  world.cut(driver);
  return { sent, said: world.said.map(({ text }) => text) };
}

test.each(Array.from({ length: process.env['SAXCTL_LONG'] === '1' ? 300 : 25 }, (_, seed) => seed + 1))(
  'history %i of a kept socket, with crashes in the middle of writes and compactions: everything sent is said once, in order',
  async (seed) => {
    const { sent, said } = await keptHistory(seed);
    expect(sent.length).toBeGreaterThan(50);
    expect(said).toEqual(sent);
  },
);

test('an entry that ends every connection alone is given up aloud, and the rest goes on', async () => {
  const givenUp = vi.fn();
  const driver = runOutbox({
    name: 't',
    journal: memoryJournal(newDisk()),
    clock: fastClock(),
    log,
    settleMs: 1,
    events: { givenUp },
  });
  const said: string[] = [];
  const destination: Destination = {
    deliver({ id, payload }) {
      setImmediate(() => {
        if (payload === 'poison') {
          driver.detach({ culprit: true });
          setImmediate(() => driver.attach(destination));
        } else if (driver.confirmed(id, `s${said.length}`)) said.push(payload);
      });
    },
    findDelivered: () => Promise.resolve(new Map()),
    stuck: () => undefined,
  };
  await driver.submit(['a', 'poison', 'b'].map((payload) => ({ payload })));
  driver.attach(destination);
  await vi.waitFor(() => expect(driver.size).toBe(0));
  expect(said).toEqual(['a', 'b']);
  expect(givenUp).toHaveBeenCalledExactlyOnceWith(
    expect.objectContaining({ payload: 'poison' }),
    expect.stringContaining('ends the connection'),
  );
});

test('words that are refused for their content are given up at the third time; a lack of voice is waited for', async () => {
  const driver = runOutbox({ name: 't', journal: memoryJournal(newDisk()), clock: fastClock(), log });
  const tries: string[] = [];
  const destination: Destination = {
    deliver({ id, payload }) {
      tries.push(payload);
      setImmediate(() => {
        if (payload === 'bad') driver.refused(id, 'policy-violation', true);
        else if (tries.filter((text) => text === payload).length < 6) driver.refused(id, 'forbidden');
        else driver.confirmed(id, 's');
      });
    },
    findDelivered: () => Promise.resolve(new Map()),
    stuck: () => undefined,
  };
  await driver.submit([{ payload: 'bad' }, { payload: 'later' }]);
  driver.attach(destination);
  await vi.waitFor(() => expect(driver.size).toBe(0));
  expect(tries.filter((text) => text === 'bad')).toHaveLength(3);
  expect(tries.filter((text) => text === 'later')).toHaveLength(6);
});

test('nothing is sent while the archive does not work, at the beginning and after a line that was not archived', async () => {
  const driver = runOutbox({ name: 't', journal: memoryJournal(newDisk()), clock: fastClock(), log });
  const sent: string[] = [];
  let asked = 0;
  let works = false;
  const ids: string[] = [];
  const destination: Destination = {
    deliver({ id, payload }) {
      ids.push(id);
      sent.push(payload);
    },
    async position() {
      asked += 1;
      if (!works) throw new Error('away');
      return '7';
    },
    findDelivered: () => Promise.resolve(new Map()),
    stuck: () => undefined,
  };
  await driver.submit(['a', 'b', 'c', 'd'].map((payload) => ({ payload })));
  driver.attach(destination);
  await vi.waitFor(() => expect(asked).toBeGreaterThan(2));
  expect(sent).toEqual([]);
  works = true;
  await vi.waitFor(() => expect(sent).toEqual(['a', 'b']));
  works = false;
  asked = 0;
  driver.confirmed(ids[0] ?? '', undefined, false);
  driver.confirmed(ids[1] ?? '', '9');
  await vi.waitFor(() => expect(asked).toBeGreaterThan(2));
  expect(sent).toEqual(['a', 'b']);
  works = true;
  await vi.waitFor(() => expect(sent).toEqual(['a', 'b', 'c', 'd']));
});
