import { execFile, execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { createConnection } from 'mysql2/promise';
import { statements } from '../src/core/phpbb/statements.ts';
import { startStack } from '../src/edges/stack/stack.ts';
import { forumSchema } from '../test/helpers/forum-schema.ts';
import { median, printTable } from './lib/table.ts';

const MEMBERS = 100_000;
const BANS = 1030;
const WARMUP = 10_000;
const TIMED = 15_000;

const PARTS = ['floor', 'auth', 'isuser3', 'isuser2', 'first'] as const;
type Part = (typeof PARTS)[number];

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
 * Arguments: `--rounds N`, `--starts N` (for the first answer), `--only PART,…`.
 */
export async function run(argv: readonly string[]): Promise<void> {
  const { rounds, starts, parts } = options(argv);
  const stack = await startStack({ parts: ['mariadb'] });
  try {
    const { floor, driver } = build(stack.directory);
    for (const board of ['phpbb3', 'phpbb2'] as const)
      if (board === 'phpbb3' || parts.has('isuser2')) await fill(stack.databaseSocket, board);
    const saxctl = async (board: string): Promise<string[]> => {
      const path = join(stack.directory, `${board}.toml`);
      await writeFile(path, configuration(stack.databaseSocket, board), { mode: 0o600 });
      return [process.execPath, 'bin/saxctl.js', '-q', '-c', path, 'auth'];
    };
    const { logins, users, one } = await questions(stack.directory);
    const statement = statements('phpbb3', 'phpbb_', false).session;
    /** Programs that are asked the same take turns: what else the machine does slows all of them. */
    const ask = async (file: string, warmup: number, programs: readonly (readonly string[])[]): Promise<Figures[]> => {
      const argv = programs.flatMap((program, index) => (index === 0 ? program : ['--', ...program]));
      const { stdout } = await run1(driver, [file, String(warmup), ...argv]);
      return stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Figures);
    };
    const floorArgv = [floor, stack.databaseSocket, 'bench_phpbb3', statement];
    const three = await saxctl('phpbb3');
    const groups: readonly (readonly [file: string, programs: readonly (readonly [Part, readonly string[]])[]])[] = [
      [
        logins,
        [
          ['floor', floorArgv],
          ['auth', three],
        ],
      ],
      [
        users,
        [
          ['isuser3', three],
          ['isuser2', await saxctl('phpbb2')],
        ],
      ],
    ];
    const rows = new Map<Part, Figures[]>();
    for (let round = 0; round < rounds; round++)
      for (const [file, programs] of groups) {
        const wanted = programs.filter(([part]) => parts.has(part));
        if (wanted.length === 0) continue;
        const figures = await ask(
          file,
          WARMUP,
          wanted.map(([, program]) => program),
        );
        for (const [index, [part]] of wanted.entries())
          rows.set(part, [...(rows.get(part) ?? []), ...figures.slice(index, index + 1)]);
      }
    const bare: number[] = [];
    const first: number[] = [];
    for (let start = 0; parts.has('first') && start < starts; start++) {
      const at = performance.now();
      await run1(process.execPath, ['-e', '0']);
      bare.push(performance.now() - at);
      const [figures] = await ask(one, 0, [three]);
      first.push(figures?.firstMs ?? Number.NaN);
    }
    report(rows, rounds, bare, first);
  } finally {
    await stack.stop();
  }
}

function options(argv: readonly string[]): { rounds: number; starts: number; parts: ReadonlySet<Part> } {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      rounds: { type: 'string', default: '5' },
      starts: { type: 'string', default: '15' },
      only: { type: 'string', default: PARTS.join() },
    },
  });
  const parts = values.only.split(',');
  const unknown = parts.find((part) => !(PARTS as readonly string[]).includes(part));
  if (unknown !== undefined) throw new Error(`--only ${unknown}: must be of ${PARTS.join()}`);
  return { rounds: Number(values.rounds), starts: Number(values.starts), parts: new Set(parts as Part[]) };
}

export const configuration = (socket: string, board: string): string =>
  `[database]\nsocket = "${socket}"\nuser = "root"\nname = "bench_${board}"\n[xmpp]\ndomain = "chat.test"\n`;

/** Files of packets, of members from all over the table, none of the banned. */
export async function questions(directory: string): Promise<{ logins: string; users: string; one: string }> {
  const write = async (file: string, count: number, text: (id: number) => string): Promise<string> => {
    const path = join(directory, file);
    const packets = Array.from({ length: count }, (_, index) => {
      const body = Buffer.from(text(2 + BANS + ((index * 7919) % (MEMBERS - BANS))));
      return Buffer.concat([Buffer.of(body.length >> 8, body.length & 255), body]);
    });
    await writeFile(path, Buffer.concat(packets));
    return path;
  };
  const login = (id: number): string => `auth:${name(id).toLowerCase()}:chat.test:${sid(id)}`;
  return {
    logins: await write('auth.requests', WARMUP + TIMED, login),
    users: await write('isuser.requests', WARMUP + TIMED, (id) => `isuser:${name(id).toLowerCase()}:chat.test`),
    // High ids: what lies below them must be told from their names at the first answer.
    one: await write('one.requests', 4, (id) => login(id + 50_000)),
  };
}

function report(
  rows: ReadonlyMap<Part, readonly Figures[]>,
  rounds: number,
  bare: readonly number[],
  first: readonly number[],
): void {
  const of = (row: Part, figure: keyof Figures): number => median((rows.get(row) ?? []).map((one) => one[figure]));
  const titles: [Part, string][] = [
    ['floor', 'C floor, auth'],
    ['auth', 'saxctl auth'],
    ['isuser3', 'saxctl isuser, phpBB 3'],
    ['isuser2', 'saxctl isuser, phpBB 2 (no index)'],
  ];
  printTable(`saxctl auth, ${MEMBERS} members, ${TIMED} questions after ${WARMUP}, medians of ${rounds} rounds`, [
    ['', '1/s', 'p50 us', 'p99 us', 'CPU us', 'wrong', 'RSS MiB'],
    ...titles
      .filter(([part]) => rows.has(part))
      .map(([part, title]) => [
        title,
        ...(['perSecond', 'p50', 'p99', 'cpu', 'wrong'] as const).map((figure) => of(part, figure)),
        of(part, 'rssKb') / 1024,
      ]),
  ]);
  printTable('against the aims', [
    ['', 'measured', 'aim'],
    ['auth 1/s ÷ floor', of('auth', 'perSecond') / of('floor', 'perSecond'), '>= 0.75'],
    ['auth p99 ÷ own p50', of('auth', 'p99') / of('auth', 'p50'), '<= 6'],
    ['RSS MiB', of('auth', 'rssKb') / 1024, '<= 70'],
    ['first answer ms', median(first), ''],
    ['node -e 0 ms', median(bare), ''],
    ['first answer ÷ node -e 0', median(first) / median(bare), '<= 4'],
    ['isuser phpBB 2 ÷ phpBB 3, p50', of('isuser2', 'p50') / of('isuser3', 'p50'), '~ 1'],
  ]);
}

export function build(directory: string): { floor: string; driver: string } {
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

export async function fill(socket: string, board: 'phpbb3' | 'phpbb2'): Promise<void> {
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
