import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openCtlRegistry } from '../src/edges/ejabberdctl/registry.ts';
import { startStack } from '../src/edges/stack/stack.ts';
import type { Stack } from '../src/edges/stack/types.ts';
import { median, printTable } from './lib/table.ts';

const SMALL = 10_000;
const ROUNDS = 5;
const CONNECTIONS = 8;

/** The same calls as sync-nicks makes, over the same number of connections, and nothing else. */
const BARE_LOOP = `
const { Agent, request } = require('node:http');
const [url, first, count, connections] = process.argv.slice(1);
const agent = new Agent({ keepAlive: true, maxSockets: Number(connections) });
let next = Number(first);
const end = next + Number(count);
const one = () => new Promise((resolve, reject) => {
  const index = next++;
  const body = JSON.stringify({ nick: 'Floor ' + index, jid: 'floor\\\\20' + index + '@chat.test', service: 'conference.chat.test' });
  const sent = request(url + '/api/muc_register_nick', { agent, method: 'POST', headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) } }, (response) => {
    response.resume();
    response.on('end', () => (response.statusCode === 200 ? resolve() : reject(new Error(String(response.statusCode)))));
  });
  sent.on('error', reject);
  sent.end(body);
});
const worker = async () => { while (next < end) await one(); };
const began = performance.now();
Promise.all(Array.from({ length: Number(connections) }, worker)).then(() => { console.log(performance.now() - began); agent.destroy(); });
`;

/** All members in one statement, every row looked at. */
const BARE_SELECT = `
const mysql = require('mysql2');
const connection = mysql.createConnection({ socketPath: process.argv[1], user: 'root', database: 'forum', rowsAsArray: true, charset: 'utf8mb4' });
connection.query('SELECT user_id, username, user_type FROM phpbb_users WHERE user_type IN (0, 3) ORDER BY user_id', (error, rows) => {
  if (error) throw error;
  let length = 0;
  for (const row of rows) length += row[1].length;
  console.log(length);
  connection.destroy();
});
`;

type Ran = { readonly ms: number; readonly peakMiB: number; readonly stdout: string };

/** Runs a program to its end; its highest resident memory is read from the kernel while it runs. */
function timed(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const began = performance.now();
    const child = spawn(process.execPath, argv, { env, stdio: ['ignore', 'pipe', 'inherit'] });
    let stdout = '';
    let peak = 0;
    const look = (): void => {
      try {
        const found = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'));
        peak = Math.max(peak, Number(found?.[1] ?? 0));
      } catch {
        // Gone already.
      }
    };
    const timer = setInterval(look, 20);
    child.stdout.on('data', (chunk) => {
      stdout += chunk;
    });
    child.once('error', reject);
    child.once('close', (code) => {
      clearInterval(timer);
      if (code === 0) resolve({ ms: performance.now() - began, peakMiB: peak / 1024, stdout });
      else reject(new Error(`${argv.slice(0, 3).join(' ')}: exit ${code}: ${stdout.slice(0, 500)}`));
    });
  });
}

async function insert(stack: Stack, from: number, to: number): Promise<void> {
  for (let at = from; at < to; at += 2000) {
    const values = Array.from({ length: Math.min(2000, to - at) }, (_, index) => {
      const name = index % 10 === 0 ? `Büro ${at + index}` : `Member ${at + index}`;
      return `('${name}', '${name.toLowerCase()}', 0)`;
    });
    await stack.sql(`INSERT INTO phpbb_users (username, username_clean, user_type) VALUES ${values.join(',')}`);
  }
}

/** Nickname registration at size: against a bare loop of the same calls, against a bare SELECT, and in memory. */
export async function run(argv: readonly string[] = []): Promise<void> {
  const large = Number(argv[0] ?? 100_000);
  const stack = await startStack({ parts: ['mariadb', 'ejabberd'], program: join(process.cwd(), 'bin/saxctl.js') });
  try {
    await measure(stack, large);
  } finally {
    await stack.stop();
  }
}

async function measure(stack: Stack, large: number): Promise<void> {
  const env = (state: string): NodeJS.ProcessEnv => ({
    PATH: process.env['PATH'],
    ...stack.env,
    SAXCTL_EJABBERD_VIA: 'http',
    SAXCTL_STATE_DIR: join(stack.directory, state),
  });
  const sync = (state: string, ...more: string[]): Promise<Ran> =>
    timed(['bin/saxctl.js', 'sync-nicks', '--json', ...more], env(state));
  const select = (): Promise<Ran> => timed(['-e', BARE_SELECT, stack.databaseSocket], process.env);
  let floors = 0;
  const share = Math.min(20_000, Math.ceil(large / 5));
  const bare = async (): Promise<number> => {
    const ran = await timed(
      ['-e', BARE_LOOP, stack.httpUrl, String(floors), String(share), String(CONNECTIONS)],
      process.env,
    );
    floors += share;
    return (share * 1000) / Number(ran.stdout);
  };

  await insert(stack, 0, SMALL);
  await sync('warm');
  const small = await sync('small');
  const smallIdle: Ran[] = [];
  for (let round = 0; round < ROUNDS; round++) smallIdle.push(await sync('small'));

  await insert(stack, SMALL, large);
  const rates = [await bare()];
  const full = await sync('large');
  rates.push(await bare());
  const registered = Number((JSON.parse(full.stdout) as { registered: number }).registered);
  const rate = (registered * 1000) / full.ms;
  const idle: Ran[] = [];
  const selects: Ran[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const one = await select();
    const two = await sync('large');
    if (round > 0) {
      selects.push(one);
      idle.push(two);
    }
  }
  const ms = (all: readonly Ran[]): number => median(all.map((one) => one.ms));
  const mib = (all: readonly Ran[]): number => median(all.map(({ peakMiB }) => peakMiB));
  const floor = median(rates);
  printTable(`Registering ${registered} nicknames over HTTP, ${CONNECTIONS} connections, calls/s`, [
    ['', 'calls/s', 'ratio'],
    ['bare loop, before', rates[0] ?? 0, 1],
    ['bare loop, after', rates[1] ?? 0, 1],
    ['saxctl sync-nicks (start to exit)', rate, rate / floor],
  ]);
  printTable(`Nothing to do, ${large} members, ${ROUNDS} interleaved rounds, start to exit, ms`, [
    ['', 'median', 'ratio'],
    ['bare SELECT', ms(selects), 1],
    ['saxctl sync-nicks', ms(idle), ms(idle) / ms(selects)],
  ]);
  printTable('Highest resident memory, MiB', [
    ['', `${SMALL}`, `${large}`, 'ratio'],
    ['registering all', small.peakMiB, full.peakMiB, full.peakMiB / small.peakMiB],
    ['nothing to do', mib(smallIdle), mib(idle), mib(idle) / mib(smallIdle)],
  ]);
  await ctl(stack);
}

/** How many ejabberdctl at once are worth it: each boots an Erlang machine. */
async function ctl(stack: Stack): Promise<void> {
  const calls = 16;
  const rows: (string | number)[][] = [['at once', 'calls/s', 'failed']];
  for (const atOnce of [1, 2, 4, 8, 16]) {
    const registry = openCtlRegistry({ ctl: stack.ctl, domain: stack.domain, mucService: stack.mucService });
    await registry.register('Probe', 'probe');
    let next = 0;
    let failed = 0;
    const began = performance.now();
    const worker = async (): Promise<void> => {
      while (next < calls) {
        const { kind } = await registry.register(`Ctl ${atOnce} ${next}`, `ctl\\20${atOnce}\\20${next++}`);
        if (kind !== 'done') failed += 1;
      }
    };
    await Promise.all(Array.from({ length: atOnce }, worker));
    rows.push([String(atOnce), (calls * 1000) / (performance.now() - began), failed]);
  }
  printTable(`ejabberdctl, ${calls} calls`, rows);
}
