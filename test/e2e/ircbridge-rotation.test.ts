import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Stack } from '../../src/edges/stack/types.ts';
import {
  archived,
  archivedWhenQuiet,
  gapsIn,
  numbersOf,
  type Talker,
  talkInRoom,
  talkOnIrc,
  tally,
  type Watcher,
  watchChannel,
} from '../helpers/relay-watch.ts';
import { type RunningSaxctl, startSaxctl, startTestStack } from '../helpers/stack.ts';
import { until } from '../helpers/until.ts';

/** SAXCTL_LONG=1: ten servers are killed instead of three. */
const ROUNDS = process.env['SAXCTL_LONG'] === undefined ? 3 : 10;
const SERVERS = ['irc1', 'irc2', 'ngircd'] as const;
/** How long people talk on each server. */
const TALK_MS = ROUNDS > 3 ? 10_000 : 5000;
type Name = (typeof SERVERS)[number];

let stack: Stack;
let bridge: RunningSaxctl;
let tari: Talker;
const watchers = new Map<Name, Watcher>();
const eves = new Map<Name, Talker>();

beforeAll(async () => {
  stack = await startTestStack({
    parts: ['mariadb', 'ejabberd', ...SERVERS],
    ircUnlimited: true,
    config: { irc: { flood_interval_ms: 20 } },
  });
  bridge = startSaxctl(stack, ['ircbridge'], {
    env: { SAXCTL_IRC_SERVERS: SERVERS.map((name) => `irc://127.0.0.1:${stack[name].port}`).join(',') },
  });
  await bridge.logged(/"event":"ready"/, 60_000);
  for (const name of SERVERS) {
    const port = () => stack[name].directPort;
    watchers.set(name, watchChannel(port, stack.channel));
    eves.set(name, talkOnIrc(port, stack.channel, { prefix: name, everyMs: 200 }));
  }
  tari = talkInRoom(stack, 'Tari', { prefix: 'r', everyMs: 200 });
  await until(() => [...watchers.values(), ...eves.values(), tari].every((one) => one.inside()));
}, 120_000);

afterAll(async () => {
  for (const one of [tari, ...watchers.values(), ...eves.values()]) one?.stop();
  await bridge?.kill();
  await stack?.stop();
});

type Stay = { readonly name: Name; readonly from: number; to: number };
/** Where the bridge was when, by its log. */
function stays(): Stay[] {
  const found: Stay[] = [];
  for (const text of bridge.stderr().split('\n')) {
    if (!text.includes('"server":')) continue;
    const { event, server, time } = JSON.parse(text) as { event: string; server: string; time: string };
    const name = SERVERS.find((one) => server === `irc://127.0.0.1:${stack[one].port}`);
    const last = found.at(-1);
    if (name !== undefined && event === 'joined')
      found.push({ name, from: Date.parse(time), to: Number.POSITIVE_INFINITY });
    else if (name !== undefined && event === 'disconnected' && last?.name === name) last.to = Date.parse(time);
  }
  return found;
}

/** What we said, on whichever server, in the order of its arrival. */
const onIrc = (): number[] =>
  numbersOf(
    [...watchers.values()]
      .flatMap(({ lines }) => lines)
      .filter(({ nick }) => /^sax_*$/.test(nick))
      .sort((a, b) => a.at - b.at)
      .map(({ text }) => text),
    'r',
  );

async function relayingOn(name: Name): Promise<void> {
  const why = () => `not relaying on ${name}: ${bridge.stderr().slice(-3000)}`;
  await until(() => tari.inside() && (eves.get(name)?.inside() ?? false), why, 60_000);
  const [saidInRoom, saidOnIrc] = [tari.sent() + 1, (eves.get(name)?.sent() ?? 0) + 1];
  await until(() => (onIrc().at(-1) ?? 0) >= saidInRoom, why, 60_000);
  let looked = 0;
  await until(
    async () => {
      if (performance.now() - looked < 400) return false;
      looked = performance.now();
      const texts = (await archived(stack)).map(({ text }) => text);
      return (numbersOf(texts, name).at(-1) ?? 0) >= saidOnIrc;
    },
    why,
    60_000,
  );
}

test(
  'the current IRC server is killed: the next one of the list is taken, nothing is lost or out of order on any of them',
  async () => {
    for (const talker of [tari, ...eves.values()]) talker.resume();
    let down: Name | undefined;
    for (let round = 0; round < ROUNDS; round += 1) {
      const here = stays().at(-1)?.name ?? 'irc1';
      await relayingOn(here);
      // Gaps are told in whole seconds: there must be lines between two of them. People talk, nothing is waited for.
      await new Promise((resolve) => setTimeout(resolve, TALK_MS));
      await stack[here].kill();
      const next = await until(
        () => stays().find(({ name, to }) => name !== here && to === Number.POSITIVE_INFINITY)?.name,
        () => bridge.stderr().slice(-3000),
        60_000,
      );
      await relayingOn(next);
      // Not sooner: the first of the list that works is taken, and it is to be the last one too.
      if (down !== undefined) await stack[down].start();
      down = here;
    }
    if (down !== undefined) await stack[down].start();
    for (const talker of [tari, ...eves.values()]) talker.pause();
    const everything = watchers.get('irc1')?.lines ?? [];
    const rows = await archivedWhenQuiet(stack, everything, 1500);

    const said = numbersOf(
      rows.filter(({ nick }) => nick === 'Tari').map(({ text }) => text),
      'r',
    );
    const arrived = onIrc();
    const toIrc = tally(said, arrived);
    const unsure = [...bridge.stderr().matchAll(/"event":"unsure".*?"at_most":(\d+)/g)];
    const inDoubt = unsure.reduce((sum, [, count]) => sum + Number(count), 0);
    expect(toIrc.lost).toEqual([]);
    expect(toIrc.doubled.length).toBeLessThanOrEqual(inDoubt);
    const first = arrived.filter((number, index) => arrived.indexOf(number) === index);
    expect(tally(said, first).disordered).toBe(0);
    const been = new Set(stays().map(({ name }) => name));
    expect([...been].sort()).toEqual([...SERVERS].sort());

    const gaps = gapsIn(rows.map(({ text }) => text));
    const results: string[] = [];
    for (const name of SERVERS) {
      const heard = watchers.get(name)?.lines.filter(({ nick }) => /^eve_*$/.test(nick)) ?? [];
      const got = rows.filter(({ nick }) => /^ircbridge_*$/.test(nick)).map(({ text }) => text);
      const there = heard.filter(
        ({ at }) =>
          stays().some((stay) => stay.name === name && at >= stay.from && at <= stay.to) &&
          !gaps.some(({ from, to }) => at >= from && at <= to),
      );
      const toRoom = tally(
        numbersOf(
          there.map(({ text }) => text),
          name,
        ),
        numbersOf(got, name),
      );
      expect(toRoom, `${name} to room: ${bridge.stderr().slice(-3000)}`).toMatchObject({
        lost: [],
        doubled: [],
        disordered: 0,
      });
      expect(toRoom.said, `${name} was hardly listened to`).toBeGreaterThan(0);
      results.push(`${name} ${toRoom.said} to the room`);
    }
    if (ROUNDS > 3)
      console.log(
        `${ROUNDS} servers killed: ${toIrc.said} lines to IRC, lost 0, doubled ${toIrc.doubled.length} (in doubt ${inDoubt}), ${results.join(', ')}, ${gaps.length} told gaps`,
      );
  },
  120_000 * ROUNDS,
);
