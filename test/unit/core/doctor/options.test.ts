import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { OPTION_CHECKS, secondsOf } from '../../../../src/core/doctor/ejabberd-options.ts';
import { optionsFor } from '../../../../src/core/doctor/yml.ts';
import { ejabberdYml } from '../../../../src/core/ejabberd-config.ts';

const SITE = {
  domain: 'chat.test',
  mucService: 'conference.chat.test',
  extauthProgram: '/usr/bin/saxctl auth',
  extauthPoolSize: 2,
  bots: ['webridge@chat.test', 'ircbridge@chat.test', 'guard@chat.test'],
  guard: 'guard@chat.test',
  c2sPort: 5222,
  httpPort: 5280,
  sql: { host: '127.0.0.1', port: 3306, database: 'ejabberd', user: 'ejabberd', password: 'x' },
  moderated: true,
  failToBan: false,
};
const EXPECTED = { bots: SITE.bots, guard: SITE.guard, via: 'http' as const };

type Tree = Record<string, unknown>;
const shipped = (): Tree => parse(ejabberdYml(SITE)) as Tree;

/** The verdict of one check on our own file after one change. */
function judged(name: string, change: (yml: Tree) => void) {
  const yml = shipped();
  change(yml);
  const check = OPTION_CHECKS.find((candidate) => candidate.name === name);
  return check?.judge(optionsFor(yml, 'chat.test'), EXPECTED);
}

const at = (yml: Tree, ...path: string[]): Tree => path.reduce<Tree>((table, key) => table[key] as Tree, yml);

describe('options of ejabberd.yml', () => {
  it.each(OPTION_CHECKS.map(({ name }) => name))('%s is fine in what init writes', (name) => {
    expect(judged(name, () => {})).toMatchObject({ status: 'ok' });
  });

  const broken: [string, string, (yml: Tree) => void][] = [
    ['ejabberd.auth-method', 'problem', (yml) => (yml['auth_method'] = ['internal'])],
    ['ejabberd.auth-program', 'problem', (yml) => (yml['extauth_program'] = '/etc/ejabberd/check_mysql.php')],
    ['ejabberd.auth-program', 'problem', (yml) => (yml['extauth_program'] = '/home/tari/.nvm/bin/saxctl auth')],
    ['ejabberd.auth-cache', 'problem', (yml) => delete yml['auth_use_cache']],
    ['ejabberd.auth-cache', 'problem', (yml) => (yml['auth_use_cache'] = true)],
    ['ejabberd.pool-size', 'warning', (yml) => (yml['extauth_pool_size'] = 1)],
    ['ejabberd.pool-size', 'warning', (yml) => (yml['extauth_pool_size'] = 64)],
    ['ejabberd.sasl', 'problem', (yml) => (yml['disable_sasl_mechanisms'] = ['plain', 'X-OAUTH2'])],
    ['ejabberd.sasl', 'warning', (yml) => (yml['disable_sasl_mechanisms'] = 'DIGEST-MD5')],
    ['ejabberd.stanza-size', 'problem', (yml) => (((yml['listen'] as Tree[])[0] as Tree)['max_stanza_size'] = 262_144)],
    ['ejabberd.stanza-size', 'problem', (yml) => delete (yml['listen'] as Tree[])[0]?.['max_stanza_size']],
    ['ejabberd.websocket', 'warning', (yml) => delete yml['websocket_ping_interval']],
    ['ejabberd.listeners', 'problem', (yml) => (((yml['listen'] as Tree[])[1] as Tree)['ip'] = '::')],
    [
      'ejabberd.listeners',
      'warning',
      (yml) => {
        const http = (yml['listen'] as Tree[])[1] as Tree;
        delete http['ip'];
        http['request_handlers'] = { '/bosh': 'mod_bosh' };
      },
    ],
    ['ejabberd.api-rights', 'problem', (yml) => delete at(yml, 'api_permissions')['saxctl']],
    ['ejabberd.api-rights', 'problem', (yml) => (at(yml, 'api_permissions', 'saxctl')['what'] = '*')],
    ['ejabberd.shaper', 'problem', (yml) => (at(yml, 'shaper_rules')['c2s_shaper'] = 'normal')],
    ['ejabberd.shaper', 'problem', (yml) => (at(yml, 'acl', 'saxbots')['user'] = ['webridge@chat.test'])],
    ['ejabberd.fail2ban', 'problem', (yml) => (at(yml, 'modules')['mod_fail2ban'] = {})],
    ['ejabberd.log-level', 'problem', (yml) => (yml['loglevel'] = 5)],
    ['muc.register', 'problem', (yml) => delete at(yml, 'modules', 'mod_muc')['access_register']],
    ['muc.create', 'warning', (yml) => delete at(yml, 'modules', 'mod_muc')['access_create']],
    ['muc.admin', 'problem', (yml) => (at(yml, 'access_rules', 'muc_admin')['allow'] = 'saxbots')],
    ['muc.room-defaults', 'problem', (yml) => delete at(yml, 'modules', 'mod_muc', 'default_room_options')['mam']],
    ['muc.max-users', 'warning', (yml) => delete at(yml, 'modules', 'mod_muc')['max_users']],
    ['archive.module', 'problem', (yml) => delete at(yml, 'modules')['mod_mam']],
    ['archive.module', 'problem', (yml) => (at(yml, 'modules', 'mod_mam')['db_type'] = 'mnesia')],
    ['archive.sql-restart', 'warning', (yml) => delete yml['sql_start_interval']],
    ['ejabberd.resume', 'warning', (yml) => (at(yml, 'modules', 'mod_stream_mgmt')['resume_timeout'] = '5 minutes')],
  ];
  it.each(broken)('%s is a %s after one change (%#)', (name, status, change) => {
    const verdict = judged(name, change);
    expect(verdict).toMatchObject({ status });
    expect(verdict?.repair).toMatch(/\S/);
  });

  it('every check was broken once', () => {
    expect(new Set(broken.map(([name]) => name))).toEqual(new Set(OPTION_CHECKS.map(({ name }) => name)));
  });

  it('sees macros and the options of the virtual host', () => {
    expect(
      judged('ejabberd.auth-cache', (yml) => {
        yml['auth_use_cache'] = 'CACHE';
        yml['define_macro'] = { CACHE: false };
      }),
    ).toMatchObject({ status: 'ok' });
    expect(
      judged('ejabberd.auth-method', (yml) => (yml['host_config'] = { 'chat.test': { auth_method: 'internal' } })),
    ).toMatchObject({
      status: 'problem',
    });
    expect(
      judged('muc.register', (yml) => (yml['append_host_config'] = { 'chat.test': { modules: { mod_muc: {} } } })),
    ).toMatchObject({
      status: 'problem',
    });
  });

  it('survives a file that is no table', () => {
    for (const nothing of [null, [], 'x', 5, { listen: 5, modules: [] }])
      for (const { judge } of OPTION_CHECKS)
        expect(judge(optionsFor(nothing, undefined), EXPECTED).message).toMatch(/\S/);
  });
});

it.each([
  [300, 300],
  ['5 minutes', 300],
  ['1 hour', 3600],
  ['90s', 90],
  ['2 days', 172_800],
  ['infinity', Number.POSITIVE_INFINITY],
])('secondsOf(%j) is %d', (text, seconds) => {
  expect(secondsOf(text)).toBe(seconds);
});
