import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { nicknameOf } from '../../src/core/member-name.ts';
import type { Stack } from '../../src/edges/stack/types.ts';
import { PROGRAM, runSaxctl, startSaxctl, startTestStack } from '../helpers/stack.ts';
import { until } from '../helpers/until.ts';

const LONG = process.env['SAXCTL_LONG'] !== undefined;
const KILLS = LONG ? 20 : 3;
const CROWD = LONG ? 4000 : 800;
/** Active members of the sample who are banned. */
const BANNED = 2;
const HTTP = { SAXCTL_EJABBERD_VIA: 'http' };

let stack: Stack;
beforeAll(async () => {
  stack = await startTestStack({ parts: ['mariadb', 'ejabberd'] });
});
afterAll(() => stack?.stop());

type Result = {
  code: number | null;
  stderr: string;
  registered: number;
  unchanged: number;
  renamed: number;
  removed: number;
  conflicts: number;
  failed: number;
  problems: { reason: string; username: string; other: { username: string } | null }[];
  error?: string;
  verified?: number;
};

async function sync(argv: readonly string[] = [], env: Record<string, string> = {}): Promise<Result> {
  const { code, stdout, stderr } = await runSaxctl(stack, ['sync-nicks', '--json', ...argv], {
    env: { ...HTTP, ...env },
  });
  return { code, stderr, ...(JSON.parse(stdout || '{}') as Omit<Result, 'code' | 'stderr'>) };
}

/** Whether a stranger can have the nickname: tried, and given back. */
async function isFree(nick: string): Promise<boolean> {
  const service = stack.mucService;
  try {
    await stack.api('muc_register_nick', { nick, jid: `stranger@${stack.domain}`, service });
  } catch (error) {
    expect(String(error)).toContain('already registered');
    return false;
  }
  await stack.api('muc_unregister_nick', { jid: `stranger@${stack.domain}`, service });
  return true;
}

const active = async (): Promise<string[]> => {
  const rows = await stack.sql(
    'SELECT username FROM phpbb_users WHERE user_type IN (0, 3) AND user_id > 1 ORDER BY user_id',
  );
  return rows.map(({ username }) => String(username));
};

async function addCrowd(): Promise<void> {
  const names = Array.from({ length: CROWD }, (_, index) => `Crowd ${index}`);
  for (let at = 0; at < names.length; at += 500) {
    const some = names.slice(at, at + 500);
    const values = some.map((name) => `('${name}', '${name.toLowerCase()}', 0)`).join(',');
    await stack.sql(`INSERT INTO phpbb_users (username, username_clean, user_type) VALUES ${values}`);
  }
}

describe('sync-nicks on a real ejabberd', () => {
  test('over HTTP: everybody, then nobody, and a canary gets none of the names', async () => {
    const first = await sync(['--verify', '10']);
    expect(first).toMatchObject({ code: 0, conflicts: 0, failed: 0, problems: [], verified: 10 });
    expect(first.registered).toBeGreaterThan(20);
    expect(await sync()).toMatchObject({ code: 0, registered: 0, unchanged: first.registered });
    for (const name of ['Tari', 'Tom & Jerry', 'Пётр', '<b>Bold</b>'])
      expect([name, await isFree(name)]).toEqual([name, false]);
    expect(await isFree('Inactive')).toBe(true);
    expect(await isFree('Banned')).toBe(true);
  });

  test('with ejabberdctl in cron’s locale: a renamed member, found by name', async () => {
    const { id } = stack.member('Пётр');
    await stack.sql("UPDATE phpbb_users SET username='Пётр Žlutý', username_clean='x' WHERE user_id=?", [id]);
    const cron = { SAXCTL_EJABBERD_VIA: 'ctl', LC_ALL: 'C', LANG: 'C' };
    expect(await sync(['--user', 'Пётр Žlutý'], cron)).toMatchObject({ code: 0, renamed: 1, failed: 0 });
    expect(await isFree('Пётр Žlutý')).toBe(false);
    expect(await isFree('Пётр')).toBe(true);
    expect(await sync()).toMatchObject({ code: 0, registered: 0, renamed: 0 });
    // Each call boots an Erlang machine: half a second here, ten where the processor is wanted elsewhere.
  }, 240_000);

  test('squatted and colliding names are conflicts, with both parties', async () => {
    await stack.api('muc_register_nick', { nick: 'Squatted', jid: `evil@${stack.domain}`, service: stack.mucService });
    await stack.sql(
      "INSERT INTO phpbb_users (username, username_clean, user_type) VALUES ('Squatted', 'sq', 0), ('Tarı¹', 't1', 0), ('Tarı1', 't2', 0)",
    );
    const result = await sync();
    expect(result).toMatchObject({ code: 1, registered: 1, conflicts: 2, failed: 0 });
    expect(result.problems.find(({ username }) => username === 'Tarı1')?.other?.username).toBe('Tarı¹');
    expect(result.problems.find(({ username }) => username === 'Squatted')?.reason).toContain('squatted');
    await stack.sql("DELETE FROM phpbb_users WHERE username IN ('Squatted', 'Tarı¹', 'Tarı1')");
    expect(await sync()).toMatchObject({ code: 0, removed: 2 });
  });

  test('what a member took is taken back by --full; an account that is nobody’s stays a conflict', async () => {
    const { mucService: service, domain } = stack;
    await stack.sql("INSERT INTO phpbb_users (username, username_clean, user_type) VALUES ('Wanted', 'wanted', 0)");
    await stack.api('muc_register_nick', { nick: 'Wanted', jid: `alice@${domain}`, service });
    expect(await sync()).toMatchObject({ code: 1, conflicts: 1 });
    expect(await sync(['--full'])).toMatchObject({ code: 0, conflicts: 0 });
    for (const name of ['Wanted', 'alice']) expect([name, await isFree(name)]).toEqual([name, false]);
    await stack.sql("DELETE FROM phpbb_users WHERE username = 'Wanted'");
    expect(await sync()).toMatchObject({ code: 0, removed: 1 });
  });

  test('the state file cut at any byte: what is registered stays the same, and the next run finds nothing to do', async () => {
    const [file = ''] = readdirSync(stack.stateDir).filter((name) => /^nicks\..*\.log$/.test(name));
    const path = join(stack.stateDir, file);
    const whole = readFileSync(path);
    const { length } = await active();
    for (const share of [0, 0.01, 0.3, 0.66, 0.999]) {
      writeFileSync(path, whole.subarray(0, Math.floor(whole.length * share)));
      const { registered, unchanged, renamed, ...rest } = await sync();
      expect(rest).toMatchObject({ code: 0, conflicts: 0, failed: 0 });
      expect(registered + unchanged + renamed).toBe(length - BANNED);
      expect(await sync()).toMatchObject({ code: 0, registered: 0, unchanged: length - BANNED });
    }
  });

  test.each([
    ['a token that ejabberd does not know', () => ({ SAXCTL_EJABBERD_API_TOKEN: 'nonsense' }), 77, 'api_token'],
    ['a path where no API is', () => ({ SAXCTL_EJABBERD_API_URL: `${stack.httpUrl}/nowhere` }), 78, 'api_url'],
    ['an unknown MUC service', () => ({ SAXCTL_XMPP_MUC_SERVICE: 'nowhere.test' }), 78, 'muc_service'],
    ['the members’ own domain', () => ({ SAXCTL_XMPP_MUC_SERVICE: stack.domain }), 78, 'muc_service'],
    ['a port where another protocol is spoken', () => otherPort(), 69, 'does not answer'],
    ['a state directory that cannot be', () => ({ SAXCTL_STATE_DIR: '/proc/nowhere' }), 73, 'state'],
  ] as const)('%s', async (_what, env, code, words) => {
    const { stderr, ...result } = await runSaxctl(stack, ['sync-nicks', '--full'], { env: { ...HTTP, ...env() } });
    expect([result.code, stderr]).toEqual([code, expect.stringContaining(words)]);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(stderr).not.toContain('nonsense');
  });

  test('on a terminal: a bar that goes away, and the result; with -q only the result', async () => {
    for (const [flags, bar] of [
      ['', true],
      ['-q', false],
    ] as const) {
      const { code, shown } = await onTerminal(`${flags} sync-nicks --full`);
      expect(code).toBe(0);
      expect(/\r\u001b\[K[^\n]*\d% \d+\/\d+ {2}\d+\/s/.test(shown)).toBe(bar);
      expect(shown).toMatch(/(^|\u001b\[K)registered \d+, unchanged 0, [^\r\n]*failed 0\r\n$/);
    }
  });

  test('half of the calls fail: exit 1, counted, and the next run does the rest', async () => {
    await addCrowd();
    const broken = await halfBroken(stack.httpUrl);
    const result = await sync([], { SAXCTL_EJABBERD_API_URL: `${broken.url}/api` });
    broken.server.closeAllConnections();
    broken.server.close();
    expect(result.code).toBe(1);
    expect(result.registered).toBeGreaterThan(CROWD / 4);
    expect(result.failed).toBeGreaterThan(CROWD / 4);
    expect(result.registered + result.failed).toBe(CROWD);
    expect(await sync()).toMatchObject({ code: 0, registered: result.failed, failed: 0 });
  });

  test(`killed ${KILLS} times at random: the next run ends where an undisturbed one does`, async () => {
    for (let round = 0; round < KILLS; round++) {
      // Everybody in the crowd gets another name, half of them one that another had.
      await stack.sql(
        `UPDATE phpbb_users SET username = CONCAT('Crowd ', (user_id * 7 + ?) % ${CROWD * 2}), username_clean = CONCAT(user_id, '-', ?) WHERE username LIKE 'Crowd %'`,
        [round, round],
      );
      const child = startSaxctl(stack, ['sync-nicks'], { env: HTTP });
      const after = 250 + Math.floor(Math.random() * 900);
      await Promise.race([child.finished, new Promise((resolve) => setTimeout(resolve, after))]);
      await child.kill();
    }
    const last = await sync();
    const names = await active();
    const nicks = new Set(names.map(nicknameOf));
    expect(last.failed).toBe(0);
    // Names that came twice: the older owns each.
    expect(last.conflicts).toBe(names.length - nicks.size - 0);
    expect(await sync()).toMatchObject({ registered: 0, renamed: 0, removed: 0, failed: 0, conflicts: last.conflicts });
    for (let index = 0; index < CROWD * 2; index += Math.ceil(CROWD / 60))
      expect([index, await isFree(`Crowd ${index}`)]).toEqual([index, !nicks.has(`Crowd ${index}`)]);
  });

  test('two runs at once: the second exits 75 and says so', async () => {
    const first = startSaxctl(stack, ['sync-nicks', '--full'], { env: HTTP });
    const lock = join(stack.stateDir, 'sync-nicks.lock');
    await until(() => existsSync(lock) && readFileSync(lock, 'utf8').trim() === String(first.child.pid));
    const second = await runSaxctl(stack, ['sync-nicks'], { env: HTTP });
    expect([second.code, second.stderr]).toEqual([75, expect.stringMatching(/already running as process \d+/)]);
    expect((await first.finished).code).not.toBe(75);
  });

  test('database or ejabberd away: exit 69, a summary, nothing forgotten', async () => {
    await stack.mariadb.stop();
    const noDatabase = await sync();
    expect(noDatabase).toMatchObject({ code: 69, registered: 0, removed: 0 });
    expect(noDatabase.error).toContain('forum database');
    await stack.mariadb.start();
    await stack.sql("INSERT INTO phpbb_users (username, username_clean, user_type) VALUES ('Late', 'late', 0)");
    const before = await sync(['--dry-run']);
    await stack.ejabberd.kill();
    const noChat = await sync();
    expect(noChat).toMatchObject({ code: 69, registered: 0, unchanged: before.unchanged });
    expect(noChat.error).toContain('ejabberd is not there');
    expect((await sync(['--user', 'Late'], { SAXCTL_EJABBERD_VIA: 'ctl' })).code).toBe(69);
    await stack.ejabberd.start();
    expect(await sync()).toMatchObject({ registered: before.registered, failed: 0, unchanged: before.unchanged });
  }, 240_000);
});

/** ejabberd's port for clients: there is an answer, and it is not HTTP. */
const otherPort = (): Record<string, string> => ({
  SAXCTL_EJABBERD_API_URL: `http://127.0.0.1:${stack.ejabberd.port}/api`,
});

/** What a person sees, and the exit code. */
async function onTerminal(line: string): Promise<{ code: number | null; shown: string }> {
  const command = `${process.execPath} ${PROGRAM} --config ${stack.config} ${line}`;
  const env = { PATH: '/usr/bin:/bin', LANG: 'C.UTF-8', TERM: 'xterm', ...stack.env, ...HTTP };
  const child = spawn('script', ['-qefc', command, '/dev/null'], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  let shown = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    shown += text;
  });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, shown };
}

/** The API behind a server that fails every second member for good. */
async function halfBroken(target: string): Promise<{ server: Server; url: string }> {
  const server = createServer((asked, response) => {
    let body = '';
    asked.on('data', (chunk) => {
      body += chunk;
    });
    asked.on('end', () => {
      const { jid } = JSON.parse(body) as { jid: string };
      if (Number(/\d+/.exec(jid)?.[0] ?? 1) % 2 === 0) {
        if (body.length % 2 === 0) response.destroy();
        else {
          response.statusCode = 500;
          response.end('oops');
        }
        return;
      }
      const passed = request(`${target}${asked.url}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
      });
      passed.on('response', (answer) => {
        response.statusCode = answer.statusCode ?? 500;
        answer.pipe(response);
      });
      passed.on('error', () => response.destroy());
      passed.end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}
