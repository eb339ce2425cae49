import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { allKeys, ConfigError, loadConfig, need, variableOf } from '../../../src/config/load.ts';
import { SCHEMA } from '../../../src/config/schema.ts';
import { fakeIo, saxctl } from '../../helpers/fake-io.ts';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'saxctl-config-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

function file(text: string, name = 'saxctl.toml', mode = 0o640): string {
  const path = join(dir, name);
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

function problems(text: string, env: Record<string, string> = {}): readonly string[] {
  try {
    loadConfig(env, file(text));
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map((problem) => problem.replace(`${dir}/`, ''));
    throw error;
  }
  return [];
}

describe('where the configuration comes from', () => {
  it('needs no file: every key has a variable', () => {
    const { config, file: none } = loadConfig({
      SAXCTL_XMPP_DOMAIN: 'chat.test',
      SAXCTL_IRC_SERVERS: 'irc://a:1, ircs://b:2',
    });
    expect(none).toBeUndefined();
    expect(config.xmpp.room).toBe('sax@conference.chat.test');
    expect(config.irc.servers).toEqual(['irc://a:1', 'ircs://b:2']);
  });

  it.each(allKeys().map(({ section, name }) => [section, name] as const))(
    '[%s] %s can be set by its variable',
    (section, name) => {
      const samples: Record<string, string> = {
        text: 'x',
        integer: '200',
        boolean: 'true',
        list: 'irc://a:1',
        mode: '0600',
        duration: '90s',
        pattern: '^x$',
        'xmpp.service': 'xmpps://h:1',
        'xmpp.room': 'a@b',
        'irc.servers': 'irc://h:1',
        'irc.channel': '#c',
        'ejabberd.api_url': 'http://h/api',
        'metrics.listen': '127.0.0.1:1',
        jid: 'a@b',
      };
      const key = (SCHEMA[section] as Record<string, (typeof SCHEMA)['xmpp']['domain']>)[name];
      const sample =
        samples[`${section}.${name}`] ?? samples[name] ?? key?.choices?.[0] ?? samples[key?.kind ?? ''] ?? 'x';
      const { origins } = loadConfig({ [variableOf(section, name)]: sample });
      expect(origins.get(`${section}.${name}`)).toEqual({ source: 'environment', where: variableOf(section, name) });
    },
  );

  it('looks in --config, $SAXCTL_CONFIG, $XDG_CONFIG_HOME in this order', () => {
    mkdirSync(join(dir, 'saxctl'));
    file('[irc]\nnick = "xdg"\n', 'saxctl/saxctl.toml');
    const variable = file('[irc]\nnick = "variable"\n', 'v.toml');
    const flag = file('[irc]\nnick = "flag"\n', 'f.toml');
    const env = { XDG_CONFIG_HOME: dir };
    expect(loadConfig(env).config.irc.nick).toBe('xdg');
    expect(loadConfig({ ...env, SAXCTL_CONFIG: variable }).config.irc.nick).toBe('variable');
    expect(loadConfig({ ...env, SAXCTL_CONFIG: variable }, flag).config.irc.nick).toBe('flag');
  });

  it('lets the environment win over the file, and the file over defaults', () => {
    const path = file('[database]\nhost = "file"\nport = 1\n');
    const { config, origins } = loadConfig({ SAXCTL_DATABASE_HOST: 'env' }, path);
    expect(config.database).toMatchObject({ host: 'env', port: 1, table_prefix: 'phpbb_' });
    expect(origins.get('database.port')?.where).toBe(`${path}:3`);
  });

  it('derives nicknames, names and the state directory', () => {
    const { config } = loadConfig({
      SAXCTL_WEBRIDGE_JID: 'news@chat.test',
      SAXCTL_IRC_NICK: 'sax',
      STATE_DIRECTORY: '/s/a:/s/b',
    });
    expect([config.webridge.nick, config.irc.username, config.irc.realname, config.state.dir]).toEqual([
      'news',
      'sax',
      'sax',
      '/s/a',
    ]);
  });
});

describe('secrets', () => {
  it('come from x_file, relative to the file’s directory, without the last newline', () => {
    file('geheim\n', 'db.pw', 0o600);
    expect(loadConfig({}, file('[database]\npassword_file = "db.pw"\n')).config.database.password).toBe('geheim');
  });

  it('come from $CREDENTIALS_DIRECTORY when it is set', () => {
    mkdirSync(join(dir, 'credentials'));
    file('credential', 'credentials/key', 0o400);
    const env = { CREDENTIALS_DIRECTORY: join(dir, 'credentials'), SAXCTL_AUTH_TOKEN_KEY_FILE: 'key' };
    expect(loadConfig(env).config.auth.token_key).toBe('credential');
  });

  it('are read on first use, so a command that needs none does not fail over them', () => {
    const { config } = loadConfig({}, file('[database]\npassword_file = "missing"\n'));
    expect(config.database.host).toBe('127.0.0.1');
    expect(() => config.database.password).toThrow(/cannot read the secret file .*missing/);
  });

  it('are told to the redactor, and refused twice', () => {
    const told: string[] = [];
    loadConfig({ SAXCTL_IRC_SASL_PASSWORD: 'hunter22' }, undefined, (secret) => told.push(secret));
    expect(told).toEqual(['hunter22']);
    expect(problems('[irc]\nsasl_password = "a"\nsasl_password_file = "b"\n')).toEqual([
      'saxctl.toml:2: [irc] sasl_password: give sasl_password or sasl_password_file, not both',
    ]);
  });

  it('in a file that everybody can read cause a warning', () => {
    const { warnings } = loadConfig({}, file('[database]\npassword = "x"\n', 'open.toml', 0o644));
    expect(warnings).toEqual([expect.stringContaining('chmod o-r')]);
    expect(loadConfig({}, file('[database]\nhost = "x"\n', 'open.toml', 0o644)).warnings).toEqual([]);
  });

  it('are masked by config show, in both forms', async () => {
    const path = file('[database]\npassword = "s3cret-canary"\n[irc]\nsasl_password_file = "sasl"\n');
    file('sasl-canary', 'sasl', 0o600);
    for (const form of [[], ['--json']]) {
      const { code, stdout, stderr } = await saxctl(['-c', path, 'config', 'show', ...form]);
      expect(code).toBe(0);
      expect(stdout).toContain('********');
      expect(stdout + stderr).not.toMatch(/canary/);
    }
  });
});

describe('mistakes', () => {
  it('in the name of a type are a warning, since a site may have types of its own', () => {
    expect(loadConfig({}, file('[wording]\nnew-topik = "x"\nbadge = "y"\n')).warnings).toEqual([
      expect.stringMatching(/:2: \[wording\] new-topik is no type of ours; did you mean "new-topic"\?$/),
    ]);
  });

  it.each([
    ['[database]\nhsot = "x"\n', 'saxctl.toml:2: unknown key "hsot" in [database]; did you mean "host"?'],
    ['[databse]\nhost = "x"\n', 'saxctl.toml:1: unknown section "databse"; did you mean "database"?'],
    [
      '[database]\n\nport = "many"\n',
      'saxctl.toml:3: [database] port: "many" is wrong: must be a whole number from 1 to 65535',
    ],
    [
      '[database]\nport = 70000\n',
      'saxctl.toml:2: [database] port: 70000 is wrong: must be a whole number from 1 to 65535',
    ],
    [
      '[database]\nboard = "vbulletin"\n',
      'saxctl.toml:2: [database] board: "vbulletin" is wrong: must be one of phpbb3, phpbb2',
    ],
    [
      '[webridge]\nsocket_mode = 660\n',
      'saxctl.toml:2: [webridge] socket_mode: 660 is wrong: must be an octal mode in quotes, for example "0660"',
    ],
    [
      '[auth]\nsid_pattern = "("\n',
      'saxctl.toml:2: [auth] sid_pattern: "(" is wrong: must be a valid regular expression',
    ],
    ['[wording]\nreply = "{woh} replied"\n', 'saxctl.toml:2: [wording] reply: there is no {woh}; did you mean "who"?'],
    [
      '[wording]\nNews = "x"\n',
      'saxctl.toml:2: [wording] News: a type has small letters, digits and hyphens, at most 32',
    ],
    ['[ircbridge]\njoins = "maybe"\n', 'saxctl.toml:2: [ircbridge] joins: "maybe" is wrong: must be true or false'],
    [
      '[ircbridge]\ncatch_up = "soon"\n',
      'saxctl.toml:2: [ircbridge] catch_up: "soon" is wrong: must be a duration such as "90s", "5m", "1h" or "2d"',
    ],
    [
      '[irc]\nservers = ["irc.example.org"]\n',
      'saxctl.toml:2: [irc] servers: ["irc.example.org"] is wrong: must be ircs://host:port or irc://host:port',
    ],
    ['[irc]\nservers = 5\n', 'saxctl.toml:2: [irc] servers: 5 is wrong: must be a list of texts'],
    [
      '[xmpp]\nservice = "http://x"\n',
      'saxctl.toml:2: [xmpp] service: "http://x" is wrong: must be xmpp://host:port or xmpps://host:port',
    ],
    [
      '[webridge]\njid = "bot"\n',
      'saxctl.toml:2: [webridge] jid: "bot" is wrong: must be a bare JID, for example bot@chat.example.org',
    ],
    ['[[link]]\nroom = "a@b"\n', 'saxctl.toml:1: [[link]] needs room = "…" and channel = "…", both texts'],
    ['[database]\nconstructor = 1\n', 'saxctl.toml:2: unknown key "constructor" in [database]'],
    ['[database]\n__proto__ = "x"\n', 'saxctl.toml:2: unknown key "__proto__" in [database]'],
    ['[auth]\ntoString_file = "x"\n', 'saxctl.toml:2: unknown key "toString_file" in [auth]'],
    [
      '[[link]]\nroom = "x"\nchannel = "#a"\n',
      'saxctl.toml:2: [[link]] room: "x" is wrong: must be a bare JID, for example bot@chat.example.org',
    ],
    [
      '[[link]]\nroom = "a@b"\nchannel = "#a,0"\n',
      'saxctl.toml:3: [[link]] channel: "#a,0" is wrong: must be a channel name, for example #sax',
    ],
    ['wording = "abc"\n', 'saxctl.toml:1: wording: must be a section, [wording]'],
    ['wording = 5\n', 'saxctl.toml:1: wording: must be a section, [wording]'],
    ['database = 5\n', 'saxctl.toml:1: database: must be a section, [database]'],
    ['[database]\npassword = 5\n', 'saxctl.toml:2: [database] password: the value is wrong: must be a text in quotes'],
    ['[database\n', expect.stringMatching(/^saxctl\.toml:1: not TOML: /)],
  ])('%j → %s', (text, message) => {
    expect(problems(text)).toEqual([message]);
  });

  it('are all reported by config check, and the first by every other command', async () => {
    const path = file('[database]\nhsot = "x"\nport = "a"\n');
    const check = await saxctl(['-c', path, 'config', 'check']);
    expect([check.code, check.stderr.trim().split('\n').length]).toEqual([78, 2]);
    const show = await saxctl(['-c', path, 'config', 'show']);
    expect(show.code).toBe(78);
    expect(show.stderr).toMatch(/unknown key "hsot".*\(and 1 more: saxctl config check\)\n$/);
    const json = await saxctl(['-c', path, 'config', 'check', '--json']);
    expect(JSON.parse(json.stdout)).toMatchObject({ ok: false, problems: [expect.any(String), expect.any(String)] });
  });

  it('a missing file says how to write one', async () => {
    const { code, stderr } = await saxctl(['-c', join(dir, 'none.toml'), 'config', 'check']);
    expect([code, stderr]).toEqual([78, expect.stringContaining('no such file; write one with: saxctl init')]);
  });

  it('an unknown variable is a warning with a suggestion', async () => {
    const io = fakeIo({ SAXCTL_DATABSE_HOST: 'x' });
    const { code } = await saxctl(['config', 'check', '--log-format', 'json'], io);
    expect(code).toBe(0);
    expect(JSON.parse(io.stderr.text)).toMatchObject({
      level: 'warn',
      message: 'unknown variable SAXCTL_DATABSE_HOST is ignored; did you mean "SAXCTL_DATABASE_HOST"?',
    });
  });

  it('a key that a command cannot do without names key, file and variable', () => {
    expect(() => need(loadConfig({}), 'xmpp', 'domain')).toThrow(
      'missing: [xmpp] domain; set it in /etc/saxctl/saxctl.toml or SAXCTL_XMPP_DOMAIN',
    );
    expect(need(loadConfig({ SAXCTL_XMPP_DOMAIN: 'd' }), 'xmpp', 'domain')).toBe('d');
    expect(() => need(loadConfig({}), 'irc', 'servers')).toThrow('missing: [irc] servers; set it in');
    expect(() => need(loadConfig({}), 'xmpp', 'room', '[xmpp] domain')).toThrow(
      'missing: [xmpp] room (or [xmpp] domain); set it in',
    );
  });
});

describe('config show', () => {
  it('sends nothing to the terminal that it would obey, in either form', async () => {
    const path = file('[irc]\nrealname = "\\u009b31mred\\u007f\\u202e"\n[wording]\nnews = "\\u009b{what}"\n');
    for (const form of [[], ['--json']]) {
      const { stdout } = await saxctl(['-c', path, 'config', 'show', ...form]);
      expect(stdout).toContain('\\u009b31mred\\u007f\\u202e');
      expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
    }
  });
});
