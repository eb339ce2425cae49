import { resolve } from 'node:path';
import type { ChatSession, Room, RoomLine } from '../src/app/ports/chat.ts';
import type { Log } from '../src/app/ports/log.ts';
import { sendDatagram } from '../src/edges/dgram/send.ts';
import { startStack } from '../src/edges/stack/stack.ts';
import type { Stack } from '../src/edges/stack/types.ts';
import { connectXmpp } from '../src/edges/xmpp/connection.ts';
import { durableWrites } from './lib/durable-write.ts';
import { median, percentile, printTable } from './lib/table.ts';
import { memory } from './lib/webridge-memory.ts';
import { php } from './lib/webridge-php.ts';
import { startWebridge } from './lib/webridge-process.ts';

const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 5);
const ONE_BY_ONE = Number(process.env['BENCH_SINGLE'] ?? 400);
const FLAT_OUT = Number(process.env['BENCH_FLAT'] ?? 3000);

const silent: Log = { error() {}, warn() {}, info() {}, debug() {}, child: () => silent };

type Ear = { session: ChatSession; room: Room; heard(text: string): Promise<number> };

/** An occupant that says when he heard a text (milliseconds, monotonic). Members are slowed down by the server's shaper, bots are not. */
async function enter(stack: Stack, account: { jid: string; password: string; nick: string }): Promise<Ear> {
  const waiting = new Map<string, (at: number) => void>();
  const session = await connectXmpp({
    service: `xmpp://127.0.0.1:${stack.ejabberd.directPort}`,
    jid: account.jid,
    password: account.password,
    resource: 'bench',
    log: silent,
  });
  const line = ({ body }: RoomLine): void => {
    waiting.get(body)?.(performance.now());
    waiting.delete(body);
  };
  const room = await session.enter(stack.room, account.nick, { line, left: () => undefined });
  return { session, room, heard: (text) => new Promise((done) => waiting.set(text, done)) };
}

type Speaker = (text: string) => void | Promise<void>;

/** Latency of single announcements, milliseconds, from the call to the reflection that the other occupant gets. */
async function oneByOne(say: Speaker, ear: Ear, prefix: string): Promise<number[]> {
  const times: number[] = [];
  for (let n = 0; n < ONE_BY_ONE; n += 1) {
    const heard = ear.heard(`${prefix}${n}`);
    const started = performance.now();
    await say(`${prefix}${n}`);
    times.push((await heard) - started);
  }
  return times;
}

/** Announcements a second when there are always more. */
async function flatOut(say: Speaker, ear: Ear, prefix: string): Promise<number> {
  const last = ear.heard(`${prefix}${FLAT_OUT - 1}`);
  const started = performance.now();
  for (let n = 0; n < FLAT_OUT; n += 1) {
    await say(`${prefix}${n}`);
    if (n % 50 === 49) await new Promise((done) => setImmediate(done));
  }
  return (FLAT_OUT * 1000) / ((await last) - started);
}

/** Sends to the webridge; a full queue is tried again a millisecond later (a sender that spins would take the server's processor time). */
function datagrams(path: string): Speaker {
  return async (text) => {
    while (!offer(path, text)) await new Promise((done) => setTimeout(done, 1));
  };
}

/** False when the queue is full. */
function offer(path: string, text: string): boolean {
  try {
    sendDatagram(path, new TextEncoder().encode(text));
    return true;
  } catch (error) {
    if ((error as { code?: string }).code !== 'EAGAIN') throw error;
    return false;
  }
}

/**
 * Latency and rate of the webridge beside a bare loop of the same XMPP library in the same rounds (no socket, no journal, no
 * confirmation: what the server alone allows). `--memory [COUNT]`: memory after many announcements (a million)
 * instead; `--php`: what a call costs the page.
 */
export async function run(argv: readonly string[] = []): Promise<void> {
  if (argv[0] === '--memory') return await memory(Number(argv[1] ?? 1_000_000));
  if (argv[0] === '--php') return await php();
  const stack = await startStack({ program: resolve('bin/saxctl.js'), parts: ['mariadb', 'ejabberd'] });
  try {
    const webridge = await startWebridge(stack.env, stack.config);
    const ear = await enter(stack, stack.bots.guard);
    const say = datagrams(stack.saySocket);
    await compare(stack, say, ear);
    await webridge.stop();
    await ear.session.close();
  } finally {
    await stack.stop();
  }
}

async function compare(stack: Stack, say: Speaker, ear: Ear): Promise<void> {
  const mouth = await enter(stack, stack.bots.ircbridge);
  let id = 0;
  const bare: Speaker = (text) => {
    id += 1;
    mouth.room.say({ id: `bare-${id}`, body: text });
  };
  const single = { bare: [] as number[], saxctl: [] as number[] };
  const rate = { bare: [] as number[], saxctl: [] as number[] };
  const writes: number[] = [];
  for (let round = 0; round <= ROUNDS; round += 1) {
    const now = {
      bare: await oneByOne(bare, ear, `b${round}-`),
      saxctl: await oneByOne(say, ear, `s${round}-`),
    };
    const per = { bare: await flatOut(bare, ear, `B${round}-`), saxctl: await flatOut(say, ear, `S${round}-`) };
    const written = await durableWrites(stack.stateDir, { count: ONE_BY_ONE / 4, pauseMs: 1 });
    // The first round warms the server.
    if (round === 0) continue;
    writes.push(...written);
    for (const who of ['bare', 'saxctl'] as const) {
      single[who].push(...now[who]);
      rate[who].push(per[who]);
    }
  }
  await mouth.session.close();
  const accepted = await burst(stack.saySocket, ear);
  const row = (name: string, pick: (who: 'bare' | 'saxctl') => number): (string | number)[] => [
    name,
    pick('bare'),
    pick('saxctl'),
    pick('saxctl') / pick('bare'),
  ];
  printTable(`Announcements, ${ROUNDS} interleaved rounds: bare loop of the library against webridge`, [
    ['', 'bare', 'webridge', 'ratio'],
    row('latency p50, ms', (who) => median(single[who])),
    row('latency p99, ms', (who) => percentile(single[who], 99)),
    row('rate, per second (median)', (who) => median(rate[who])),
    ['datagrams taken per second in a burst', '', accepted, ''],
    ['one durable write p50, ms', median(writes), '', ''],
  ]);
  const allowed = 1.5 * median(single.bare) + median(writes);
  const p50 = median(single.saxctl);
  const part = median(rate.saxctl) / median(rate.bare);
  console.log(
    `  p50 ${p50.toFixed(2)} ms, allowed 1.5 × bare + one durable write = ${allowed.toFixed(2)} ms: ${verdict(p50 <= allowed)}`,
  );
  console.log(`  rate ${part.toFixed(2)} of bare, wanted 0.70: ${verdict(part >= 0.7)}`);
}

function verdict(met: boolean): string {
  return met ? 'met' : 'NOT MET';
}

/** How quickly the socket is read when a sender does nothing else. */
async function burst(path: string, ear: Ear): Promise<number> {
  const count = Math.min(5000, FLAT_OUT);
  const last = ear.heard(`burst-${count - 1}`);
  const started = performance.now();
  for (let n = 0; n < count; ) if (offer(path, `burst-${n}`)) n += 1;
  const seconds = (performance.now() - started) / 1000;
  await last;
  return count / seconds;
}
