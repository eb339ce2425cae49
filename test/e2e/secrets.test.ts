import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeConfiguration } from '../../src/config/describe.ts';
import type { Stack } from '../../src/edges/stack/types.ts';
import { connectXmpp } from '../../src/edges/xmpp/connection.ts';
import { fakeLog } from '../helpers/fake-log.ts';
import { startSaslIrc } from '../helpers/sasl-irc.ts';
import { type RunningSaxctl, runSaxctl, startSaxctl, startTestStack } from '../helpers/stack.ts';
import { until } from '../helpers/until.ts';

const canary = (): string => `canary${randomBytes(12).toString('hex')}`;
const silent = fakeLog();

/** Plants secrets, lets everything happen at debug, and looks for them wherever others could. */
describe('secrets', () => {
  const planted = {
    token_key: canary(),
    token_key_previous: canary(),
    channel_key: canary(),
    nickserv: canary(),
    sasl: canary(),
    api_token: canary(),
    api_password: canary(),
  };
  let stack: Stack;
  let secrets: ReadonlyMap<string, string>;
  const daemons: RunningSaxctl[] = [];
  /** Everything that was written where others may read it, by place. */
  const seen = new Map<string, string>();

  beforeAll(async () => {
    stack = await startTestStack({
      parts: ['mariadb', 'ejabberd', 'irc1'],
      tls: true,
      config: {
        auth: { token_key: planted.token_key, token_key_previous: planted.token_key_previous },
        ejabberd: { api_token: planted.api_token, api_password: planted.api_password },
        irc: { channel_key: planted.channel_key, nickserv_password: planted.nickserv },
      },
    });
    const toml = readFileSync(stack.config, 'utf8');
    secrets = new Map([
      ['token key', planted.token_key],
      ['previous token key', planted.token_key_previous],
      ['API token', planted.api_token],
      ['API password', planted.api_password],
      ['SASL password', planted.sasl],
      // As it goes over the wire: account, account, password.
      ['SASL password in base64', Buffer.from(`sax\0sax\0${planted.sasl}`).toString('base64')],
      ['channel key', planted.channel_key],
      ['NickServ password', planted.nickserv],
      ['database password', /\[database\][^[]*?\npassword = "([^"]+)"/.exec(toml)?.[1] ?? ''],
      ...Object.entries(stack.bots).map(([name, { password }]): [string, string] => [`${name} password`, password]),
      ['session id', stack.member('Tari').session.sid],
      // The key of the certificate by which the bridge logs in on IRC.
      ['client key', readFileSync(join(stack.directory, 'tls.key'), 'utf8').split('\n')[1] ?? ''],
    ]);
  });
  afterAll(async () => {
    for (const daemon of daemons) await daemon.kill();
    await stack?.stop();
  });

  const found = (): string[] =>
    [...seen].flatMap(([place, text]) =>
      [...secrets].filter(([, secret]) => text.includes(secret)).map(([name]) => `${name} in ${place}`),
    );

  const run = async (
    place: string,
    argv: readonly string[],
    options: { stdin?: string; env?: Record<string, string> } = {},
  ) => {
    const { stdout, stderr } = await runSaxctl(stack, ['--log-level', 'debug', ...argv], options);
    seen.set(`${place}, stdout`, stdout);
    seen.set(`${place}, stderr`, stderr);
    return stdout + stderr;
  };

  it('has planted something to look for', () => {
    expect([...secrets.values()].filter((secret) => secret.length < 16)).toEqual([]);
  });

  it('are every secret that the configuration knows', () => {
    const known = describeConfiguration().flatMap(({ keys }) =>
      keys.filter(({ secret }) => secret).map(({ section, name }) => `${section}.${name}`),
    );
    // Planted below by name: when a key is added here, its canary is too.
    expect(known.sort()).toEqual(
      [
        'auth.token_key',
        'auth.token_key_previous',
        'database.password',
        'ejabberd.api_password',
        'ejabberd.api_token',
        'guard.password',
        'irc.channel_key',
        'irc.nickserv_password',
        'irc.sasl_password',
        'ircbridge.password',
        'webridge.password',
      ].sort(),
    );
  });

  it('are not said on, even when an IRC network says them back', async () => {
    const plain = await startSaslIrc();
    const secure = await startSaslIrc({
      key: readFileSync(join(stack.directory, 'tls.key')),
      cert: readFileSync(stack.tlsCa),
    });
    try {
      const bridge = async (place: string, env: Record<string, string>) => {
        const state = mkdtempSync(join(stack.directory, 'state-'));
        const file = join(stack.directory, 'sasl_password');
        writeFileSync(file, planted.sasl, { mode: 0o600 });
        const sasl = { SAXCTL_IRC_SASL_USER: 'sax', SAXCTL_IRC_SASL_PASSWORD_FILE: file, SAXCTL_STATE_DIR: state };
        await run(`${place}, doctor`, ['doctor', 'irc', '--json'], { env: { ...sasl, ...env } });
        await run(`${place}, config show`, ['config', 'show'], { env: { ...sasl, ...env } });
        await run(place, ['ircbridge'], { env: { ...sasl, ...env } });
      };
      await bridge('ircbridge by SASL PLAIN', { SAXCTL_IRC_SERVERS: `irc://127.0.0.1:${plain.port}` });
      await bridge('ircbridge by certificate', {
        SAXCTL_IRC_SERVERS: `ircs://127.0.0.1:${secure.port}`,
        SAXCTL_IRC_CLIENT_CERT: join(stack.directory, 'tls.pem'),
      });
      expect(seen.get('ircbridge by SASL PLAIN, stderr')).toContain('SASL login refused');
      expect(plain.heard).toContain(`AUTHENTICATE ${secrets.get('SASL password in base64')}`);
      expect(secure.heard).toContain('AUTHENTICATE EXTERNAL');
    } finally {
      plain.close();
      secure.close();
    }
    expect(found()).toEqual([]);
  }, 120_000);

  it('are not in arguments, logs or metrics of daemons at work', async () => {
    for (const name of ['webridge', 'ircbridge', 'guard']) {
      const daemon = startSaxctl(stack, ['--log-level', 'debug', '--log-format', 'json', name], {
        env: { SAXCTL_METRICS_LISTEN: '127.0.0.1:0' },
      });
      daemons.push(daemon);
      await daemon.logged(/"event":"ready"/);
    }
    const service = `xmpp://127.0.0.1:${stack.ejabberd.port}`;
    const login = (password: string) =>
      connectXmpp({ service, jid: `tari@${stack.domain}`, password, resource: 'x', log: silent });
    await (await login(stack.member('Tari').session.sid)).close();
    await expect(login(`${stack.member('Tari').session.sid.slice(0, 31)}x`)).rejects.toThrow(/refused/);
    const { stdout: token } = await runSaxctl(stack, ['auth', '--token', 'Tari']);
    await (await login(token.trim())).close();
    secrets = new Map([...secrets, ['token', token.trim()]]);
    await run('say', ['say', '--wait', '5000', 'hello']);
    const commands = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
    seen.set(
      'arguments of all processes',
      commands
        .map((pid) => {
          try {
            return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
          } catch {
            return '';
          }
        })
        .join('\n'),
    );
    for (const daemon of daemons) {
      const address = /metrics on (http:\S+\/metrics)/.exec(daemon.stderr())?.[1] ?? '';
      const page = await fetch(address).then((answer) => answer.text());
      expect(page).toContain('saxctl_up');
      seen.set(`metrics ${address}`, page);
      seen.set(
        `health ${address}`,
        await fetch(address.replace('/metrics', '/healthz')).then((answer) => answer.text()),
      );
    }
    // The database goes away and comes back: errors of all kinds at debug.
    await stack.mariadb.stop();
    await expect(login(stack.member('Tari').session.sid)).rejects.toThrow(/refused/);
    await stack.ejabberd.kill();
    await stack.irc1.kill();
    await until(() => daemons.every((daemon) => /disconnected/.test(daemon.stderr())));
    await stack.mariadb.start();
    await stack.ejabberd.start();
    await stack.irc1.start();
    for (const daemon of daemons)
      seen.set(`log of ${daemon.child.spawnargs.at(-1)}`, daemon.stderr() + daemon.stdout());
    const logs = join(stack.directory, 'ejabberd/logs');
    for (const file of readdirSync(logs)) seen.set(`ejabberd’s ${file}`, readFileSync(join(logs, file), 'utf8'));
    expect(found()).toEqual([]);
  }, 120_000);

  it('are not in the output of commands, in errors or in JSON', async () => {
    const sid = stack.member('Tari').session.sid;
    expect(await run('config show', ['config', 'show'])).toContain('********');
    await run('config show --json', ['config', 'show', '--json']);
    expect(await run('doctor', ['doctor', 'config', 'database', 'auth', 'irc', 'versions'])).toContain(
      'database.connect',
    );
    await run('doctor --json', ['doctor', '--json', 'config', 'database', 'auth']);
    await run('history', ['history', '--json']);
    expect(await run('auth --check', ['auth', '--check', 'Tari'], { stdin: `${sid}\n` })).toMatch(/allowed|refused/);
    await run('sync-nicks', ['sync-nicks', '--dry-run', '--json']);
    const overHttp = { SAXCTL_EJABBERD_VIA: 'http', SAXCTL_EJABBERD_API_USER: `nobody@${stack.domain}` };
    await run('sync-nicks over HTTP', ['sync-nicks', '--json', '--user', 'Tari'], { env: overHttp });
    await run('doctor over HTTP', ['doctor', '--json', 'ejabberd'], { env: overHttp });
    await run('init --diff', ['init', '--diff', join(stack.directory, 'nowhere'), '--domain', stack.domain]);
    const toml = readFileSync(stack.config, 'utf8');
    for (const [name, text] of [
      [
        'an unclosed string',
        toml.replace(`password = "${stack.bots.guard.password}"`, `password = "${stack.bots.guard.password}`),
      ],
      ['a wrong type', toml.replace(`token_key = "${planted.token_key}"`, `token_key = ["${planted.token_key}"]`)],
      ['an unknown key', toml.replace('token_key =', 'token_kei =')],
    ] as const) {
      const broken = join(stack.directory, 'broken.toml');
      expect(text).not.toBe(toml);
      writeFileSync(broken, text, { mode: 0o600 });
      const { code, stdout, stderr } = await runSaxctl({ config: broken, env: stack.env }, [
        '--log-level',
        'debug',
        'history',
      ]);
      expect(code).toBe(78);
      seen.set(`the error of ${name}`, stdout + stderr);
    }
    const wrong = { SAXCTL_DATABASE_USER: 'nobody', SAXCTL_WEBRIDGE_JID: `nobody@${stack.domain}` };
    await run('a wrong account, history', ['history'], { env: wrong });
    await run('a wrong account, sync-nicks', ['sync-nicks', '--json'], { env: wrong });
    expect(found()).toEqual([]);
  }, 120_000);

  it('would be found if they were there', () => {
    seen.set('a test', `x${planted.token_key}y`);
    expect(found()).toEqual(['token key in a test']);
    seen.delete('a test');
  });
});
