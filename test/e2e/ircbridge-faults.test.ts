import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Stack } from '../../src/edges/stack/types.ts';
import {
  archived,
  archivedWhenQuiet,
  judgeRelay,
  numbersOf,
  type Talker,
  talkInRoom,
  talkOnIrc,
  type Watcher,
  watchChannel,
} from '../helpers/relay-watch.ts';
import { type RunningSaxctl, startSaxctl, startTestStack } from '../helpers/stack.ts';
import { until } from '../helpers/until.ts';

/** SAXCTL_LONG=1: each fault this many times instead of once. */
const ROUNDS = process.env['SAXCTL_LONG'] === undefined ? 1 : 10;
const TIMEOUT = 120_000 * ROUNDS;

let stack: Stack;
let bridge: RunningSaxctl;
let watcher: Watcher;
let eve: Talker;
let tari: Talker;
const logs: string[] = [];
/** What former bridges logged. */
const ended: string[] = [];

const channelPort = () => stack.irc1.directPort;
const onIrc = () =>
  numbersOf(
    watcher.lines.filter(({ nick }) => /^sax_*$/.test(nick)).map(({ text }) => text),
    'r',
  );
const inRoom = async () => {
  const rows = await archived(stack);
  return numbersOf(
    rows.filter(({ nick }) => /^ircbridge_*$/.test(nick)).map(({ text }) => text),
    'i',
  );
};

/** Both directions work: what is said now arrives. */
async function relaying(withinMs = 150_000): Promise<void> {
  await until(() => eve.inside() && tari.inside(), 'the people did not come back', withinMs);
  const [saidInRoom, saidOnIrc] = [tari.sent() + 1, eve.sent() + 1];
  const why = () => `not relaying: ${bridge.stderr().slice(-3000)}`;
  await until(() => (onIrc().at(-1) ?? 0) >= saidInRoom, why, withinMs);
  let last = 0;
  await until(
    async () => {
      if (performance.now() - last < 400) return false;
      last = performance.now();
      return ((await inRoom()).at(-1) ?? 0) >= saidOnIrc;
    },
    why,
    withinMs,
  );
}

async function startBridge(): Promise<void> {
  bridge = startSaxctl(stack, ['ircbridge']);
  await bridge.logged(/"event":"ready"/, 60_000);
}

async function verdict(what: string): Promise<void> {
  eve.pause();
  tari.pause();
  const rows = await archivedWhenQuiet(stack, watcher.lines, 1500);
  const { toIrc, toRoom, untold, gaps } = judgeRelay(rows, watcher.lines, { room: 'r', irc: 'i' });
  // Where the server replays too little to tell, the bridge says so and says the line in flight again: it may be a second time.
  const unsure = [...ended, bridge.stderr()].join('').match(/"event":"unsure"/g)?.length ?? 0;
  const doubled = toIrc.doubled.length <= unsure ? [] : toIrc.doubled;
  const nothing = { lost: [], doubled: [], disordered: 0 };
  expect({ ...toIrc, doubled }, `room to IRC\n${bridge.stderr().slice(-3000)}`).toMatchObject(nothing);
  expect({ ...toRoom, lost: untold }, `IRC to room\n${bridge.stderr().slice(-3000)}`).toMatchObject(nothing);
  logs.push(
    `${what}: ${toIrc.said} lines to IRC (${toIrc.doubled.length} doubled, ${unsure} times unsure) and ${toRoom.said} to the room; ${toRoom.lost.length} in ${gaps.length} told gaps`,
  );
  eve.resume();
  tari.resume();
}

beforeAll(async () => {
  stack = await startTestStack({
    parts: ['mariadb', 'ejabberd', 'irc1'],
    ircUnlimited: true,
    config: { irc: { flood_interval_ms: 20 } },
  });
  await startBridge();
  watcher = watchChannel(channelPort, stack.channel);
  await until(() => watcher.inside());
  eve = talkOnIrc(channelPort, stack.channel, { prefix: 'i', everyMs: 200 });
  tari = talkInRoom(stack, 'Tari', { prefix: 'r', everyMs: 200 });
  await relaying();
}, 120_000);

afterAll(async () => {
  for (const one of [eve, tari, watcher]) one?.stop();
  await bridge?.kill();
  await stack?.stop();
  if (ROUNDS > 1) console.log(logs.join('\n'));
});

/** Short ones are noticed as resets only, long ones let the server time out and the backoff grow. */
const CUTS_MS = ROUNDS === 1 ? [3000] : [5000, 5000, 8000, 8000, 10_000, 10_000, 15_000, 20_000, 30_000, 60_000];

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const FAULTS: readonly (readonly [string, (round: number) => Promise<void>])[] = [
  [
    'the bridge is killed',
    async (round) => {
      ended.push((await bridge.kill()).stderr);
      await pause(round * 300);
      await startBridge();
    },
  ],
  [
    'ejabberd is killed',
    async () => {
      await stack.ejabberd.kill();
      await stack.ejabberd.start();
    },
  ],
  [
    'the IRC server is killed',
    async (round) => {
      await stack.irc1.kill();
      await pause(500 + round * 300);
      await stack.irc1.start();
    },
  ],
  [
    'both networks are cut',
    async (round) => {
      const ms = CUTS_MS[round % CUTS_MS.length] ?? 3000;
      await Promise.all([stack.ejabberd.cut(), stack.irc1.cut()]);
      await pause(ms);
      await stack.ejabberd.mend();
      // Not together each time: one side must wait for the other in order.
      if (round % 2 === 0) await pause(ms);
      await stack.irc1.mend();
    },
  ],
  [
    'both servers accept and are silent',
    async () => {
      stack.ejabberd.stall();
      stack.irc1.stall();
      await until(
        () => bridge.stderr().match(/"event":"disconnected"[^\n]*silent/g)?.length === 2 * silences,
        () => `the silence was not noticed: ${bridge.stderr().slice(-2000)}`,
        40_000,
      );
      silences += 1;
      await Promise.all([stack.ejabberd.mend(), stack.irc1.mend()]);
    },
  ],
];
let silences = 1;

test.each(FAULTS)(
  '%s: nothing is lost, doubled or out of order, but in told gaps',
  async (what, fault) => {
    silences = 1 + (bridge.stderr().match(/"event":"disconnected"[^\n]*silent/g)?.length ?? 0) / 2;
    for (let round = 1; round <= ROUNDS; round += 1) {
      await fault(round);
      await relaying();
    }
    await verdict(what);
  },
  TIMEOUT,
);
