import { execFile, execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createConnection } from 'mysql2/promise';
import { statements } from '../src/core/phpbb/statements.ts';
import { startStack } from '../src/edges/stack/stack.ts';
import { forumSchema } from '../test/helpers/forum-schema.ts';
import { median, printTable } from './lib/table.ts';

const MEMBERS = 100_000;
const BANS = 1030;
const WARMUP = 10_000;
const TIMED = 15_000;
const ROUNDS = 5;
const STARTS = 15;

const run1 = promisify(execFile);
const sid = (id: number): string => createHash('md5').update(`sid${id}`).digest('hex');
const name = (id: number): string => `Member${String(id).padStart(6, '0')}`;

type Figures = {
  firstMs: number;
  perSecond: number;
  p50: number;
  p99: number;
  wrong: number;
  rssKb: number;
  cpu: number;
  status: number;
};

/**
 * `saxctl auth` against a C program with libmariadb and the same statement, one question at a time through pipes as ejabberd
 * asks, a hundred thousand members. Needs gcc and libmariadb-dev.
 */
export async function run(): Promise<void> {
  const stack = await startStack({ parts: ['mariadb'] });
  try {
    const { floor, driver } = build(stack.directory);
    for (const board of ['phpbb3', 'phpbb2'] as const) await fill(stack.databaseSocket, board);
    const config = async (board: string): Promise<string> => {
      const path = join(stack.directory, `${board}.toml`);
      const text = `[database]\nsocket = "${stack.databaseSocket}"\nuser = "root"\nname = "bench_${board}"\n[xmpp]\ndomain = "chat.test"\n`;
      await writeFile(path, text, { mode: 0o600 });
      return path;
    };
    const saxctl = async (board: string): Promise<string[]> => [
      process.execPath,
      'bin/saxctl.js',
      '-q',
      '-c',
      await config(board),
      'auth',
    ];
    const requests = async (file: string, count: number, text: (id: number) => string): Promise<string> => {
      const path = join(stack.directory, file);
      // Members from all over the table, none of the banned.
      const packets = Array.from({ length: count }, (_, index) => {
        const body = Buffer.from(text(2 + BANS + ((index * 7919) % (MEMBERS - BANS))));
        return Buffer.concat([Buffer.of(body.length >> 8, body.length & 255), body]);
      });
      await writeFile(path, Buffer.concat(packets));
      return path;
    };
    const logins = await requests(
      'auth.requests',
      WARMUP + TIMED,
      (id) => `auth:${name(id).toLowerCase()}:chat.test:${sid(id)}`,
    );
    const users = await requests(
      'isuser.requests',
      WARMUP + TIMED,
      (id) => `isuser:${name(id).toLowerCase()}:chat.test`,
    );
    const one = await requests(
      'one.requests',
      4,
      (id) => `auth:${name(id + 50_000).toLowerCase()}:chat.test:${sid(id + 50_000)}`,
    );

    const ask = async (file: string, warmup: number, argv: readonly string[]): Promise<Figures> => {
      const { stdout } = await run1(driver, [file, String(warmup), ...argv]);
      return JSON.parse(stdout) as Figures;
    };
    const floorArgv = [floor, stack.databaseSocket, 'bench_phpbb3', statements('phpbb3', 'phpbb_', false).session];
    const rows: Record<string, Figures[]> = { floor: [], auth: [], isuser3: [], isuser2: [] };
    const add = async (row: string, file: string, argv: readonly string[]): Promise<void> => {
      rows[row]?.push(await ask(file, WARMUP, argv));
    };
    for (let round = 0; round < ROUNDS; round++) {
      await add('floor', logins, floorArgv);
      await add('auth', logins, await saxctl('phpbb3'));
      await add('isuser3', users, await saxctl('phpbb3'));
      await add('isuser2', users, await saxctl('phpbb2'));
    }
    const bare: number[] = [];
    const first: number[] = [];
    for (let start = 0; start < STARTS; start++) {
      const at = performance.now();
      await run1(process.execPath, ['-e', '0']);
      bare.push(performance.now() - at);
      first.push((await ask(one, 0, await saxctl('phpbb3'))).firstMs);
    }
    report(rows, bare, first);
  } finally {
    await stack.stop();
  }
}

function report(rows: Record<string, Figures[]>, bare: readonly number[], first: readonly number[]): void {
  const of = (row: string, figure: keyof Figures): number => median((rows[row] ?? []).map((one) => one[figure]));
  const line = (title: string, row: string): (string | number)[] => [
    title,
    ...(['perSecond', 'p50', 'p99', 'cpu', 'wrong'] as const).map((figure) => of(row, figure)),
    of(row, 'rssKb') / 1024,
  ];
  printTable(`saxctl auth, ${MEMBERS} members, ${TIMED} questions after ${WARMUP}, medians of ${ROUNDS} rounds`, [
    ['', '1/s', 'p50 us', 'p99 us', 'CPU us', 'wrong', 'RSS MiB'],
    line('C floor, auth', 'floor'),
    line('saxctl auth', 'auth'),
    line('saxctl isuser, phpBB 3', 'isuser3'),
    line('saxctl isuser, phpBB 2 (no index)', 'isuser2'),
  ]);
  printTable('against the aims', [
    ['', 'measured', 'aim'],
    ['auth 1/s ÷ floor', of('auth', 'perSecond') / of('floor', 'perSecond'), '>= 0.75'],
    ['auth p99 ÷ own p50', of('auth', 'p99') / of('auth', 'p50'), '<= 6'],
    ['RSS MiB', of('auth', 'rssKb') / 1024, '<= 70'],
    ['first answer ÷ node -e 0', median(first) / median(bare), '<= 4'],
    ['isuser phpBB 2 ÷ phpBB 3, p50', of('isuser2', 'p50') / of('isuser3', 'p50'), '~ 1'],
  ]);
}

function build(directory: string): { floor: string; driver: string } {
  const compile = (source: string, ...flags: string[]): string => {
    const target = join(directory, source.replace('.c', ''));
    execFileSync('gcc', ['-O2', '-o', target, join('bench', source), ...flags], { stdio: 'inherit' });
    return target;
  };
  try {
    const flags = execFileSync('mariadb_config', ['--cflags', '--libs']).toString().trim().split(/\s+/);
    return { floor: compile('auth-floor.c', ...flags), driver: compile('auth-driver.c') };
  } catch (cause) {
    throw new Error('the floor cannot be built: apt-get install gcc libmariadb-dev', { cause });
  }
}

async function fill(socket: string, board: 'phpbb3' | 'phpbb2'): Promise<void> {
  const db = await createConnection({ socketPath: socket, user: 'root', charset: 'utf8mb4' });
  await db.query(`CREATE DATABASE bench_${board}`);
  await db.query(`USE bench_${board}`);
  for (const statement of forumSchema(board)) await db.query(statement);
  const [state, flag] = board === 'phpbb3' ? ['user_type', 'session_autologin'] : ['user_active', 'session_logged_in'];
  const now = Math.floor(Date.now() / 1000);
  for (let from = 2; from < MEMBERS + 2; from += 2000) {
    const ids = Array.from({ length: 2000 }, (_, index) => from + index);
    const clean = board === 'phpbb3' ? ', username_clean' : '';
    await db.query(`INSERT INTO phpbb_users (user_id, ${state}, username, user_email${clean}) VALUES ?`, [
      ids.map((id) => [
        id,
        board === 'phpbb3' ? 0 : 1,
        name(id),
        `m${id}@example.org`,
        ...(clean === '' ? [] : [name(id).toLowerCase()]),
      ]),
    ]);
    await db.query(
      `INSERT INTO phpbb_sessions (session_id, session_user_id, session_time, ${flag}, session_ip) VALUES ?`,
      [ids.map((id) => [sid(id), id, now + 86_400, 1, '7f000001'])],
    );
  }
  await db.query('INSERT INTO phpbb_banlist (ban_userid) VALUES ?', [
    Array.from({ length: BANS }, (_, index) => [2 + index]),
  ]);
  await db.end();
}
