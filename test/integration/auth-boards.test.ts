import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Connection, createConnection } from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decide } from '../../src/app/auth.ts';
import { checkToken, signToken } from '../../src/app/auth-token.ts';
import { type OpenAuthority, openAuthority } from '../../src/app/authority.ts';
import { systemClock } from '../../src/clock.ts';
import { ForumError } from '../../src/core/phpbb/failure.ts';
import type { DatabaseConfig } from '../../src/edges/phpbb/board.ts';
import { openForum } from '../../src/edges/phpbb/forum.ts';
import { openMembers } from '../../src/edges/phpbb/members.ts';
import type { Stack } from '../../src/edges/stack/types.ts';
import { fakeLog } from '../helpers/fake-log.ts';
import { type BoardKind, forumSchema } from '../helpers/forum-schema.ts';
import { startTestStack } from '../helpers/stack.ts';
import { until } from '../helpers/until.ts';

const DAY = 86_400;
const BOARDS: readonly BoardKind[] = ['phpbb3', 'phpbb4', 'phpbb2'];

let stack: Stack;
let root: Connection;
beforeAll(async () => {
  stack = await startTestStack({ parts: ['mariadb'] });
  root = await createConnection({ socketPath: stack.databaseSocket, user: 'root', charset: 'utf8mb4' });
  for (const board of BOARDS) {
    await root.query(`CREATE DATABASE board_${board}`);
    await root.query(`USE board_${board}`);
    for (const statement of forumSchema(board, 'my_')) await root.query(statement);
  }
});
afterAll(async () => {
  await root.end();
  await stack.stop();
});

const config = (board: string, more: Partial<DatabaseConfig> = {}): DatabaseConfig => ({
  host: '127.0.0.1',
  port: 1,
  socket: stack.databaseSocket,
  user: 'root',
  password: undefined,
  name: `board_${board}`,
  table_prefix: 'my_',
  board: undefined,
  charset: 'utf8mb4',
  ...more,
});

let next = 100;
/** A member with a session; returns how to log in as him. */
async function add(
  board: BoardKind,
  name: string | Buffer,
  more: { state?: number; age?: number; flag?: number; email?: string; ip?: string } = {},
): Promise<{ id: number; sid: string }> {
  const id = next++;
  const sid = id.toString(16).padStart(32, '0');
  const two = board === 'phpbb2';
  await root.query(`USE board_${board}`);
  await root.query(
    two
      ? 'INSERT INTO my_users (user_id, user_active, username, user_email) VALUES (?, ?, ?, ?)'
      : 'INSERT INTO my_users (user_id, user_type, username, user_email, username_clean) VALUES (?, ?, ?, ?, ?)',
    [id, more.state ?? (two ? 1 : 0), name, more.email ?? `${id}@example.org`, ...(two ? [] : [`clean ${id}`])],
  );
  await root.query(
    `INSERT INTO my_sessions (session_id, session_user_id, session_time, session_ip, ${two ? 'session_logged_in' : 'session_autologin'}) VALUES (?, ?, ?, ?, ?)`,
    [
      sid,
      id,
      Math.floor(Date.now() / 1000) - (more.age ?? 0),
      more.ip ?? (two ? '7f000001' : '127.0.0.1'),
      more.flag ?? (two ? 1 : 0),
    ],
  );
  return { id, sid };
}

async function ban(board: BoardKind, { id = 0, email = '', ip = '', end = 0, exclude = 0 }): Promise<void> {
  await root.query(`USE board_${board}`);
  if (board === 'phpbb2')
    await root.query('INSERT INTO my_banlist (ban_userid, ban_email, ban_ip) VALUES (?, ?, ?)', [id, email, ip]);
  else if (board === 'phpbb4')
    await root.query('INSERT INTO my_bans (ban_mode, ban_userid, ban_item, ban_end) VALUES (?, ?, ?, ?)', [
      id > 0 ? 'user' : email ? 'email' : 'ip',
      id,
      email || ip,
      end,
    ]);
  else
    await root.query(
      'INSERT INTO my_banlist (ban_userid, ban_email, ban_ip, ban_end, ban_exclude) VALUES (?, ?, ?, ?, ?)',
      [id, email, ip, end, exclude],
    );
}

function judge(
  board: BoardKind,
  more: Partial<DatabaseConfig> = {},
): OpenAuthority & {
  ask(user: string, sid: string): Promise<string>;
  exists(user: string): Promise<string>;
} {
  const authority = openAuthority({
    domain: undefined,
    sidPattern: /^[0-9a-fA-F]{32}$/,
    tokenKeys: ['key'],
    bots: [],
    forum: openForum(config(board, more)),
    clock: systemClock,
    log: fakeLog(),
    seed: 1,
  });
  const word = (verdict: Awaited<ReturnType<typeof decide>>): string => (verdict.allowed ? 'yes' : verdict.reason);
  return {
    ...authority,
    ask: async (user, sid) =>
      word(await decide(authority, { op: 'auth', user, server: 'x', secret: Buffer.from(sid) }, 20_000)),
    exists: async (user) => word(await decide(authority, { op: 'isuser', user, server: 'x' }, 20_000)),
  };
}

describe.each(BOARDS)('%s, found out by asking', (board) => {
  const two = board === 'phpbb2';
  const now = Math.floor(Date.now() / 1000);

  it('has its own rules', async () => {
    const cases: [string, string, { sid: string }][] = [];
    const expectOf = async (wanted: string, name: string, more: Parameters<typeof add>[2] = {}) => {
      const made = await add(board, name, more);
      cases.push([name.toLowerCase(), wanted, made]);
      return made;
    };
    await expectOf('yes', 'Plain');
    await expectOf('yes', 'Fresh', { age: 3500 });
    await expectOf('expired', 'Stale', { age: 3700 });
    await expectOf('inactive', 'Sleeping', { state: two ? 0 : 1 });
    if (two) await expectOf('not-logged-in', 'LoggedOut', { flag: 0 });
    else {
      await expectOf('guest', 'Crawler', { state: 2 });
      await expectOf('yes', 'Remembered', { age: 300 * DAY, flag: 1 });
      await ban(board, { id: (await expectOf('yes', 'Founder', { state: 3 })).id });
      await ban(board, { id: (await expectOf('yes', 'BanOver')).id, end: now - 10 });
      await ban(board, { id: (await expectOf('banned', 'BanRuns')).id, end: now + 1000 });
    }
    if (board === 'phpbb3') {
      const { id } = await expectOf('yes', 'Excluded');
      await ban(board, { id });
      await ban(board, { id, exclude: 1 });
    }
    const twice = await expectOf('banned', 'BannedTwice');
    await ban(board, { id: twice.id });
    await ban(board, { id: twice.id });
    await expectOf('banned', 'ByMail', { email: 'x@spam.example' });
    await ban(board, { email: '*@spam.example' });
    await expectOf('banned', 'ByAddress', { ip: two ? '0a000001' : '10.0.0.1' });
    await ban(board, { ip: two ? '0a00ffff' : '10.0.*' });

    const { ask, exists, close } = judge(board);
    for (const [user, wanted, { sid }] of cases) expect([user, await ask(user, sid)]).toEqual([user, wanted]);
    // The very same id, in the very same case: collations would take others.
    const letters = await add(board, 'Letters');
    await root.query(
      `UPDATE my_sessions SET session_id = 'abcdefabcdefabcdefabcdefabcdefab' WHERE session_user_id = ${letters.id}`,
    );
    expect(await ask('letters', 'abcdefabcdefabcdefabcdefabcdefab')).toBe('yes');
    expect(await ask('letters', 'ABCDEFABCDEFABCDEFABCDEFABCDEFAB')).toBe('no-session');
    for (const [user, wanted] of cases)
      expect([user, await exists(user)]).toEqual([
        user,
        ['yes', 'banned', 'expired', 'not-logged-in'].includes(wanted) ? 'yes' : 'no-member',
      ]);
    close();
  });

  it('gives names as people read them, and one localpart to the lowest id', async () => {
    const names: readonly (readonly [stored: string, localpart: string])[] = [
      ['Tom &amp; Jerry', 'tom\\20\\26\\20jerry'],
      ['&lt;b&gt;', '\\3cb\\3e'],
      ['Jürgen', 'jürgen'],
      ['50%_off', '50%_off'],
      ...(two
        ? []
        : ([
            ['Жук', 'жук'],
            ['ﬁsh', 'fish'],
            ['x'.repeat(255), 'x'.repeat(255)],
          ] as const)),
    ];
    const made = [];
    for (const [stored] of names) made.push(await add(board, stored));
    const first = await add(board, 'a1a');
    const second = await add(board, 'a¹a');
    const { ask, exists, close } = judge(board);
    for (const [index, [, localpart]] of names.entries()) {
      expect([localpart, await ask(localpart, made[index]?.sid ?? '')]).toEqual([localpart, 'yes']);
      expect([localpart, await exists(localpart)]).toEqual([localpart, 'yes']);
    }
    expect([await ask('a1a', second.sid), await ask('a1a', first.sid)]).toEqual(['collision', 'yes']);
    await root.query(`DELETE FROM my_users WHERE user_id = ${first.id}`);
    expect(await ask('a1a', second.sid)).toBe('yes');
    close();
  });

  it('has members for the other commands: in pages, by name, with their standing', async () => {
    const active = await add(board, 'Paged');
    const banned = await add(board, 'PagedAndBanned');
    const expired = await add(board, 'PagedAndOld', { age: 9999 });
    await ban(board, { id: banned.id });
    const members = openMembers(config(board));
    const seen = new Map<number, boolean>();
    let last = 0;
    for await (const page of members.pages({ pageSize: 3 }))
      for (const member of page) {
        expect(member.id).toBeGreaterThan(last);
        last = member.id;
        seen.set(member.id, member.banned);
      }
    expect([seen.get(active.id), seen.get(banned.id)]).toEqual([false, true]);
    expect(await members.named('Paged')).toEqual({ id: active.id, username: 'Paged', active: true, banned: false });
    expect((await members.named('paged'))?.id).toBe(active.id);
    expect((await members.named('Tom & Jerry'))?.username).toBe('Tom &amp; Jerry');
    for (const nobody of ['Nobody', '', '日本語', '🙂', "x' OR '1'='1"])
      expect(await members.named(nobody)).toBeUndefined();
    const standing = await members.standing([active.id, banned.id, expired.id, 999_999]);
    expect([...standing.values()].map(({ id, banned: b, loggedIn }) => [id, b, loggedIn])).toEqual([
      [active.id, false, true],
      [banned.id, true, false],
      [expired.id, false, false],
    ]);
    await members.close();
  });
});

it('an old phpBB 2 in latin1 is read as what its bytes are', async () => {
  await root.query('USE board_phpbb2');
  const western = await add('phpbb2', 'Ärger€');
  const { id, sid } = await add('phpbb2', 'x');
  // UTF-8 in a latin1 column, as a page in UTF-8 wrote it.
  await root.query('UPDATE my_users SET username = CAST(? AS BINARY) WHERE user_id = ?', [Buffer.from('Жук'), id]);
  const raw = judge('phpbb2', { charset: 'latin1' });
  expect(await raw.ask('жук', sid)).toBe('yes');
  expect(await raw.ask('ärger€', western.sid)).toBe('yes');
  expect(await raw.exists('жук')).toBe('yes');
  raw.close();
  const converted = judge('phpbb2');
  expect(await converted.ask('ärger€', western.sid)).toBe('yes');
  converted.close();
});

/** An account with rights on single tables, as docs/auth.md has them made. */
async function reader(board: BoardKind): Promise<Partial<DatabaseConfig>> {
  const user = `reader_${board}`;
  await root.query(`CREATE USER IF NOT EXISTS ${user}@localhost IDENTIFIED BY 'pw'`);
  for (const table of ['users', 'sessions', 'config', board === 'phpbb4' ? 'bans' : 'banlist'])
    await root.query(`GRANT SELECT ON board_${board}.my_${table} TO ${user}@localhost`);
  return { user, password: 'pw' };
}
const connectionsOf = async (user: string): Promise<number> => {
  const [rows] = await root.query('SELECT COUNT(*) AS count FROM information_schema.processlist WHERE user = ?', [
    user,
  ]);
  return Number((rows as { count: number }[])[0]?.count);
};

it.each(BOARDS)('%s is found out with rights on its own tables only', async (board) => {
  const name = `Granted${board}`;
  const { sid } = await add(board, name);
  const { ask, close } = judge(board, await reader(board));
  expect(await ask(name.toLowerCase(), sid)).toBe('yes');
  close();
});

it('names are whole whatever character set the server puts connections into', async () => {
  const { sid } = await add('phpbb3', 'Щука');
  const more = await reader('phpbb3');
  await root.query("SET GLOBAL init_connect = 'SET NAMES latin1'");
  try {
    const { ask, exists, close } = judge('phpbb3', more);
    expect([await ask('щука', sid), await ask('????', sid)]).toEqual(['yes', 'other-member']);
    expect(await exists('щука')).toBe('yes');
    close();
  } finally {
    await root.query("SET GLOBAL init_connect = ''");
  }
});

it('a member activated after later ones came is known at once, whatever his name and the columns', async () => {
  for (const board of BOARDS) {
    const name = board === 'phpbb2' ? 'Ärger &amp; Söhne' : 'Ёж &amp; Ко';
    const localpart = board === 'phpbb2' ? 'ärger\\20\\26\\20söhne' : 'ёж\\20\\26\\20ко';
    const { id } = await add(board, name, { state: board === 'phpbb2' ? 0 : 1 });
    await add(board, `Later${board}`);
    const { exists, close } = judge(board);
    expect(await exists(`later${board}`)).toBe('yes');
    expect(await exists(localpart)).toBe('no-member');
    await root.query(
      `UPDATE my_users SET ${board === 'phpbb2' ? 'user_active = 1' : 'user_type = 0'} WHERE user_id = ?`,
      [id],
    );
    expect([board, await exists(localpart)]).toEqual([board, 'yes']);
    // Nobody can be called that in a latin1 column; the connection stays all the same.
    for (const stranger of ['日本語', '🙂', '%', '_', 'a\\27b']) expect(await exists(stranger)).toBe('no-member');
    close();
  }
});

it('closed in the middle of a question it leaves no connection behind; with some grace the question is answered', async () => {
  const { sid } = await add('phpbb3', 'Reloaded');
  const more = await reader('phpbb3');
  for (const grace of [0, 500]) {
    const { ask, close } = judge('phpbb3', more);
    expect(await ask('reloaded', sid)).toBe('yes');
    const inHand = ask('reloaded', sid);
    close(grace);
    expect(await inHand).toBe(grace === 0 ? 'unavailable' : 'yes');
    await until(async () => (await connectionsOf('reader_phpbb3')) === 0);
  }
});

it('a secret that no packet holds is no session id, and delays nobody', async () => {
  const { sid } = await add('phpbb3', 'Patient');
  const authority = openAuthority({
    domain: undefined,
    sidPattern: /^[0-9a-f]+$/,
    tokenKeys: [],
    bots: [],
    forum: openForum(config('phpbb3')),
    clock: systemClock,
    log: fakeLog(),
    seed: 1,
  });
  const login = (secret: string): Promise<unknown> =>
    decide(authority, { op: 'auth', user: 'patient', server: 'x', secret: Buffer.from(secret) }, 600_000);
  expect(await login(sid)).toMatchObject({ allowed: true });
  expect(await login('a'.repeat(251))).toMatchObject({ reason: 'bad-sid' });
  expect(await login('a'.repeat(250))).toMatchObject({ reason: 'no-session' });
  expect(await login(sid)).toMatchObject({ allowed: true });
  authority.close();
});

it('what is wrong is said in its own words', async () => {
  const ask = (more: Partial<DatabaseConfig>): Promise<unknown> => {
    const forum = openForum(config('phpbb3', more));
    return forum.account(1, 3000).finally(() => forum.close());
  };
  await expect(ask({ table_prefix: 'other_' })).rejects.toMatchObject({ kind: 'schema', exit: 78 });
  await expect(ask({ name: 'nowhere' })).rejects.toMatchObject({ kind: 'refused', exit: 77 });
  await expect(ask({ user: 'nobody', password: 'x' })).rejects.toMatchObject({ kind: 'refused' });
  await expect(ask({ socket: '/nonexistent' })).rejects.toMatchObject({ kind: 'down', exit: 69 });
  await expect(ask({ socket: undefined, port: 1 })).rejects.toBeInstanceOf(ForumError);
});

it('a question that takes too long is given up, and its answer reaches nobody', async () => {
  const forum = openForum(config('phpbb3'));
  expect(await forum.account(1, 3000)).toMatchObject({ id: 1 });
  await root.query('USE board_phpbb3');
  await root.query('LOCK TABLES my_users WRITE, my_banlist WRITE');
  const at = performance.now();
  await expect(forum.account(1, 300)).rejects.toMatchObject({ kind: 'down' });
  expect(performance.now() - at).toBeLessThan(3000);
  await root.query('UNLOCK TABLES');
  expect(await forum.account(1, 3000)).toMatchObject({ id: 1, username: 'Anonymous' });
  forum.close();
});

it('tokens of PHP are ours, and the other way round', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'saxctl-token-'));
  const php = async (code: string): Promise<string> => {
    const file = join(directory, 'run.php');
    await writeFile(file, `<?php require ${JSON.stringify(join(process.cwd(), 'php/saxtoken.php'))};\n${code}`);
    return (await promisify(execFile)('php', ['-n', '-d', 'error_reporting=-1', '-d', 'display_errors=1', file]))
      .stdout;
  };
  const now = Math.floor(Date.now() / 1000);
  try {
    for (const name of ['Tari', 'Tom &amp; Jerry', 'Jürgen Müßig', '春夏', 'a/b"c\\d', '🙂']) {
      const token = await php(`echo saxToken(${JSON.stringify(name).replaceAll('$', '\\$')}, 'the key', 600);`);
      expect(checkToken(['the key'], token, now)).toMatchObject({ ok: true, username: name });
      expect(checkToken(['another'], token, now)).toMatchObject({ ok: false });
    }
    expect(checkToken(['k'], await php(`echo saxToken("J\\xfcrgen", 'k');`), now)).toMatchObject({
      username: 'Jürgen',
    });
    expect(
      await php(`var_dump(saxToken('', 'k'), saxToken('x', ''), saxToken('x', 'k', 0), saxToken(null, 'k'));`),
    ).toBe('bool(false)\n'.repeat(4));
    // PHP judges ours by the words of the contract.
    const ours = signToken('the key', 'Tari', now + 60);
    const verdict = await php(
      `[$v, $body, $mac] = explode('.', ${JSON.stringify(ours)});
       echo json_encode([$v, json_decode(base64_decode(strtr($body, '-_', '+/')), true),
         hash_equals(rtrim(strtr(base64_encode(hash_hmac('sha256', "$v.$body", 'the key', true)), '+/', '-_'), '='), $mac)]);`,
    );
    expect(JSON.parse(verdict)).toEqual(['sax1', { u: 'Tari', e: now + 60 }, true]);
  } finally {
    await rm(directory, { recursive: true });
  }
});
