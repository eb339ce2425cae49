import { spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Stack } from '../../src/edges/stack/types.ts';
import { type AuthProgram, framed, startAuth } from '../helpers/extauth.ts';
import { PROGRAM, runSaxctl, startTestStack } from '../helpers/stack.ts';
import { until } from '../helpers/until.ts';

const ROUNDS = process.env['SAXCTL_LONG'] ? 10 : 1;

let stack: Stack;
let running: AuthProgram[] = [];
beforeAll(async () => {
  stack = await startTestStack({ parts: ['mariadb'] });
});
afterAll(() => stack.stop());
afterEach(async () => {
  for (const program of running) {
    program.child.kill('SIGKILL');
    await program.exited;
  }
  running = [];
});

function start(more: Partial<Parameters<typeof startAuth>[0]> = {}): AuthProgram {
  const program = startAuth({ config: stack.config, env: stack.env, pipes: true, ...more });
  running.push(program);
  return program;
}
const sid = (name: string): string => stack.member(name).session.sid;

/** The stack's configuration with lines replaced, in a file of its own. */
async function variant(name: string, change: (text: string) => string): Promise<string> {
  const path = join(stack.directory, name);
  await writeFile(path, change(await readFile(stack.config, 'utf8')), { mode: 0o600 });
  return path;
}

describe('every sample member', () => {
  const wanted: Readonly<Record<string, string | false>> = {
    Admin: 'admin',
    Tari: 'tari',
    alice: 'alice',
    'Bob Smith': 'bob\\20smith',
    'mail@example.org': 'mail\\40example.org',
    'a:b/c': 'a\\3ab\\2fc',
    "O'Neil": 'o\\27neil',
    'Tom & Jerry': 'tom\\20\\26\\20jerry',
    '<b>Bold</b>': '\\3cb\\3ebold\\3c\\2fb\\3e',
    'The "Boss"': 'the\\20\\22boss\\22',
    'back\\20slash': 'back\\5c20slash',
    'Jürgen Müßig': 'jürgen\\20müssig',
    ÄRGER: 'ärger',
    Ελλάδα: 'ελλάδα',
    Пётр: 'пётр',
    JustValid: 'justvalid',
    Remembered: 'remembered',
    BanOver: 'banover',
    BanExcluded: 'banexcluded',
    BannedFounder: 'bannedfounder',
    Forgotten: false,
    Expired: false,
    Inactive: false,
    Spider: false,
    Banned: false,
    BannedTill: false,
  };

  it('logs in with his own session exactly when phpBB would have him, and nobody with another one’s', async () => {
    const program = start();
    for (const [name, localpart] of Object.entries(wanted)) {
      const user = localpart === false ? name.toLowerCase() : localpart;
      expect(await program.login(user, sid(name)), name).toBe(localpart !== false);
      if (name !== 'Admin') expect(await program.login('admin', sid(name)), `admin by ${name}`).toBe(false);
      expect(await program.login(user, sid(name), 'other.test'), `${name} elsewhere`).toBe(false);
      for (const spoilt of [
        `${sid(name)} `,
        sid(name).toUpperCase(),
        sid(name).slice(1),
        `${sid(name)}\0`,
        '',
        `' OR '1'='1`,
      ])
        expect(await program.login(user, spoilt), `${name} ${spoilt}`).toBe(false);
    }
    expect(await program.ask(`isuser:tari:chat.test`)).toBe(true);
    expect(await program.ask(`isuser:banned:chat.test`)).toBe(true);
    for (const name of ['inactive', 'spider', 'nobody', 'anonymous', 'Tari'])
      expect(await program.ask(`isuser:${name}:chat.test`), name).toBe(false);
    for (const op of ['setpass', 'tryregister', 'removeuser3', 'certauth', 'unknown', ''])
      expect(await program.ask(`${op}:tari:chat.test:${sid('Tari')}`), op).toBe(false);
    expect(program.stray()).toBe(0);
    expect(await program.end()).toBe(0);
    for (const { session } of stack.members)
      if (session !== undefined) expect(program.stderr()).not.toContain(session.sid);
  });

  it('has two sessions side by side, and none after it ended on the site', async () => {
    const program = start();
    const second = 'c'.repeat(32);
    await stack.sql(
      'INSERT INTO phpbb_sessions (session_id, session_user_id, session_time) SELECT ?, session_user_id, session_time FROM phpbb_sessions WHERE session_id = ?',
      [second, sid('alice')],
    );
    expect([await program.login('alice', sid('alice')), await program.login('alice', second)]).toEqual([true, true]);
    await stack.sql('DELETE FROM phpbb_sessions WHERE session_id = ?', [second]);
    expect([await program.login('alice', sid('alice')), await program.login('alice', second)]).toEqual([true, false]);
  });

  it('logs in with a token while he may, and bots with their passwords', async () => {
    const program = start();
    const { stdout, code } = await runSaxctl(stack, ['auth', '--token', 'Tom & Jerry', '--ttl', '5m']);
    expect(code).toBe(0);
    const token = stdout.trim();
    expect(await program.login('tom\\20\\26\\20jerry', token)).toBe(true);
    expect(await program.login('tari', token)).toBe(false);
    expect(await program.login('tom\\20\\26\\20jerry', `${token}x`)).toBe(false);
    const banned = await runSaxctl(stack, ['auth', '--token', 'Banned']);
    expect(await program.login('banned', banned.stdout.trim())).toBe(false);
    for (const { jid, password, nick } of Object.values(stack.bots)) {
      expect(await program.login(nick, password), jid).toBe(true);
      expect(await program.login(nick, `${password}x`), jid).toBe(false);
    }
  });
});

describe('whatever comes', () => {
  it('each packet has one answer: random bytes, cut anywhere, glued, up to 65,535 bytes', async () => {
    const program = start({ pipes: true });
    const count = process.env['SAXCTL_LONG'] ? 1_000_000 : 20_000;
    let seed = 7;
    const random = (below: number): number => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff;
      return seed % below;
    };
    const ops = ['auth:', 'isuser:', 'setpass:', '', ':', 'auth:tari:chat.test:', 'auth:webridge:chat.test:'];
    const answers: Promise<boolean>[] = [];
    for (let n = 0; n < count; n += 1000) {
      const batch = Array.from({ length: 1000 }, (_, index) => {
        const length = n === 0 && index < 5 ? [0, 1, 32_768, 65_534, 65_535][index] : random(70);
        const body = Buffer.alloc(length ?? 0);
        for (let at = 0; at < body.length; at++) body[at] = random(256);
        body.write(ops[random(ops.length)] ?? '', 'latin1');
        return body;
      });
      // The valid login between the noise shows that the answers still belong to their questions.
      const marks = batch.map((body) => program.ask(body));
      const mark = program.login('tari', sid('Tari'));
      expect((await Promise.all(marks)).every((answer) => !answer)).toBe(true);
      expect(await mark).toBe(true);
      answers.length = 0;
    }
    const valid = Buffer.from(framed(`auth:tari:chat.test:${sid('Tari')}`));
    for (const byte of valid) program.write(Uint8Array.of(byte));
    await until(() => program.stray() === 4, 'the answer to the packet that came byte by byte');
    expect(await program.end()).toBe(0);
  }, 600_000);

  it.each([false, true])('nothing but answers reaches its output (real pipes: %s)', async (pipes) => {
    const noise = join(stack.directory, 'noise.cjs');
    await writeFile(
      noise,
      `const { spawn } = require('node:child_process'); const fs = require('node:fs');
       // A module that prints before the program has begun cannot be helped.
       setTimeout(() => setInterval(() => { console.log('LOG'); process.stdout.write('WRITE\\n'); process.emitWarning('WARN' + Math.random());
         fs.writeSync(1, 'SYNC\\n'); fs.write(1, 'ASYNC\\n', () => {}); process.stdout.emit('x'); }, 5), 1000);
       if (process.env.PIPES) setTimeout(() => spawn('echo', ['CHILD'], { stdio: ['ignore', 1, 2] }), 1500);`,
    );
    const program = start({
      pipes,
      env: { ...stack.env, NODE_OPTIONS: `--require ${noise}`, NODE_DEBUG: 'net', ...(pipes ? { PIPES: '1' } : {}) },
    });
    expect(await program.login('tari', sid('Tari'))).toBe(true);
    await until(() => program.stderr().includes('LOG'));
    for (let n = 0; n < 200; n++) expect(await program.login('tari', sid('Tari'))).toBe(true);
    // What does not go through JavaScript's streams ends up on standard error where that is a pipe, else nowhere.
    await until(() => ['LOG', 'WRITE'].every((word) => program.stderr().includes(word)));
    expect(await program.login('tari', 'wrong')).toBe(false);
    expect(program.stray()).toBe(0);
  });
});

describe('it never leaves', () => {
  it('over a broken configuration, and works when it is mended', async () => {
    const path = await variant('broken.toml', (text) => `${text}\n[databse]\nhost = "x"\n`);
    const program = start({ config: path });
    expect(await program.login('tari', sid('Tari'))).toBe(false);
    expect(program.stderr()).toContain('unknown section');
    await variant('broken.toml', (text) => text);
    await until(() => program.login('tari', sid('Tari')), 'a login after the repair', 8000);
    expect(await program.end()).toBe(0);
  });

  it.each([
    ['password', /^password = ".*"$/m, 'password = "wrong"', /Access denied/],
    ['database', /^name = ".*"$/m, 'name = "nowhere"', /denied|Unknown database/],
    ['prefix', /^\[database\]$/m, '[database]\ntable_prefix = "other_"', /doesn't exist|denied/],
  ])('over a wrong %s, and works when it is mended', async (key, find, replace, said) => {
    const path = await variant(`${key}.toml`, (text) => text.replace(find, replace));
    const program = start({ config: path });
    expect(await program.login('tari', sid('Tari'))).toBe(false);
    await until(
      () => said.test(program.stderr()),
      () => program.stderr(),
    );
    await variant(`${key}.toml`, (text) => text);
    await until(() => program.login('tari', sid('Tari')), 'a login after the repair', 8000);
  });

  it('over a configuration that breaks later: SIGHUP keeps the old one, and takes a good one', async () => {
    const path = await variant('later.toml', (text) => text);
    const program = start({ config: path });
    expect(await program.login('tari', sid('Tari'))).toBe(true);
    await variant('later.toml', (text) => `${text}\nnonsense`);
    program.child.kill('SIGHUP');
    await until(() => program.stderr().includes('reload-failed'));
    expect(await program.login('tari', sid('Tari'))).toBe(true);
    await variant('later.toml', (text) => text.replace('domain = "chat.test"', 'domain = "new.test"'));
    program.child.kill('SIGHUP');
    await until(() => program.login('tari', sid('Tari'), 'new.test'));
    expect(await program.login('tari', sid('Tari'))).toBe(false);
  });

  it('over a SIGHUP with a configuration that cannot work: the old one stays, and is healthy', async () => {
    const path = await variant('unusable.toml', (text) => text);
    const program = start({ config: path, env: { ...stack.env, SAXCTL_METRICS_LISTEN: '127.0.0.1:0' } });
    const metrics = await until(() => /metrics on (http:\S+)\/metrics/.exec(program.stderr())?.[1]);
    const health = async (): Promise<number> => (await fetch(`${metrics}/healthz`)).status;
    await until(async () => (await health()) === 200);
    await variant('unusable.toml', (text) => text.replace(/^name = ".*"$/m, ''));
    program.child.kill('SIGHUP');
    await until(() => program.stderr().includes('reload-failed'));
    expect(await program.login('tari', sid('Tari'))).toBe(true);
    expect(await health()).toBe(200);
    expect(program.stderr()).not.toContain('everybody is refused');
    expect(await program.end()).toBe(0);
  });

  it('over a metrics port that its twin has', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as { port: number };
    const program = start({ env: { ...stack.env, SAXCTL_METRICS_LISTEN: `127.0.0.1:${port}` } });
    expect(await program.login('tari', sid('Tari'))).toBe(true);
    expect(program.stderr()).toContain('no-metrics');
    server.close();
  });

  it.each(['kill', 'restart', 'freeze'] as const)(
    'over the database: %s under load',
    async (fault) => {
      const program = start({ env: { ...stack.env, SAXCTL_AUTH_TIMEOUT_MS: '1500' } });
      const { pid } = program.child;
      let wrongYes = 0;
      let slowest = 0;
      let stop = false;
      const load = (async () => {
        while (!stop) {
          const at = performance.now();
          if (await program.login('alice', sid('Tari'))) wrongYes++;
          await program.login('tari', sid('Tari'));
          slowest = Math.max(slowest, performance.now() - at);
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
      })();
      expect(await program.login('tari', sid('Tari'))).toBe(true);
      for (let round = 0; round < ROUNDS; round++) {
        if (fault === 'kill') {
          await stack.mariadb.kill();
          await until(async () => !(await program.login('tari', sid('Tari'))));
          await stack.mariadb.start();
        } else if (fault === 'restart') await stack.mariadb.restart();
        else if (fault === 'freeze') {
          stack.mariadb.freeze();
          await until(async () => !(await program.login('tari', sid('Tari'))));
          stack.mariadb.thaw();
        } else {
          await stack.mariadb.cut();
          await until(async () => !(await program.login('tari', sid('Tari'))));
          await stack.mariadb.mend();
        }
        await until(() => program.login('tari', sid('Tari')), 'a right answer after the return', 10_000);
        // From here on no answer may be wrong again.
        for (let n = 0; n < 50; n++) expect(await program.login('tari', sid('Tari'))).toBe(true);
      }
      stop = true;
      await load;
      expect({ wrongYes, pid: program.child.pid, stray: program.stray() }).toEqual({ wrongYes: 0, pid, stray: 0 });
      expect(await program.end()).toBe(0);
    },
    300_000,
  );

  it('over idle connections that the server closes', async () => {
    const program = start();
    for (let round = 0; round < 5; round++) {
      expect(await program.login('tari', sid('Tari'))).toBe(true);
      const rows = await stack.sql("SELECT ID FROM information_schema.PROCESSLIST WHERE USER = 'saxctl'");
      for (const { ID } of rows) await stack.sql(`KILL ${Number(ID)}`);
    }
    expect(await program.login('tari', sid('Tari'))).toBe(true);
  });
});

describe('it leaves', () => {
  it('at once when stdin ends, also with a frozen database and half a packet', async () => {
    const program = start();
    expect(await program.login('tari', sid('Tari'))).toBe(true);
    stack.mariadb.freeze();
    try {
      program.login('tari', sid('Tari')).catch(() => undefined);
      program.write(Uint8Array.of(0));
      expect(await program.end()).toBe(0);
    } finally {
      stack.mariadb.thaw();
    }
  });

  it('on SIGTERM with 0', async () => {
    const program = start();
    expect(await program.login('tari', sid('Tari'))).toBe(true);
    program.child.kill('SIGTERM');
    expect(await program.exited).toBe(0);
  });

  it('when its parent is gone, though something else holds its stdin open', async () => {
    // The shell starts it on a pipe that this test keeps open, says its pid, and is killed.
    const shell = spawn(
      'bash',
      ['-c', '"$@" <&3 >/dev/null 2>&1 & echo $!; wait', 'x', process.execPath, PROGRAM, '-c', stack.config, 'auth'],
      {
        stdio: ['ignore', 'pipe', 'inherit', 'pipe'],
        env: { PATH: '/usr/bin:/bin', ...stack.env },
      },
    );
    let text = '';
    shell.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    const pid = Number(await until(() => /^(\d+)\n/.exec(text)?.[1]));
    const alive = (): boolean => {
      try {
        process.kill(pid, 0);
        return true;
      } catch {
        return false;
      }
    };
    const members = async (): Promise<number> =>
      (await stack.sql("SELECT ID FROM information_schema.PROCESSLIST WHERE USER = 'saxctl'")).length;
    await until(async () => (await members()) > 0, 'its connection to the database');
    shell.kill('SIGKILL');
    await until(() => !alive(), 'its end');
  });
});

describe('auth --check', () => {
  const check = (user: string, secret: string, ...argv: string[]) =>
    runSaxctl(stack, ['auth', '--check', user, ...argv], { stdin: `${secret}\n` });

  it('says why, rule by rule', async () => {
    const allowed = await check('Tari', sid('Tari'));
    expect(allowed.stdout).toMatch(/^allowed \(session, expires in \d+ (min|h)\)$/m);
    expect(allowed.code).toBe(0);
    const banned = await check('BannedTill', sid('BannedTill'));
    expect(banned.stdout).toMatch(/^refused: banned until \d{4}-\d\d-\d\d \d\d:\d\d UTC$/m);
    expect(banned.code).toBe(77);
    const expired = await check('Expired', sid('Expired'));
    expect(expired.stdout).toMatch(/^refused: the session has expired/m);
    expect(allowed.stdout + banned.stdout + expired.stdout).not.toContain(sid('Tari'));
    const json = await check('webridge', stack.bots.webridge.password, '--json');
    expect(JSON.parse(json.stdout)).toMatchObject({ allowed: true, by: 'bot', message: 'allowed (bot)' });
  });

  it('ends with 64, 65, 69 and 78 for what is wrong around it', async () => {
    expect((await runSaxctl(stack, ['auth', 'extra'])).code).toBe(64);
    expect((await runSaxctl(stack, ['auth', '--token', 'Tari', '--ttl', 'soon'])).code).toBe(64);
    expect((await runSaxctl(stack, ['auth', '--token', 'Nobody at all'])).code).toBe(65);
    expect((await check('Tari', '')).code).toBe(65);
    const down = await runSaxctl(stack, ['auth', '--check', 'Tari'], {
      stdin: sid('Tari'),
      env: { SAXCTL_DATABASE_PORT: '1' },
    });
    expect(down.code).toBe(69);
    expect(down.stderr).toContain('forum database');
    const wrong = await runSaxctl(stack, ['auth', '--check', 'Tari'], {
      stdin: sid('Tari'),
      env: { SAXCTL_DATABASE_TABLE_PREFIX: 'a b' },
    });
    expect(wrong.code).toBe(78);
  });
});
