import type { Stack } from '../src/edges/stack/types.ts';
import { enterRoom } from '../test/helpers/person.ts';
import {
  archivedWhenQuiet,
  judgeRelay,
  talkInRoom,
  talkOnIrc,
  type Watcher,
  watchChannel,
} from '../test/helpers/relay-watch.ts';
import { type RunningSaxctl, startSaxctl, startTestStack } from '../test/helpers/stack.ts';
import { until } from '../test/helpers/until.ts';
import { printTable } from './lib/table.ts';

/** Lines per second each way. */
const RATE = 20;
const SETTLED_MS = 4000;

type World = { readonly stack: Stack; bridge: RunningSaxctl; readonly watcher: Watcher };
type Fault = {
  readonly name: string;
  /** Milliseconds of talk before the fault, and after it was mended. */
  readonly before: number;
  readonly after: number;
  readonly run: (world: World) => Promise<void>;
  /** What the log must say, and how soon after the fault. */
  readonly reason?: RegExp;
};

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const FAULTS: readonly Fault[] = [
  {
    name: 'S1 IRC server kill -9, back after 2 s',
    before: 10_000,
    after: 30_000,
    async run({ stack }) {
      await stack.irc1.kill();
      await sleep(2000);
      await stack.irc1.start();
    },
  },
  {
    name: 'S2 ejabberd kill -9, restarted at once',
    before: 10_000,
    after: 30_000,
    async run({ stack }) {
      await stack.ejabberd.kill();
      await stack.ejabberd.start();
    },
  },
  {
    name: 'S3 bridge kill -9, restarted at once',
    before: 10_000,
    after: 15_000,
    async run(world) {
      await world.bridge.kill();
      world.bridge = startSaxctl(world.stack, ['ircbridge']);
    },
  },
  {
    name: 'S4 bridge kicked from the room',
    before: 5000,
    after: 15_000,
    reason: /kicked from the room/,
    async run({ stack }) {
      const { password } = stack.bots.guard;
      const guard = await enterRoom(stack, 'guard', { secret: password, nick: 'guard', localpart: 'guard' });
      guard.send(
        `<iq type='set' id='kick' to='${stack.room}'><query xmlns='http://jabber.org/protocol/muc#admin'><item nick='ircbridge' role='none'><reason>spam</reason></item></query></iq>`,
      );
      await until(() => !guard.occupants.has('ircbridge'));
      guard.leave();
    },
  },
  {
    name: 'S5 nickname in the room taken at the join',
    before: 3000,
    after: 15_000,
    reason: /"event":"nick-taken"/,
    async run(world) {
      await world.bridge.kill();
      const thief = await until(() => enterRoom(world.stack, 'alice', { nick: 'ircbridge' }).catch(() => undefined));
      world.bridge = startSaxctl(world.stack, ['ircbridge']);
      await sleep(8000);
      thief.leave();
    },
  },
  {
    name: 'S6 IRC server frozen for 100 s',
    before: 5000,
    after: 30_000,
    async run({ stack }) {
      stack.irc1.freeze();
      await sleep(100_000);
      stack.irc1.thaw();
    },
  },
];

/** The six faults of which other relays lose lines (npm run chaos [S1 S2 …]), and what ours makes of them: a table, 0 expected everywhere. */
export async function run(only: readonly string[] = []): Promise<void> {
  const stack = await startTestStack({
    parts: ['mariadb', 'ejabberd', 'irc1'],
    ircUnlimited: true,
    config: { irc: { flood_interval_ms: 5 } },
  });
  const watcher = watchChannel(() => stack.irc1.directPort, stack.channel);
  const world: World = { stack, watcher, bridge: startSaxctl(stack, ['ircbridge']) };
  const rows: (string | number)[][] = [
    [
      'fault',
      'to IRC',
      'lost',
      'doubled',
      'disordered',
      'to room',
      'lost',
      'in told gaps',
      'doubled',
      'disordered',
      'deaf s',
      'reason in log',
    ],
  ];
  let failed = false;
  try {
    await world.bridge.logged(/"event":"ready"/, 60_000);
    await until(() => watcher.inside());
    for (const [index, fault] of FAULTS.entries()) {
      if (only.length > 0 && !only.some((name) => fault.name.startsWith(name))) continue;
      const row = await play(world, fault, `${index}x`);
      rows.push(row);
      const wrong = row.slice(2, 5).some((figure) => figure !== 0) || [6, 8, 9].some((at) => row[at] !== 0);
      console.log(row.join('  '));
      if (!wrong && row.at(-1) !== 'NO') continue;
      failed = true;
      console.error(world.bridge.stderr());
    }
  } finally {
    watcher.stop();
    await world.bridge.kill();
    await stack.stop();
  }
  printTable(`chaos: ${RATE} lines/s each way, observers on both sides`, rows);
  if (failed) process.exitCode = 1;
}

async function play(world: World, fault: Fault, mark: string): Promise<(string | number)[]> {
  const { stack, watcher } = world;
  const everyMs = 1000 / RATE;
  const eve = talkOnIrc(() => stack.irc1.directPort, stack.channel, { prefix: `i${mark}`, everyMs });
  const tari = talkInRoom(stack, 'Tari', { prefix: `r${mark}`, everyMs });
  await until(() => eve.inside() && tari.inside());
  await sleep(fault.before);
  const started = performance.now();
  const logged = world.bridge.stderr().length;
  const bridge = world.bridge;
  let reasonAt: number | undefined;
  const looking = setInterval(() => {
    const text = world.bridge === bridge ? bridge.stderr().slice(logged) : world.bridge.stderr();
    if (reasonAt === undefined && fault.reason?.test(text)) reasonAt = performance.now() - started;
  }, 50);
  await fault.run(world);
  await sleep(fault.after);
  eve.pause();
  tari.pause();
  clearInterval(looking);
  const rows = await archivedWhenQuiet(stack, watcher.lines, SETTLED_MS);
  const { toIrc, toRoom, untold } = judgeRelay(rows, watcher.lines, { room: `r${mark}`, irc: `i${mark}` });
  const arrived = watcher.lines.filter(({ nick, text }) => /^sax_*$/.test(nick) && text.includes(`r${mark}-`));
  eve.stop();
  tari.stop();
  return [
    fault.name,
    toIrc.said,
    toIrc.lost.length,
    toIrc.doubled.length,
    toIrc.disordered,
    toRoom.said,
    untold.length,
    toRoom.lost.length - untold.length,
    toRoom.doubled.length,
    toRoom.disordered,
    longestPause(arrived.map(({ at }) => at)),
    fault.reason === undefined
      ? ''
      : reasonAt === undefined || reasonAt > 10_000
        ? 'NO'
        : `${(reasonAt / 1000).toFixed(1)} s`,
  ];
}

/** Seconds of the longest silence of the relay on IRC. */
function longestPause(times: readonly number[]): number {
  return Math.max(0, ...times.map((at, index) => at - (times[index - 1] ?? at))) / 1000;
}
