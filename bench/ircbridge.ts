import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, fdatasyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Stack } from '../src/edges/stack/types.ts';
import { enterChannel, type IrcPerson } from '../test/helpers/irc-person.ts';
import { enterRoom, type Person } from '../test/helpers/person.ts';
import { PROGRAM, startTestStack } from '../test/helpers/stack.ts';
import { until } from '../test/helpers/until.ts';
import { median, percentile, printTable } from './lib/table.ts';

const ROUNDS = 3;
const STEADY_LINES = 200;
const STEADY_MS = 50;
const BURST_LINES = 3000;

type Way = 'to IRC' | 'to room';
type Relay = {
  readonly name: string;
  readonly argv: (stack: Stack, state: string) => readonly string[];
  readonly env?: (stack: Stack, state: string) => Record<string, string>;
};
type Figures = { p50: number[]; p99: number[]; rate: number[]; cpu: number[]; disorder: number; lost: number };

const RELAYS: readonly Relay[] = [
  {
    name: 'bare loop of the libraries (floor)',
    argv: ({ ejabberd, bots, room, irc1, channel }) => [
      resolve('bench/lib/bare-relay.mjs'),
      ...[ejabberd.directPort, bots.guard.jid, bots.guard.password, room, irc1.directPort, channel].map(String),
    ],
  },
  {
    name: 'saxctl ircbridge',
    argv: ({ config }) => [PROGRAM, '--config', config, '--log-format', 'json', 'ircbridge'],
    env: ({ ejabberd, irc1, env }, state) => ({
      ...env,
      SAXCTL_STATE_DIR: state,
      SAXCTL_IRC_FLOOD_INTERVAL_MS: '0',
      SAXCTL_XMPP_SERVICE: `xmpp://127.0.0.1:${ejabberd.directPort}`,
      SAXCTL_IRC_SERVERS: `irc://127.0.0.1:${irc1.directPort}`,
    }),
  },
];

/**
 * Latency at 20 lines/s both ways, throughput flat out each way, CPU per line; ours against a relay of nothing but the two
 * libraries, interleaved in one run. With an argument N: N lines to the room and N to IRC through one bridge, and its memory.
 */
export async function run(args: readonly string[] = []): Promise<void> {
  const stack = await startTestStack({ parts: ['mariadb', 'ejabberd', 'irc1'], ircUnlimited: true });
  try {
    if (args[0] !== undefined) await soak(stack, Number(args[0]));
    else await compare(stack);
  } finally {
    await stack.stop();
  }
}

async function compare(stack: Stack): Promise<void> {
  const figures = new Map(RELAYS.map(({ name }) => [name, { 'to IRC': empty(), 'to room': empty() }]));
  for (let round = 0; round < ROUNDS; round += 1)
    for (const relay of RELAYS) {
      const into = figures.get(relay.name);
      if (into === undefined) continue;
      await measure(stack, relay, round, into);
    }
  const write = durableWrite(stack.directory);
  const floor = figures.get(RELAYS[0]?.name ?? '');
  const rows: (string | number)[][] = [
    [
      'relay',
      'way',
      'p50 ms',
      'p99 ms',
      '× floor + write',
      'lines/s flat out',
      '× floor',
      'CPU µs/line',
      'disordered',
      'lost',
    ],
  ];
  for (const [name, ways] of figures)
    for (const way of ['to IRC', 'to room'] as const) {
      const mine = ways[way];
      const base = floor?.[way];
      const limit = (median(base?.p50 ?? []) ?? 0) + write;
      rows.push([
        name,
        way,
        median(mine.p50),
        median(mine.p99),
        (median(mine.p50) / limit).toFixed(2),
        median(mine.rate),
        (median(mine.rate) / median(base?.rate ?? [])).toFixed(2),
        median(mine.cpu),
        mine.disorder,
        mine.lost,
      ]);
    }
  printTable(`ircbridge: medians of ${ROUNDS} interleaved rounds; one durable write here ${write.toFixed(2)} ms`, rows);
}

function empty(): Figures {
  return { p50: [], p99: [], rate: [], cpu: [], disorder: 0, lost: 0 };
}

type World = { readonly child: ChildProcess; readonly tari: Person; readonly eve: IrcPerson };

async function begin(stack: Stack, relay: Relay, state: string): Promise<World> {
  const child = spawn(process.execPath, [...relay.argv(stack, state)], {
    env: { PATH: process.env['PATH'] ?? '', ...(relay.env?.(stack, state) ?? {}) },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let log = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    log = (log + chunk.toString()).slice(-20_000);
  });
  await until(
    () => log.includes('"event":"ready"'),
    () => `${relay.name}: ${log}`,
    60_000,
  );
  const behind = {
    domain: stack.domain,
    room: stack.room,
    member: stack.member,
    ejabberd: { ...stack.ejabberd, port: stack.ejabberd.directPort },
  };
  // A bot's account: members are slowed down by the server's shaper.
  const { password } = stack.bots.webridge;
  const tari = await enterRoom(behind, 'Tari', { secret: password, localpart: 'webridge' });
  const eve = await enterChannel(stack.irc1.directPort, 'eve', stack.channel);
  return { child, tari, eve };
}

async function finish({ child, tari, eve }: World): Promise<void> {
  tari.leave();
  eve.quit();
  const gone = new Promise((done) => child.once('exit', done));
  child.kill('SIGKILL');
  await gone;
}

async function measure(stack: Stack, relay: Relay, round: number, into: Record<Way, Figures>): Promise<void> {
  const world = await begin(stack, relay, join(stack.stateDir, `bench-${round}`));
  const { child, tari, eve } = world;
  const mark = `${relay.name.slice(0, 4).trim()}${round}`;
  const say: Record<Way, (text: string) => void> = {
    'to IRC': (text) => tari.say(text),
    'to room': (text) => eve.say(text),
  };
  const heard: Record<Way, () => readonly string[]> = {
    'to IRC': () => eve.lines.filter(({ nick }) => nick !== 'eve').map(({ text }) => text),
    'to room': () => tari.lines.filter(({ nick }) => nick !== 'Tari').map(({ body }) => body),
  };
  try {
    const sent = new Map<string, number>();
    const latency: Record<Way, number[]> = { 'to IRC': [], 'to room': [] };
    // The helpers keep what they heard; the moment of arrival is taken at the socket.
    const at =
      (way: Way) =>
      (chunk: Buffer): void => {
        const now = performance.now();
        for (const [word] of chunk.toString('latin1').matchAll(/steady-\w+-\d+-(?:irc|room)!/g)) {
          const started = sent.get(word);
          if (started === undefined || !word.endsWith(way === 'to IRC' ? 'irc!' : 'room!')) continue;
          sent.delete(word);
          latency[way].push(now - started);
        }
      };
    eve.socket.on('data', at('to IRC'));
    tari.socket.on('data', at('to room'));
    for (let line = 0; line < STEADY_LINES; line += 1) {
      for (const [way, word] of [
        ['to IRC', 'irc'],
        ['to room', 'room'],
      ] as const) {
        const text = `steady-${mark}-${line}-${word}!`;
        sent.set(text, performance.now());
        say[way](text);
      }
      await new Promise((done) => setTimeout(done, STEADY_MS));
    }
    await until(
      () => sent.size === 0,
      () => `${relay.name}: ${sent.size} lines did not arrive`,
    );
    for (const way of ['to IRC', 'to room'] as const) {
      into[way].p50.push(percentile(latency[way], 50));
      into[way].p99.push(percentile(latency[way], 99));
      const cpu = cpuMs(child.pid);
      const before = heard[way]().length;
      const started = performance.now();
      for (let line = 0; line < BURST_LINES; line += 1) say[way](`burst-${mark}-${line}`);
      const arrived = await burstEnd(() => heard[way]().length - before);
      into[way].lost += BURST_LINES - arrived.count;
      into[way].rate.push((arrived.count * 1000) / (arrived.at - started));
      into[way].cpu.push(((cpuMs(child.pid) - cpu) * 1000) / BURST_LINES);
      const numbers = heard[way]()
        .slice(before)
        .map((text) => Number(text.split('-').at(-1)));
      into[way].disorder += numbers.filter((number, index) => index > 0 && number < (numbers[index - 1] ?? 0)).length;
    }
  } finally {
    await finish(world);
  }
}

/** Waits until all lines of a burst have arrived, or none has for ten seconds. */
async function burstEnd(count: () => number): Promise<{ readonly count: number; readonly at: number }> {
  let last = { count: 0, at: performance.now() };
  for (;;) {
    const now = { count: count(), at: performance.now() };
    if (now.count > last.count) last = now;
    if (last.count >= BURST_LINES || now.at - last.at > 10_000) return last;
    await new Promise((done) => setTimeout(done, 5));
  }
}

/** Many lines through one bridge, and what its memory does. */
async function soak(stack: Stack, lines: number): Promise<void> {
  const relay = RELAYS[1];
  if (relay === undefined) return;
  const world = await begin(stack, relay, join(stack.stateDir, 'soak'));
  const { child, tari, eve } = world;
  const rows: (string | number)[][] = [['lines each way', 'RSS MB', 'lines/s (both)', 'disordered']];
  let disorder = 0;
  try {
    const step = Math.max(1000, Math.floor(lines / 10));
    for (let done = 0; done < lines; done += step) {
      const started = performance.now();
      for (let chunk = 0; chunk < step; chunk += 500) {
        const before = [eve.lines.length, tari.lines.length] as const;
        for (let line = 0; line < 500; line += 1) {
          tari.say(`soak-${done + chunk + line}`);
          eve.say(`soak-${done + chunk + line}`);
        }
        const relayed = () =>
          [
            eve.lines.slice(before[0]).filter(({ nick }) => nick !== 'eve'),
            tari.lines.slice(before[1]).filter(({ nick }) => nick !== 'Tari'),
          ] as const;
        await until(() => relayed().every((heard) => heard.length >= 500), 'lines are missing', 60_000);
        for (const heard of relayed()) {
          const numbers = heard.map((line) => Number(('text' in line ? line.text : line.body).split('-').at(-1)));
          disorder += numbers.filter((number, index) => index > 0 && number !== (numbers[index - 1] ?? 0) + 1).length;
        }
        // The helpers remember everything; a soak must not measure them.
        (eve.lines as unknown[]).length = 0;
        (tari.lines as unknown[]).length = 0;
        (eve.raw as unknown[]).length = 0;
      }
      rows.push([done + step, rssMb(child.pid), (2 * step * 1000) / (performance.now() - started), disorder]);
    }
  } finally {
    await finish(world);
  }
  printTable(`ircbridge: ${lines} lines each way`, rows);
}

/** User and system time of a process so far, milliseconds (proc(5), fields 14 and 15, ticks of 10 ms). */
function cpuMs(pid: number | undefined): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

function rssMb(pid: number | undefined): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
}

/** Milliseconds of one append with fdatasync where the journals lie. */
function durableWrite(directory: string): number {
  const fd = openSync(join(directory, 'probe'), 'a');
  const times: number[] = [];
  for (let write = 0; write < 50; write += 1) {
    const started = performance.now();
    writeSync(fd, 'x'.repeat(300));
    fdatasyncSync(fd);
    times.push(performance.now() - started);
  }
  closeSync(fd);
  return median(times);
}
