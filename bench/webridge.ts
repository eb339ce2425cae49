import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { ChatSession, Room, RoomLine } from '../src/app/ports/chat.ts';
import type { Log } from '../src/app/ports/log.ts';
import { sendDatagram } from '../src/edges/dgram/send.ts';
import { startStack } from '../src/edges/stack/stack.ts';
import type { Stack } from '../src/edges/stack/types.ts';
import { connectXmpp } from '../src/edges/xmpp/connection.ts';
import { median, percentile, printTable } from './lib/table.ts';

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

type Speaker = (text: string) => void;

/** Latency of single announcements, milliseconds, from the call to the reflection that the other occupant gets. */
async function oneByOne(say: Speaker, ear: Ear, prefix: string): Promise<number[]> {
  const times: number[] = [];
  for (let n = 0; n < ONE_BY_ONE; n += 1) {
    const heard = ear.heard(`${prefix}${n}`);
    const started = performance.now();
    say(`${prefix}${n}`);
    times.push((await heard) - started);
  }
  return times;
}

/** Announcements a second when there are always more. */
async function flatOut(say: Speaker, ear: Ear, prefix: string): Promise<number> {
  const last = ear.heard(`${prefix}${FLAT_OUT - 1}`);
  const started = performance.now();
  for (let n = 0; n < FLAT_OUT; n += 1) {
    say(`${prefix}${n}`);
    if (n % 50 === 49) await new Promise((done) => setImmediate(done));
  }
  return (FLAT_OUT * 1000) / ((await last) - started);
}

/** Sends to the webridge; a full queue is tried again at once, as a quick sender would. */
function datagrams(path: string): Speaker {
  return (text) => {
    const bytes = new TextEncoder().encode(text);
    for (;;)
      try {
        sendDatagram(path, bytes);
        return;
      } catch (error) {
        if ((error as { code?: string }).code !== 'EAGAIN') throw error;
      }
  };
}

async function startWebridge(stack: Stack): Promise<{ pid: number; stop(): Promise<void> }> {
  const child = spawn(process.execPath, [resolve('bin/saxctl.js'), '-c', stack.config, 'webridge'], {
    env: { PATH: process.env['PATH'] ?? '', ...stack.env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log = (log + text).slice(-4000);
  });
  while (!log.includes('"event":"ready"')) {
    if (child.exitCode !== null) throw new Error(`the webridge ended: ${log}`);
    await new Promise((done) => setTimeout(done, 20));
  }
  return {
    pid: child.pid ?? 0,
    async stop() {
      child.kill('SIGTERM');
      await once(child, 'exit');
    },
  };
}

/**
 * Latency and rate of the webridge beside a bare loop of the same XMPP library in the same rounds (no socket, no journal, no
 * confirmation: what the server alone allows). `rss`: memory after many announcements instead.
 */
export async function run(argv: readonly string[] = []): Promise<void> {
  const stack = await startStack({ program: resolve('bin/saxctl.js'), parts: ['mariadb', 'ejabberd'] });
  try {
    const webridge = await startWebridge(stack);
    const ear = await enter(stack, stack.bots.guard);
    const say = datagrams(stack.saySocket);
    if (argv[0] === 'rss') await memory(stack, say, ear, webridge.pid, Number(argv[1] ?? 1_000_000));
    else await compare(stack, say, ear);
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
  for (let round = 0; round <= ROUNDS; round += 1) {
    const now = {
      bare: await oneByOne(bare, ear, `b${round}-`),
      saxctl: await oneByOne(say, ear, `s${round}-`),
    };
    const per = { bare: await flatOut(bare, ear, `B${round}-`), saxctl: await flatOut(say, ear, `S${round}-`) };
    // The first round warms the server.
    if (round === 0) continue;
    for (const who of ['bare', 'saxctl'] as const) {
      single[who].push(...now[who]);
      rate[who].push(per[who]);
    }
  }
  await mouth.session.close();
  const accepted = await burst(say, ear);
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
  ]);
}

/** How quickly the socket is read when a sender does nothing else. */
async function burst(say: Speaker, ear: Ear): Promise<number> {
  const count = Math.min(5000, FLAT_OUT);
  const last = ear.heard(`burst-${count - 1}`);
  const started = performance.now();
  for (let n = 0; n < count; n += 1) say(`burst-${n}`);
  const seconds = (performance.now() - started) / 1000;
  await last;
  return count / seconds;
}

async function memory(stack: Stack, say: Speaker, ear: Ear, pid: number, total: number): Promise<void> {
  // The archive is what is slow here; without it a million takes minutes.
  await stack.api('change_room_option', { name: 'sax', service: stack.mucService, option: 'mam', value: 'false' });
  const rss = (): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
  const rows: (string | number)[][] = [['announcements', 'RSS, MiB', 'per second']];
  const started = performance.now();
  for (let n = 0; n < total; ) {
    const until = Math.min(total, n + 1000);
    const heard = ear.heard(`rss-${until - 1}`);
    for (; n < until; n += 1) say(`rss-${n}`);
    await heard;
    if (n === 10_000 || n === total || n % 100_000 === 0)
      rows.push([n.toLocaleString('en'), rss(), (n * 1000) / (performance.now() - started)]);
  }
  printTable('Memory of the webridge', rows);
}
