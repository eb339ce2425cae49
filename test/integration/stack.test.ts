import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, readlink, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sweep } from '../../src/edges/stack/directory.ts';
import { MARK, processesOf, startOf } from '../../src/edges/stack/process-table.ts';
import { startStack } from '../../src/edges/stack/stack.ts';
import type { Stack } from '../../src/edges/stack/types.ts';
import { enterChannel } from '../helpers/irc-person.ts';
import { enterRoom, Refused } from '../helpers/person.ts';
import { withStack } from '../helpers/stack.ts';
import { until } from '../helpers/until.ts';

const extauth = `${process.execPath} ${fileURLToPath(new URL('../helpers/open-door.mjs', import.meta.url))}`;

/** What a fresh connection to the port gives: the error's code, 'silent', or the first thing said. */
function greeting(port: number, send = ''): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(send));
    socket.setTimeout(700, () => {
      resolve('silent');
      socket.destroy();
    });
    socket.once('data', (chunk) => {
      resolve(chunk.toString());
      socket.destroy();
    });
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''));
    socket.once('close', () => resolve('closed'));
  });
}

describe('a private stack', () => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await startStack({ parts: ['mariadb', 'ejabberd', 'irc1', 'irc2', 'ngircd', 'nginx'], extauth, tls: true });
  });
  afterAll(async () => {
    await stack.stop();
    expect(existsSync(stack.directory)).toBe(false);
    expect(processesOf(stack.directory)).toEqual([]);
  });

  it('keeps names as phpBB stores them', async () => {
    const rows = await stack.sql('SELECT username FROM phpbb_users WHERE user_id IN (?, ?) ORDER BY user_id', [
      stack.member('Tom & Jerry').id,
      stack.member('春夏秋冬東西南北花鳥風月山川海空星雪雨雲').id,
    ]);
    expect(rows).toEqual([{ username: 'Tom &amp; Jerry' }, { username: '春夏秋冬東西南北花鳥風月山川海空星雪雨雲' }]);
  });

  it('gives saxctl no right but to read four tables', async () => {
    const [row] = await stack.sql("SHOW GRANTS FOR 'saxctl'@'localhost'");
    const grants = await stack.sql(
      'SELECT table_name, privilege_type FROM information_schema.table_privileges WHERE grantee = ? ORDER BY table_name',
      ["'saxctl'@'localhost'"],
    );
    expect(Object.values(row ?? {})[0]).toMatch(/^GRANT USAGE ON \*\.\*/);
    expect(grants.map((grant) => Object.values(grant).join(' '))).toEqual([
      'phpbb_banlist SELECT',
      'phpbb_config SELECT',
      'phpbb_sessions SELECT',
      'phpbb_users SELECT',
    ]);
  });

  it('archives what is said in the room, in the database', async () => {
    const tari = await enterRoom(stack, 'Tari');
    tari.say('hé 日本 🙂');
    const line = await tari.heard(({ body }) => body === 'hé 日本 🙂');
    const rows = await stack.sql('SELECT txt, nick FROM archive.archive WHERE timestamp = ?', [line.stanzaId]);
    expect(rows).toEqual([{ txt: 'hé 日本 🙂', nick: 'Tari' }]);
    tari.leave();
  });

  it('refuses who the authentication program refuses', async () => {
    await expect(enterRoom(stack, 'Tari', { secret: 'wrong' })).rejects.toThrow(Refused);
  });

  it('keeps the room, and what was said, through a kill of ejabberd', async () => {
    const tari = await enterRoom(stack, 'Tari');
    tari.say('before the kill');
    const { stanzaId } = await tari.heard(({ body }) => body === 'before the kill');
    await stack.ejabberd.kill();
    expect(await greeting(stack.ejabberd.port)).toBe('ECONNREFUSED');
    await stack.ejabberd.start();
    expect(await stack.api('muc_online_rooms', { service: 'global' })).toEqual([stack.room]);
    expect(await stack.sql('SELECT txt FROM archive.archive WHERE timestamp = ?', [stanzaId])).toHaveLength(1);
  });

  it('owns the room as the guard, also by its first line', async () => {
    const guard = await enterRoom(stack, 'guard', { secret: stack.bots.guard.password });
    expect(guard.received()).toMatch(/affiliation='owner'/);
    guard.leave();
  });

  it.each(['irc1', 'irc2', 'ngircd'] as const)('relays a line on %s', async (name) => {
    const [eve, adam] = await Promise.all([
      enterChannel(stack[name].port, 'eve', stack.channel),
      enterChannel(stack[name].port, 'adam', stack.channel),
    ]);
    eve.say('hello');
    expect(await adam.heard(({ text }) => text === 'hello')).toMatchObject({ nick: 'eve' });
    eve.quit();
    adam.quit();
  });

  it('answers behind nginx', async () => {
    expect(await greeting(stack.nginx.port, '')).toBe('silent');
    expect(stack.nginx.port).not.toBe(stack.nginx.directPort);
  });

  describe('the network in front of a server', () => {
    it('can be cut and mended', async () => {
      const eve = await enterChannel(stack.irc1.port, 'cutter', stack.channel);
      const closed = new Promise((resolve) => eve.socket.once('close', resolve));
      await stack.irc1.cut();
      await closed;
      expect(await greeting(stack.irc1.port)).toBe('ECONNREFUSED');
      await stack.irc1.mend();
      (await enterChannel(stack.irc1.port, 'mender', stack.channel)).quit();
    });

    it('can stall: nothing comes through, nothing is lost', async () => {
      const [eve, adam] = await Promise.all([
        enterChannel(stack.irc2.port, 'eve', stack.channel),
        enterChannel(stack.irc2.directPort, 'adam', stack.channel),
      ]);
      stack.irc2.stall();
      eve.say('held back');
      adam.say('barrier');
      await adam.send('PING done');
      await until(() => adam.raw.some((line) => line.includes('PONG') && line.includes('done')));
      expect(adam.lines.map(({ text }) => text)).not.toContain('held back');
      await stack.irc2.mend();
      await adam.heard(({ text }) => text === 'held back');
      eve.quit();
      adam.quit();
    });

    it('can be slow', async () => {
      stack.irc1.delay(120);
      const began = performance.now();
      (await enterChannel(stack.irc1.port, 'slow', stack.channel)).quit();
      expect(performance.now() - began).toBeGreaterThan(2 * 2 * 120);
      await stack.irc1.mend();
    });
  });

  it.each(['mariadb', 'irc1', 'ngircd', 'nginx'] as const)(
    '%s can be killed, started, stopped, restarted, frozen',
    async (name) => {
      const server = stack[name];
      const first = server.pid();
      await server.kill();
      expect(await greeting(server.port)).toBe('ECONNREFUSED');
      await server.start();
      expect(server.pid()).not.toBe(first);
      await server.restart();
      await server.stop();
      expect(await greeting(server.port)).toBe('ECONNREFUSED');
      await server.start();
      const speech = name === 'nginx' ? 'GET / HTTP/1.0\r\n\r\n' : 'NICK x\r\nPING x\r\n';
      server.freeze();
      expect(await greeting(server.port, speech)).toBe('silent');
      server.thaw();
      expect(await greeting(server.port, speech)).toMatch(/\w/);
    },
  );

  it('finds the forum again after the database was killed', async () => {
    await stack.mariadb.kill();
    await expect(stack.sql('SELECT 1')).rejects.toThrow();
    await stack.mariadb.start();
    expect(await stack.sql('SELECT count(*) AS n FROM phpbb_config')).toEqual([{ n: 7 }]);
  });
});

describe('a phpBB 2 board', () => {
  it('has its members in latin1', async () => {
    await withStack({ board: 'phpbb2', parts: ['mariadb'] }, async (stack) => {
      const [row] = await stack.sql('SELECT username FROM phpbb_users WHERE user_id = ?', [
        stack.member('Jürgen Müßig').id,
      ]);
      const [count] = await stack.sql("SELECT count(*) AS n FROM phpbb_users WHERE username LIKE '%?%'");
      expect(row).toEqual({ username: 'Jürgen Müßig' });
      expect(count).toEqual({ n: 0 });
    });
  });
});

describe('several stacks', () => {
  it('run side by side and end alone', async () => {
    const stacks = await Promise.all([1, 2, 3].map(() => startStack({ parts: ['mariadb', 'irc1'] })));
    const [first, ...others] = stacks;
    await first?.stop();
    for (const stack of others) expect(await stack.sql('SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await Promise.all(others.map((stack) => stack.stop()));
  });
});

describe('a stack whose owner was killed with SIGKILL', () => {
  it('ends by itself, and the next start removes its directory', async () => {
    const script = fileURLToPath(new URL('../../.tmp/stack-owner.mjs', import.meta.url));
    const source = `
      import { startStack } from './src/edges/stack/stack.ts';
      const stack = await startStack({ parts: ['mariadb', 'ejabberd', 'irc1', 'ngircd', 'nginx'], extauth: ${JSON.stringify(extauth)} });
      process.stdout.write(stack.directory + '\\n');
      setInterval(() => {}, 1000);`;
    await build({
      stdin: { contents: source, resolveDir: fileURLToPath(new URL('../..', import.meta.url)), loader: 'ts' },
      bundle: true,
      platform: 'node',
      format: 'esm',
      external: ['mysql2'],
      outfile: script,
    });
    const owner = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] });
    let said = '';
    owner.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    await until(() => said.endsWith('\n'), 'the stack did not start', 40_000);
    const directory = said.trim();
    // MariaDB, ejabberd with its helpers and its two authentication programs, two IRC servers, nginx.
    await until(() => processesOf(directory).length >= 8);
    owner.kill('SIGKILL');
    // As root ngIRCd changes its credentials, which makes the kernel forget; the next start finds it.
    const names = (): string[] =>
      processesOf(directory).flatMap((pid) => {
        try {
          return [readFileSync(`/proc/${pid}/comm`, 'utf8').trim()];
        } catch {
          // It ended while we were looking.
          return [];
        }
      });
    await until(
      () => names().every((name) => name === 'ngircd'),
      () => `still there: ${names().join(', ')}`,
    );
    expect(existsSync(directory)).toBe(true);
    const next = await startStack({ parts: ['irc1'] });
    expect(existsSync(directory)).toBe(false);
    expect(processesOf(directory)).toEqual([]);
    await next.stop();
  });

  it('is swept also where the kernel was not asked to kill its servers', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'saxctl-stack-'));
    const boot = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
    const namespace = await readlink('/proc/self/ns/pid');
    const orphan = spawn('/bin/sh', ['-c', 'sleep 300 & wait'], {
      env: { [MARK]: directory },
      detached: true,
      stdio: 'ignore',
    });
    await until(() => processesOf(directory).length === 2);
    // A live owner protects it: we are one.
    await writeFile(
      join(directory, 'owner.json'),
      JSON.stringify({ pid: process.pid, start: startOf(process.pid), boot, namespace }),
    );
    expect(await sweep()).not.toContain(directory);
    expect(processesOf(directory)).toHaveLength(2);
    // The same pid with another start time is somebody else.
    await writeFile(join(directory, 'owner.json'), JSON.stringify({ pid: process.pid, start: '1', boot, namespace }));
    expect(await sweep()).toContain(directory);
    expect(processesOf(directory)).toEqual([]);
    expect(existsSync(directory)).toBe(false);
    expect(orphan.pid).toBeGreaterThan(0);
  });
});
