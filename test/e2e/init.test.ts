import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { OPTION_CHECKS } from '../../src/core/doctor/ejabberd-options.ts';
import { optionsFor } from '../../src/core/doctor/yml.ts';
import { PROGRAM, runSaxctl } from '../helpers/stack.ts';
import { openTerminal } from '../helpers/terminal.ts';

const scratch = mkdtempSync(join(tmpdir(), 'saxctl-init-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const nowhere = { config: '/dev/null', env: { HOME: scratch } };
const init = (...flags: string[]) => runSaxctl(nowhere, ['init', ...flags]);

const CONFIG_PHP = `<?php
// phpBB 3.3.x auto-generated configuration file
$dbms = 'phpbb\\\\db\\\\driver\\\\mysqli';
$dbhost = 'db.example.org';
$dbport = '3307';
$dbname = 'forum';
$dbuser = 'forum_all';
$dbpasswd = 'it\\'s secret';
$table_prefix = 'bb_';
`;

describe('saxctl init', () => {
  const full = join(scratch, 'full');

  it('writes what it finds in the forum’s and ejabberd’s files', async () => {
    writeFileSync(join(scratch, 'config.php'), CONFIG_PHP);
    writeFileSync(join(scratch, 'ejabberd.yml'), 'hosts:\n  - localhost\n  - chat.found.org\n');
    const { code, stdout, stderr } = await init(
      full,
      '--phpbb-config',
      join(scratch, 'config.php'),
      '--ejabberd-yml',
      join(scratch, 'ejabberd.yml'),
      '--irc',
      'ircs://irc.test:6697',
      '--channel',
      '#found',
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('saxctl doctor');
    const toml = readFileSync(join(full, 'saxctl.toml'), 'utf8');
    for (const line of [
      'host = "db.example.org"',
      'port = 3307',
      'name = "forum"',
      'table_prefix = "bb_"',
      'domain = "chat.found.org"',
      'channel = "#found"',
    ])
      expect(toml).toContain(`\n${line}\n`);
    const everything = readdirSync(full, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'))
      .join('\n');
    expect(everything).not.toContain("secret'");
    expect(everything).not.toContain("it's secret");
  });

  it('gives secrets to nobody but owner and group, and each secret its own file', () => {
    for (const name of ['saxctl.toml', 'token_key', 'webridge_password', 'ejabberd.yml', 'database.sql'])
      expect(statSync(join(full, name)).mode & 0o007, name).toBe(0);
    expect(statSync(join(full, 'saxctl.toml')).mode & 0o777).toBe(0o640);
    const secrets = ['token_key', 'database_password', 'webridge_password', 'ircbridge_password', 'guard_password'].map(
      (name) => readFileSync(join(full, name), 'utf8').trim(),
    );
    expect(new Set(secrets).size).toBe(secrets.length);
    const toml = readFileSync(join(full, 'saxctl.toml'), 'utf8');
    for (const secret of secrets) {
      expect(secret).toMatch(/^[0-9a-f]{32,64}$/);
      expect(toml).not.toContain(secret);
    }
  });

  it('writes ejabberd’s module for the guard: it compiles, and its part of ejabberd.yml waits to be switched on', () => {
    const source = join(full, 'mod_sax_nick.erl');
    execFileSync('/usr/bin/erlc', ['-o', scratch, source], { stdio: 'pipe' });
    expect(statSync(join(scratch, 'mod_sax_nick.beam')).size).toBeGreaterThan(0);
    const yml = readFileSync(join(full, 'ejabberd.yml'), 'utf8');
    expect(yml).toContain(`erlc -o /usr/local/lib/ejabberd ${source}`);
    expect(parse(yml).modules).not.toHaveProperty('mod_sax_nick');
    const switchedOn = parse(
      yml.replaceAll(/^ {2}# ((?:mod_sax_nick:)|(?: {2}exempt:)|(?: {4}allow: saxbots))$/gm, '  $1'),
    );
    expect(switchedOn.modules.mod_sax_nick).toEqual({ exempt: { allow: 'saxbots' } });
  });

  it('writes no module without a guard', async () => {
    const { stdout } = await init(scratch, '--domain', 'chat.test', '--no-guard', '--print');
    expect(stdout).not.toContain('mod_sax_nick');
  });

  it('is valid: configuration, ejabberd’s options, nginx, SQL by doctor’s rules', async () => {
    expect((await runSaxctl({ ...nowhere, config: join(full, 'saxctl.toml') }, ['config', 'check'])).code).toBe(0);
    const yml = optionsFor(parse(readFileSync(join(full, 'ejabberd.yml'), 'utf8')), 'chat.found.org');
    const bots = ['webridge', 'ircbridge', 'guard'].map((name) => `${name}@chat.found.org`);
    for (const { name, judge } of OPTION_CHECKS.filter(({ name }) => name !== 'ejabberd.auth-program'))
      expect(judge(yml, { bots, guard: 'guard@chat.found.org', via: 'http' }), name).toMatchObject({ status: 'ok' });
    const nginx = join(scratch, 'nginx.conf');
    writeFileSync(
      nginx,
      `pid ${scratch}/nginx.pid; error_log stderr; events {}\nhttp { access_log off; include ${full}/nginx-upstream.conf; server { listen unix:${scratch}/nginx.sock; include ${full}/nginx-locations.conf; } }\n`,
    );
    execFileSync('/usr/sbin/nginx', ['-t', '-q', '-p', scratch, '-c', nginx], { stdio: 'pipe' });
  });

  it('never overwrites, and then writes nothing at all', async () => {
    const dir = join(scratch, 'some');
    mkdirSync(dir);
    writeFileSync(join(dir, 'nginx-site.conf'), 'mine');
    const { code, stderr } = await init(dir, '--domain', 'chat.test');
    expect(code).toBe(73);
    expect(stderr).toContain(join(dir, 'nginx-site.conf'));
    expect(readdirSync(dir)).toEqual(['nginx-site.conf']);
    expect(readFileSync(join(dir, 'nginx-site.conf'), 'utf8')).toBe('mine');
  });

  it('says 73 where it may not write', async () => {
    const file = join(scratch, 'file');
    writeFileSync(file, '');
    expect((await init(join(file, 'below'), '--domain', 'chat.test')).code).toBe(73);
  });

  it('--print shows a part without secrets, and writes nothing', async () => {
    const dir = join(scratch, 'printed');
    const { code, stdout } = await init(dir, '--domain', 'chat.test', '--print', 'ejabberd');
    expect(code).toBe(0);
    expect(stdout).toContain('auth_use_cache: false');
    expect(stdout).toContain('sql_password: "********"');
    const all = await init(dir, '--domain', 'chat.test', '--print');
    expect(all.stdout).toContain('# ---- systemd/saxctl-webridge.service');
    expect(() => statSync(dir)).toThrow();
  });

  it('--diff tells what differs, and shows no secret', async () => {
    const flags = ['--domain', 'chat.test', '--saxctl', '/usr/bin/saxctl'];
    const dir = join(scratch, 'compared');
    await init(dir, ...flags);
    const same = await init(dir, ...flags, '--diff');
    expect({ code: same.code, stdout: same.stdout }).toEqual({ code: 0, stdout: '' });
    const path = join(dir, 'systemd/saxctl-webridge.service');
    writeFileSync(path, readFileSync(path, 'utf8').replace('RestartSec=5', 'RestartSec=50'));
    rmSync(join(dir, 'saxctl.cron'));
    const other = await init(dir, ...flags, '--diff');
    expect(other.code).toBe(1);
    expect(other.stdout).toContain('-RestartSec=50\n+RestartSec=5\n');
    expect(other.stdout).toContain(`only new: ${dir}/saxctl.cron`);
    expect(other.stdout).not.toContain(readFileSync(join(dir, 'archive_password'), 'utf8').trim());
  });

  it.each([
    [['--domain', 'not a domain'], 64],
    [['--domain', 'chat.test', '--irc', 'irc.test', '--channel', '#x'], 64],
    [['--domain', 'chat.test', '--channel', '#x'], 64],
    [['--domain', 'chat.test', '--phpbb-config', '/nonexistent'], 64],
    [['--domain', 'chat.test', '--print', 'nonsense'], 64],
  ])('%j ends with %i', async (flags, exit) => {
    const { code, stdout } = await init(join(scratch, 'never'), ...flags);
    expect({ code, stdout }).toEqual({ code: exit, stdout: '' });
  });

  it.each(['C-c', 'C-d'])('a question answered by %s ends it as interrupted', async (key) => {
    const dir = join(scratch, `left-${key}`);
    const terminal = openTerminal(`${process.execPath} ${PROGRAM} init ${dir}; echo "ended $?"; cat`, {
      HOME: '/nonexistent',
    });
    try {
      await terminal.shows('XMPP domain of the chat');
      await terminal.press(key);
      await terminal.shows('saxctl: interrupted: nothing was written', 'ended 130');
      expect(existsSync(dir)).toBe(false);
    } finally {
      terminal.close();
    }
  });

  it('asks on a terminal', async () => {
    const dir = join(scratch, 'asked');
    const terminal = openTerminal(`${process.execPath} ${PROGRAM} init ${dir}; echo "ended $?"; cat`, {
      HOME: scratch,
    });
    try {
      for (const [question, answer] of [
        ['XMPP domain', 'chat.asked.org'],
        ['config.php', join(scratch, 'config.php')],
        ['IRC server', 'ircs://irc.asked.org:6697'],
        ['IRC channel', '#asked'],
        ['guard', 'no'],
      ] as const) {
        await terminal.shows(question);
        await terminal.type(answer);
        await terminal.press('Enter');
      }
      await terminal.shows('ended 0');
    } finally {
      terminal.close();
    }
    const toml = readFileSync(join(dir, 'saxctl.toml'), 'utf8');
    expect(toml).toContain('domain = "chat.asked.org"');
    expect(toml).toContain('table_prefix = "bb_"');
    expect(toml).toContain('channel = "#asked"');
    expect(readdirSync(join(dir, 'systemd'))).not.toContain('saxctl-guard.service');
  });
});
