import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Stack } from '../../src/edges/stack/types.ts';
import { enterChannel, type IrcPerson } from '../helpers/irc-person.ts';
import { enterRoom } from '../helpers/person.ts';
import {
  archivedWhenQuiet,
  judgeRelay,
  numbersOf,
  type Talker,
  talkInRoom,
  talkOnIrc,
  tally,
  watchChannel,
} from '../helpers/relay-watch.ts';
import { type RunningSaxctl, startSaxctl, startTestStack } from '../helpers/stack.ts';
import { until } from '../helpers/until.ts';

/** SAXCTL_LONG=1: ten splits instead of one. */
const ROUNDS = process.env['SAXCTL_LONG'] === undefined ? 1 : 10;
const CROWD = 40;

let stack: Stack;
let bridge: RunningSaxctl;
const talkers: Talker[] = [];
const crowd: IrcPerson[] = [];

beforeAll(async () => {
  stack = await startTestStack({
    parts: ['mariadb', 'ejabberd', 'irc1', 'irc2'],
    ircLinked: true,
    ircUnlimited: true,
    config: { irc: { flood_interval_ms: 20 }, ircbridge: { joins: true } },
  });
  const names = Array.from({ length: CROWD }, (_value, index) => `far${index}`);
  crowd.push(...(await Promise.all(names.map((nick) => enterChannel(stack.irc2.directPort, nick, stack.channel)))));
  bridge = startSaxctl(stack, ['ircbridge'], {
    env: { SAXCTL_IRC_SERVERS: `irc://127.0.0.1:${stack.irc1.port}` },
  });
  await bridge.logged(/"event":"ready"/, 60_000);
}, 120_000);

afterAll(async () => {
  for (const one of talkers) one.stop();
  for (const one of crowd) one.quit();
  await bridge?.kill();
  await stack?.stop();
});

test(
  'a netsplit: what is said on our side goes on arriving once and in order, a crowd that goes and comes back is two lines',
  async () => {
    const near = () => stack.irc1.directPort;
    const watcher = watchChannel(near, stack.channel);
    const [eve, tari] = [
      talkOnIrc(near, stack.channel, { prefix: 'i', everyMs: 100 }),
      talkInRoom(stack, 'Tari', { prefix: 'r', everyMs: 100 }),
    ];
    talkers.push(eve, tari);
    const [mary, reader] = [crowd[0], await enterRoom(stack, 'alice')];
    if (mary === undefined) throw new Error('no crowd');
    await until(() => watcher.inside() && eve.inside() && tari.inside());
    let saidFar = 0;
    const heardFar = async (): Promise<void> => {
      saidFar += 1;
      mary.say(`far-${saidFar}`);
      const text = `<far0> far-${saidFar}`;
      await reader.heard(({ body }) => body === text);
    };
    await heardFar();
    for (let round = 1; round <= ROUNDS; round += 1) {
      const before = reader.lines.length;
      const told = (what: RegExp) => reader.lines.slice(before).filter(({ body }) => what.test(body)).length;
      await stack.ircLink.cut();
      await until(() => told(/^-- netsplit \(\S+ \S+\): .* lost from #sax$/) === 1, 'the split was not told', 60_000);
      await stack.ircLink.mend();
      await until(() => told(/^-- netsplit over: .* back in #sax$/) === 1, 'the end was not told', 60_000);
      await heardFar();
    }
    for (const one of [eve, tari]) one.pause();
    const rows = await archivedWhenQuiet(stack, watcher.lines, 1500);
    const { toIrc, toRoom } = judgeRelay(rows, watcher.lines, { room: 'r', irc: 'i' });
    const nothing = { lost: [], doubled: [], disordered: 0 };
    expect([toIrc, toRoom]).toMatchObject([nothing, nothing]);
    const far = numbersOf(
      reader.lines.map(({ body }) => body),
      'far',
    );
    expect(
      tally(
        far,
        Array.from({ length: saidFar }, (_value, index) => index + 1),
      ),
    ).toMatchObject(nothing);
    // Nobody of the crowd is told alone, and nothing else is said of all this.
    const notices = reader.lines.map(({ body }) => body).filter((body) => body.startsWith('-- '));
    expect(notices.filter((body) => /^-- far/.test(body))).toEqual([]);
    expect(notices.filter((body) => /netsplit/.test(body))).toHaveLength(2 * ROUNDS);
    expect(bridge.stderr()).not.toMatch(/"event":"(disconnected|left|unsure|gap)"/);
  },
  120_000 * ROUNDS,
);
