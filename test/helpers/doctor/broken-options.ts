import type { CheckName } from '../../../src/core/doctor/catalogue.ts';

export type Tree = Record<string, unknown>;

const at = (yml: Tree, ...path: string[]): Tree => path.reduce<Tree>((table, key) => table[key] as Tree, yml);
const listener = (yml: Tree, module: string): Tree =>
  (yml['listen'] as Tree[]).find((entry) => entry['module'] === module) ?? {};

export type BrokenOption = readonly [
  name: CheckName,
  status: 'problem' | 'warning',
  change: (yml: Tree) => unknown,
  /** Why ejabberd itself is not asked to take it over. */
  notLive?: string,
];

/** One change each to what init writes, and the check that must see it. */
export const BROKEN_OPTIONS: readonly BrokenOption[] = [
  ['ejabberd.auth-method', 'problem', (yml) => (yml['auth_method'] = ['internal'])],
  [
    'ejabberd.auth-program',
    'problem',
    (yml) => (yml['extauth_program'] = '/etc/ejabberd/check_mysql.php'),
    'a pool that cannot start is never started again',
  ],
  [
    'ejabberd.auth-program',
    'problem',
    (yml) => (yml['extauth_program'] = '/home/tari/.nvm/bin/saxctl auth'),
    'a pool that cannot start is never started again',
  ],
  ['ejabberd.auth-cache', 'problem', (yml) => delete yml['auth_use_cache']],
  ['ejabberd.auth-cache', 'problem', (yml) => (yml['auth_use_cache'] = true)],
  ['ejabberd.pool-size', 'warning', (yml) => (yml['extauth_pool_size'] = 1)],
  [
    'ejabberd.pool-size',
    'warning',
    (yml) => (yml['extauth_pool_size'] = 64),
    '64 processes are too much for a small machine',
  ],
  ['ejabberd.sasl', 'problem', (yml) => (yml['disable_sasl_mechanisms'] = ['plain', 'X-OAUTH2'])],
  ['ejabberd.sasl', 'warning', (yml) => (yml['disable_sasl_mechanisms'] = 'DIGEST-MD5')],
  ['ejabberd.stanza-size', 'problem', (yml) => (listener(yml, 'ejabberd_c2s')['max_stanza_size'] = 262_144)],
  ['ejabberd.stanza-size', 'problem', (yml) => delete listener(yml, 'ejabberd_c2s')['max_stanza_size']],
  ['ejabberd.websocket', 'warning', (yml) => delete yml['websocket_ping_interval']],
  [
    'ejabberd.listeners',
    'problem',
    (yml) => (listener(yml, 'ejabberd_http')['ip'] = '::'),
    'it would open a port of this machine to the network',
  ],
  [
    'ejabberd.listeners',
    'warning',
    (yml) => {
      const http = listener(yml, 'ejabberd_http');
      delete http['ip'];
      http['request_handlers'] = { '/bosh': 'mod_bosh' };
    },
    'it would open a port of this machine to the network',
  ],
  [
    'ejabberd.api-rights',
    'problem',
    (yml) => delete at(yml, 'api_permissions')['saxctl'],
    'by this rule the test itself asks for the change',
  ],
  [
    'ejabberd.api-rights',
    'problem',
    (yml) => (at(yml, 'api_permissions', 'saxctl')['what'] = '*'),
    'by this rule the test itself asks for the change',
  ],
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
