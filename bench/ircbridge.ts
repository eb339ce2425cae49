import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import type { Stack } from '../src/edges/stack/types.ts';
import { enterChannel } from '../test/helpers/irc-person.ts';
import { enterRoom } from '../test/helpers/person.ts';
import { startTestStack } from '../test/helpers/stack.ts';
import { until } from '../test/helpers/until.ts';
import { durableWrites } from './lib/durable-write.ts';
import { cpuMs } from './lib/process.ts';
import { measureMemory } from './lib/relay-memory.ts';
import { FLOOR, matterbridge, OURS, type Relay, stateOf } from './lib/relays.ts';
import { figure, median, percentile, printTable } from './lib/table.ts';

const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 3);
const STEADY_LINES = 200;
const STEADY_MS = 50;
const BURST_LINES = 3000;
/** What the relay must reach: lines/s flat out, and the median delay as a multiple of the floor's, a durable write on top. */
const WANTED = { 'to IRC': 850, 'to room': 1500 } as const;
const DELAY = 1.3;
const MILLION = 1_000_000;

const WAYS = ['to IRC', 'to room'] as const;
type Way = (typeof WAYS)[number];
type Figures = {
  p50: number[];
  p99: number[];
  rate: number[];
  cpu: Map<string, number[]>;
  disorder: number;
  lost: number;
};

/**
 * Latency at 20 lines/s both ways, throughput flat out each way, CPU per line of everybody who works on it; ours against a relay of
 * nothing but the two libraries, and against matterbridge where MATTERBRIDGE names its binary, interleaved in one run. `--memory [N]`:
 * N lines (a million) through one bridge, and its memory.
 */
export async function run(args: readonly string[] = []): Promise<void> {
  if (args[0] === '--memory') {
    await measureMemory(Number(args[1] ?? MILLION));
    return;
  }
  const stack = await startTestStack({ parts: ['mariadb', 'ejabberd', 'irc1'], ircUnlimited: true });
  const binary = process.env['MATTERBRIDGE'];
  const relays = [FLOOR, OURS, ...(binary === undefined ? [] : [matterbridge(binary)])];
  const figures = new Map(relays.map((relay) => [relay, { 'to IRC': empty(), 'to room': empty() }]));
  const alone: number[] = [];
  const writes: number[] = [];
  try {
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const relay of relays) {
        const into = figures.get(relay);
        if (into !== undefined) await measure(stack, relay, round, into);
      }
      alone.push(await roomAlone(stack, round));
      writes.push(...(await durableWrites(stack.stateDir, { count: 50, pauseMs: STEADY_MS })));
    }
    report(figures, median(writes), median(alone));
  } finally {
    await stack.stop();
  }
}

function report(figures: ReadonlyMap<Relay, Record<Way, Figures>>, write: number, alone: number): void {
  const floor = figures.get(FLOOR);
  const ours = figures.get(OURS);
  if (floor === undefined || ours === undefined) return;
  const rows: (string | number)[][] = [
    ['relay', 'way', 'p50 ms', 'p99 ms', '× floor', 'lines/s flat out', '× floor', 'CPU µs/line', 'disordered', 'lost'],
  ];
  const cpu: (string | number)[][] = [['CPU µs/line flat out', 'way', ...(ours['to IRC'].cpu.keys() ?? [])]];
  for (const [{ name }, ways] of figures)
    for (const way of WAYS) {
      const [mine, base] = [ways[way], floor[way]];
      rows.push([
        name,
        way,
        median(mine.p50),
        median(mine.p99),
        (median(mine.p50) / median(base.p50)).toFixed(2),
        median(mine.rate),
        (median(mine.rate) / median(base.rate)).toFixed(2),
        median(mine.cpu.get('relay') ?? []),
        mine.disorder,
        mine.lost,
      ]);
      cpu.push([name, way, ...[...mine.cpu.values()].map(median)]);
    }
  printTable(
    `ircbridge: medians of ${ROUNDS} interleaved rounds; one durable write at this pace ${figure(write)} ms`,
    rows,
  );
  printTable('who works on a line (two at least share each processor of a small machine)', cpu);
  console.log(`\n  the room alone, nobody relaying: ${figure(alone)} lines/s`);
  for (const way of WAYS) {
    const [bound, p50] = [DELAY * median(floor[way].p50) + write, median(ours[way].p50)];
    const rate = median(ours[way].rate);
    console.log(
      `  ${way}: p50 ${figure(p50)} ms, bound ${DELAY} × floor + write = ${figure(bound)} ms: ${p50 <= bound ? 'kept' : 'MISSED'}`,
    );
    console.log(
      `  ${way}: ${figure(rate)} lines/s, wanted ${figure(WANTED[way])}: ${rate >= WANTED[way] ? 'kept' : 'MISSED'} (${(rate / median(floor[way].rate)).toFixed(2)} × floor)`,
    );
  }
}

function empty(): Figures {
  return { p50: [], p99: [], rate: [], cpu: new Map(), disorder: 0, lost: 0 };
}

type Arrival = { readonly number: number; readonly at: number };
type End = {
  readonly say: (text: string) => void;
  /** InspIRCd 3 may leave the end of a burst unread for two seconds, until something else comes. */
  readonly nudge: () => void;
  /** Arrivals by mark, in order. */
  readonly arrived: Map<string, Arrival[]>;
  leave(): void;
};
type World = { readonly child: ChildProcess; readonly room: End; readonly channel: End };

/** Takes the socket over from a helper that parses and remembers everything: an observer must not be what is measured. */
function listen(socket: Socket, way: 'irc' | 'room', answer: (text: string) => void): End['arrived'] {
  const arrived: End['arrived'] = new Map();
  const pattern = new RegExp(`(bench-\\w+)-(\\d+)-${way}!`, 'g');
  let rest = '';
  socket.removeAllListeners('data');
  socket.on('data', (chunk: Buffer) => {
    const at = performance.now();
    const text = rest + chunk.toString('latin1');
    let end = 0;
    for (const match of text.matchAll(pattern)) {
      const [whole, mark = '', number] = match;
      end = match.index + whole.length;
      const list = arrived.get(mark) ?? [];
      if (list.length === 0) arrived.set(mark, list);
      list.push({ number: Number(number), at });
    }
    answer(text.slice(end));
    rest = text.slice(Math.max(end, text.length - 64));
  });
  return arrived;
}

async function begin(stack: Stack, relay: Relay, state: string): Promise<World> {
  const [program = '', ...argv] = relay.command(stack, state);
  const child = spawn(program, argv, {
    env: { PATH: process.env['PATH'] ?? '', ...(relay.env?.(stack, state) ?? {}) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      log = (log + chunk.toString()).slice(-20_000);
    });
  await until(
    () => relay.ready.test(log),
    () => `${relay.name}: ${log}`,
    60_000,
  );
  return { child, room: await inRoom(stack), channel: await inChannel(stack) };
}

async function inRoom(
  stack: Stack,
  name: 'webridge' | 'ircbridge' = 'webridge',
  way: 'irc' | 'room' = 'room',
): Promise<End> {
  const behind = {
    domain: stack.domain,
    room: stack.room,
    member: stack.member,
    ejabberd: { ...stack.ejabberd, port: stack.ejabberd.directPort },
  };
  // A bot's account: members are slowed down by the server's shaper.
  const { password } = stack.bots[name];
  const nick = name === 'webridge' ? 'Tari' : 'Alice';
  const tari = await enterRoom(behind, nick, { secret: password, localpart: name });
  return {
    say: (text) => tari.say(text),
    nudge: () => undefined,
    arrived: listen(tari.socket, way, () => undefined),
    leave: () => tari.leave(),
  };
}

async function inChannel(stack: Stack): Promise<End> {
  const eve = await enterChannel(stack.irc1.directPort, 'eve', stack.channel);
  const arrived = listen(eve.socket, 'irc', (text) => {
    const ping = /^PING (.*)\r$/m.exec(text)?.[1];
    if (ping !== undefined) eve.send(`PONG ${ping}`);
  });
  return { say: (text) => eve.say(text), nudge: () => eve.send('PING more'), arrived, leave: () => eve.quit() };
}

async function finish({ child, room, channel }: World): Promise<void> {
  room.leave();
  channel.leave();
  const gone = new Promise((done) => child.once('exit', done));
  child.kill(process.env['BENCH_NODE_ARGS'] === undefined ? 'SIGKILL' : 'SIGTERM');
  await gone;
}

async function measure(stack: Stack, relay: Relay, round: number, into: Record<Way, Figures>): Promise<void> {
  const world = await begin(stack, relay, stateOf(stack, relay, round));
  const { room, channel } = world;
  const ends: Record<Way, { readonly from: End; readonly to: End; readonly word: string }> = {
    'to IRC': { from: room, to: channel, word: 'irc' },
    'to room': { from: channel, to: room, word: 'room' },
  };
  const mark = `bench-${round}x${into['to IRC'].p50.length}${relay.name.slice(0, 3)}`;
  const workers = [
    ['relay', () => cpuMs(world.child.pid)],
    ['ejabberd', () => cpuMs(stack.ejabberd.pid())],
    ['MariaDB', () => cpuMs(stack.mariadb.pid())],
    ['InspIRCd', () => cpuMs(stack.irc1.pid())],
    ['observers', () => cpuMs(process.pid)],
  ] as const;
  try {
    const sent: Record<Way, number[]> = { 'to IRC': [], 'to room': [] };
    for (let line = 0; line < STEADY_LINES; line += 1) {
      for (const way of WAYS) {
        sent[way].push(performance.now());
        ends[way].from.say(`${mark}s-${line}-${ends[way].word}!`);
      }
      await new Promise((done) => setTimeout(done, STEADY_MS));
    }
    for (const way of WAYS) {
      const arrivals = () => ends[way].to.arrived.get(`${mark}s`) ?? [];
      await until(
        () => arrivals().length >= STEADY_LINES,
        () => `${relay.name}: only ${arrivals().length} lines arrived ${way}`,
      );
      const latency = arrivals().map(({ number, at }) => at - (sent[way][number] ?? 0));
      into[way].p50.push(percentile(latency, 50));
      into[way].p99.push(percentile(latency, 99));
    }
    for (const way of WAYS) {
      const { from, to, word } = ends[way];
      const cpu = workers.map(([, used]) => used());
      const { arrivals, rate } = await burst(from, to, mark, word);
      workers.forEach(([name, used], index) => {
        const list = into[way].cpu.get(name) ?? [];
        into[way].cpu.set(name, list);
        list.push(((used() - (cpu[index] ?? 0)) * 1000) / BURST_LINES);
      });
      into[way].rate.push(rate);
      into[way].lost += BURST_LINES - arrivals.length;
      into[way].disorder += arrivals.filter(({ number }, at) => number < (arrivals[at - 1]?.number ?? 0)).length;
    }
  } finally {
    await finish(world);
  }
}

/** Says a burst on one side and waits until all of it has arrived on the other, or nothing has for ten seconds. */
async function burst(
  from: End,
  to: End,
  mark: string,
  word: string,
): Promise<{ arrivals: readonly Arrival[]; rate: number }> {
  const started = performance.now();
  for (let line = 0; line < BURST_LINES; line += 1) from.say(`${mark}b-${line}-${word}!`);
  for (let last = { count: 0, at: started }; ; ) {
    const arrivals = to.arrived.get(`${mark}b`) ?? [];
    if (arrivals.length > last.count) last = { count: arrivals.length, at: performance.now() };
    if (arrivals.length >= BURST_LINES || performance.now() - last.at > 10_000)
      return { arrivals, rate: (arrivals.length * 1000) / ((arrivals.at(-1)?.at ?? Number.NaN) - started) };
    from.nudge();
    await new Promise((done) => setTimeout(done, 10));
  }
}

/** How many lines per second the room itself takes, archive included: no relay can be faster to the room than this. */
async function roomAlone(stack: Stack, round: number): Promise<number> {
  const [speaker, listener] = [await inRoom(stack, 'ircbridge', 'irc'), await inRoom(stack)];
  try {
    return (await burst(speaker, listener, `bench-alone${round}`, 'room')).rate;
  } finally {
    speaker.leave();
    listener.leave();
  }
}
