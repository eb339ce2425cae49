import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Finding } from '../../src/core/doctor/verdict.ts';
import { nickModulePath } from '../../src/edges/files/nick-module.ts';
import type { Stack } from '../../src/edges/stack/types.ts';
import { PROGRAM, runSaxctl, startTestStack } from '../helpers/stack.ts';

const YES = fileURLToPath(new URL('../fixtures/extauth-yes.mjs', import.meta.url));

type Report = {
  readonly code: number | null;
  readonly of: (name: string) => Finding | undefined;
  readonly checks: readonly Finding[];
};

async function doctor(stack: Stack, flags: readonly string[], env: Record<string, string> = {}): Promise<Report> {
  const { code, stdout, stderr } = await runSaxctl(stack, ['doctor', '--json', ...flags], { env });
  expect(stderr, stderr).not.toMatch(/internal error|^saxctl:/m);
  const { checks, ok } = JSON.parse(stdout) as { ok: boolean; checks: Finding[] };
  expect(code).toBe(ok ? 0 : 1);
  return { code, checks, of: (name) => checks.find((check) => check.name === name) };
}

describe('doctor on a real site', () => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await startTestStack({
      parts: ['mariadb', 'ejabberd', 'irc1', 'nginx'],
      moderated: true,
      nickModule: nickModulePath(PROGRAM),
    });
  });
  afterAll(async () => {
    await stack?.stop();
  });

  const yml = () => join(stack.directory, 'ejabberd/conf/ejabberd.yml');
  const url = () => `http://127.0.0.1:${stack.nginx.port}/`;

  it('finds nothing wrong but the missing webridge, and names every check once', async () => {
    const { checks } = await doctor(stack, [
      '--ejabberd-yml',
      yml(),
      '--url',
      url(),
      '--nginx-conf',
      join(stack.directory, 'nginx/nginx.conf'),
    ]);
    expect(checks.filter(({ status }) => status === 'problem').map(({ name }) => name)).toEqual(['socket.listens']);
    expect(checks.filter(({ status }) => status === 'skipped').map(({ name }) => name)).toEqual([]);
    expect(new Set(checks.map(({ name }) => name)).size).toBe(checks.length);
    expect(checks.length).toBeGreaterThan(60);
  });

  const ACCOUNT = "'saxctl'@'localhost'";
  const status = (report: Report, ...names: string[]) => names.map((name) => report.of(name)?.status);
  const repairs = (report: Report, ...names: string[]) =>
    names.every((name) => /\S/.test(report.of(name)?.repair ?? ''));

  it('database: tables, rights, indexes, shared localparts, each broken and mended', async () => {
    const names = ['database.tables', 'database.rights', 'database.indexes', 'database.localparts'];
    await stack.sql(`REVOKE SELECT ON forum.phpbb_config FROM ${ACCOUNT}`);
    await stack.sql(`GRANT INSERT ON forum.phpbb_users TO ${ACCOUNT}`);
    await stack.sql('ALTER TABLE phpbb_sessions DROP PRIMARY KEY');
    await stack.sql('CREATE TEMPORARY TABLE twin SELECT * FROM phpbb_users WHERE username = ?', ['Tari']);
    await stack.sql("UPDATE twin SET user_id = 99999, username = 'TARI', username_clean = 'tari2'");
    await stack.sql('INSERT INTO phpbb_users SELECT * FROM twin');
    const broken = await doctor(stack, ['database']);
    await stack.sql(`GRANT SELECT ON forum.phpbb_config TO ${ACCOUNT}`);
    await stack.sql(`REVOKE INSERT ON forum.phpbb_users FROM ${ACCOUNT}`);
    await stack.sql('ALTER TABLE phpbb_sessions ADD PRIMARY KEY (session_id)');
    await stack.sql('DELETE FROM phpbb_users WHERE user_id = 99999');
    expect(status(broken, ...names)).toEqual(['problem', 'warning', 'problem', 'warning']);
    expect(repairs(broken, ...names)).toBe(true);
    expect(broken.of('database.localparts')?.message).toContain('tari (Tari, TARI)');
    expect(status(await doctor(stack, ['database']), ...names)).toEqual(['ok', 'ok', 'ok', 'ok']);
  });

  it('database.connect', async () => {
    const nowhere = await doctor(stack, ['database', 'versions'], { SAXCTL_DATABASE_PORT: '9' });
    expect(status(nowhere, 'database.connect', 'versions.database')).toEqual(['problem', 'skipped']);
    const refused = await doctor(stack, ['database'], { SAXCTL_DATABASE_PASSWORD: 'wrong' });
    expect(refused.of('database.connect')).toMatchObject({
      status: 'problem',
      message: expect.stringContaining('Access denied'),
    });
  });

  it('room: options and affiliations', async () => {
    const room = { name: 'sax', service: stack.mucService };
    await stack.api('change_room_option', { ...room, option: 'mam', value: 'false' });
    await stack.api('set_room_affiliation', { ...room, jid: stack.bots.guard.jid, affiliation: 'none' });
    const broken = await doctor(stack, ['room']);
    await stack.api('change_room_option', { ...room, option: 'mam', value: 'true' });
    await stack.api('set_room_affiliation', { ...room, jid: stack.bots.guard.jid, affiliation: 'owner' });
    expect(status(broken, 'room.options', 'room.affiliations')).toEqual(['problem', 'problem']);
    expect(broken.of('room.options')?.repair).toBe(`ejabberdctl change_room_option sax ${stack.mucService} mam true`);
  });

  it('auth.login: a password that is not the bot’s', async () => {
    const wrong = await doctor(stack, ['auth'], { SAXCTL_GUARD_PASSWORD: 'wrong' });
    expect(wrong.of('auth.login-guard')).toMatchObject({
      status: 'problem',
      repair: expect.stringContaining('restart ejabberd'),
    });
    expect(wrong.of('auth.login-webridge')).toMatchObject({ status: 'ok' });
    expect(wrong.of('auth.rules')).toMatchObject({ status: 'ok', message: expect.stringContaining('let in') });
    const lost = await doctor(stack, ['auth'], { SAXCTL_DATABASE_TABLE_PREFIX: 'other_' });
    expect(lost.of('auth.rules')).toMatchObject({ status: 'problem', repair: 'saxctl doctor database' });
    expect(lost.of('auth.login-webridge')).toMatchObject({ status: 'ok' });
  });

  it('config: a readable file, a short key, a secret file that is missing, an unknown variable, a broken file', async () => {
    chmodSync(stack.config, 0o644);
    const readable = await doctor(stack, ['config']);
    chmodSync(stack.config, 0o600);
    expect(readable.of('config.file-mode')).toMatchObject({ status: 'problem', repair: `chmod o-rwx ${stack.config}` });
    const of = async (env: Record<string, string>) => doctor(stack, ['config'], env);
    expect((await of({ SAXCTL_AUTH_TOKEN_KEY: 'short' })).of('config.token-key')).toMatchObject({ status: 'problem' });
    expect((await of({ SAXCTL_WEBRIDGE_PASWORD: 'x' })).of('config.warnings')).toMatchObject({ status: 'warning' });
    expect((await of({ SAXCTL_GUARD_JID: 'guard@elsewhere.test' })).of('config.domains')).toMatchObject({
      status: 'problem',
    });
    expect((await of({ SAXCTL_DATABASE_PORT: 'x' })).of('config.valid')).toMatchObject({ status: 'problem' });
  });

  it('socket: nobody listens, an open directory, a long path', async () => {
    const directory = join(stack.directory, 'run');
    chmodSync(directory, 0o777);
    const open = await doctor(stack, ['socket']);
    chmodSync(directory, 0o700);
    expect(status(open, 'socket.directory', 'socket.listens')).toEqual(['problem', 'problem']);
    const long = await doctor(stack, ['socket'], { SAXCTL_WEBRIDGE_SOCKET: `/run/${'x'.repeat(110)}` });
    expect(long.of('socket.listens')?.message).toContain('107 bytes');
    const nowhere = await doctor(stack, ['socket'], {
      SAXCTL_STATE_DIR: '/nonexistent',
      SAXCTL_METRICS_LISTEN: '127.0.0.1:9',
    });
    expect(nowhere.of('state.directory')).toMatchObject({ status: 'problem' });
    expect(nowhere.of('metrics.health')).toMatchObject({ status: 'problem' });
  });

  it('irc: a dead server, one without TLS or SASL, none', async () => {
    const dead = await doctor(stack, ['irc'], { SAXCTL_IRC_SERVERS: 'irc://127.0.0.1:9' });
    expect(status(dead, 'irc.server-1', 'irc.servers')).toEqual(['problem', 'problem']);
    const sasl = await doctor(stack, ['irc'], { SAXCTL_IRC_SASL_USER: 'sax', SAXCTL_IRC_SASL_PASSWORD: 'secret' });
    expect(sasl.of('irc.server-1')?.message).toContain('no SASL');
  });

  it('web: nothing there, short timeouts', async () => {
    const conf = join(stack.directory, 'short.conf');
    writeFileSync(
      conf,
      readFileSync(join(stack.directory, 'nginx/nginx.conf'), 'utf8').replaceAll(/proxy_read_timeout \w+;/g, ''),
    );
    const short = await doctor(stack, ['web', '--url', url(), '--nginx-conf', conf]);
    expect(short.of('web.websocket-timeout')).toMatchObject({ status: 'problem' });
    expect(short.of('web.bosh-timeout')).toMatchObject({ status: 'problem' });
    expect(short.of('web.websocket')).toMatchObject({ status: 'ok' });
    // ejabberd itself, as if nginx passed everything on.
    const direct = await doctor(stack, ['web', '--url', `${stack.httpUrl}/`, '--nginx-conf', conf]);
    expect(direct.of('web.api')).toMatchObject({ status: 'problem' });
    await stack.nginx.stop();
    const gone = await doctor(stack, ['web', '--url', url(), '--nginx-conf', conf]);
    await stack.nginx.start();
    expect(gone.of('web.websocket')).toMatchObject({ status: 'problem' });
    expect(gone.of('web.bosh')).toMatchObject({ status: 'problem' });
  });

  it('clock.database', async () => {
    await stack.sql("SET GLOBAL init_connect = 'SET timestamp = UNIX_TIMESTAMP() + 3600'");
    const wrong = await doctor(stack, ['clock']);
    await stack.sql("SET GLOBAL init_connect = ''");
    expect(wrong.of('clock.database')).toMatchObject({ status: 'problem', message: expect.stringContaining('ahead') });
  });

  it('ejabberd.running and the logins, when it is away; the room, when it is gone', async () => {
    await stack.api('destroy_room', { name: 'sax', service: stack.mucService });
    expect((await doctor(stack, ['room'])).of('room.exists')).toMatchObject({ status: 'problem' });
    await stack.ejabberd.stop();
    const away = await doctor(stack, ['ejabberd', 'auth']);
    expect(away.of('ejabberd.running')).toMatchObject({ status: 'problem' });
    expect(away.of('auth.login-webridge')).toMatchObject({
      status: 'problem',
      repair: expect.stringContaining('systemctl status ejabberd'),
    });
  });

  it('never names a secret', async () => {
    const { stdout } = await runSaxctl(stack, ['doctor'], { env: { SAXCTL_LOG_LEVEL: 'debug' } });
    for (const { password } of Object.values(stack.bots)) expect(stdout).not.toContain(password);
    expect(existsSync(stack.config)).toBe(true);
  });
});

describe('doctor where everybody is let in', () => {
  it('auth.refusal', async () => {
    const stack = await startTestStack({ parts: ['mariadb', 'ejabberd'], extauth: `${process.execPath} ${YES}` });
    try {
      expect((await doctor(stack, ['auth'])).of('auth.refusal')).toMatchObject({ status: 'problem' });
    } finally {
      await stack.stop();
    }
  });
});
