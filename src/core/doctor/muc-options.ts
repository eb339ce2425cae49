import { type OptionCheck, show, yml } from './option-check.ts';
import { ok, problem, skipped, warning } from './verdict.ts';
import { at, booleanAt, hasModule, tableAt, type Yml } from './yml.ts';

/** Options of the modules: rooms, archive, resumption. */
export const MUC_CHECKS: readonly OptionCheck[] = [
  {
    name: 'muc.register',
    judge: (options) =>
      at(options, 'modules', 'mod_muc', 'access_register') === 'none'
        ? ok('nicknames are registered by sync-nicks alone')
        : problem(
            'everybody may register nicknames himself: a member’s name can be taken before his first sync, and given away',
            yml('modules:', '  mod_muc:', '    access_register: none'),
          ),
  },
  {
    name: 'muc.create',
    judge(options) {
      const access = at(options, 'modules', 'mod_muc', 'access_create');
      return access === undefined || access === 'all'
        ? warning(
            'everybody may open rooms of his own',
            yml(
              'access_rules:',
              '  muc_create:',
              '    allow: saxbots',
              'modules:',
              '  mod_muc:',
              '    access_create: muc_create',
            ),
          )
        : ok('rooms are opened by those who may');
    },
  },
  {
    name: 'muc.admin',
    judge(options, { bots, guard }) {
      const rule = at(options, 'modules', 'mod_muc', 'access_admin');
      const text = aclsOf(options, rule);
      const bridges = bots.filter((jid) => jid !== guard && text.includes(jid));
      if (bridges.length > 0)
        return problem(
          `${bridges.join(', ')} is an admin of the MUC service: it may speak without being in the room, so a lost seat goes unnoticed`,
          yml('access_rules:', '  muc_admin:', '    allow: saxguard   # the guard only'),
        );
      return ok('no bridge is an admin of the MUC service');
    },
  },
  {
    name: 'muc.room-defaults',
    judge(options) {
      const defaults = tableAt(options, 'modules', 'mod_muc', 'default_room_options');
      const wrong = (['mam', 'persistent'] as const).filter((name) => booleanAt(defaults, name) !== true);
      if (wrong.length === 0) return ok('new rooms are persistent and archived');
      return problem(
        `default_room_options leaves ${wrong.join(' and ')} off: an option set shortly before a crash is lost, and the room comes back without`,
        yml('modules:', '  mod_muc:', '    default_room_options:', '      persistent: true', '      mam: true'),
      );
    },
  },
  {
    name: 'muc.max-users',
    judge(options) {
      const most = at(options, 'modules', 'mod_muc', 'max_users');
      return typeof most === 'number' && most >= 500
        ? ok(`a room holds ${most}`)
        : warning(
            `a room holds ${most === undefined ? '200 (default)' : show(most)}: more is silently cut down`,
            yml('modules:', '  mod_muc:', '    max_users: 1000'),
          );
    },
  },
  {
    name: 'archive.module',
    judge(options) {
      if (!hasModule(options, 'mod_mam'))
        return problem(
          'mod_mam is not loaded: nothing said while a bridge is down can be caught up',
          yml('modules:', '  mod_mam:', '    db_type: sql'),
        );
      const type = at(options, 'modules', 'mod_mam', 'db_type') ?? at(options, 'default_db') ?? 'mnesia';
      return type === 'sql'
        ? ok('the archive is in SQL')
        : problem(
            `the archive is in ${show(type)}: it slows down with every line, and kill -9 or power loss takes the last ones`,
            yml(
              'sql_type: mysql',
              'sql_server: "127.0.0.1"',
              'sql_database: "ejabberd"',
              'sql_username: "ejabberd"',
              'sql_password: "…"',
              'modules:',
              '  mod_mam:',
              '    db_type: sql',
            ),
          );
    },
  },
  {
    name: 'archive.sql-restart',
    judge(options) {
      if (at(options, 'sql_type') === undefined) return skipped('no SQL database is configured');
      const seconds = at(options, 'sql_start_interval');
      return typeof seconds === 'number' && seconds <= 5
        ? ok(`sql_start_interval is ${seconds} s`)
        : warning(
            'after an outage of the database lines are not archived for up to 30 s',
            yml('sql_start_interval: 1'),
          );
    },
  },
  {
    name: 'ejabberd.resume',
    judge(options) {
      if (!hasModule(options, 'mod_stream_mgmt')) return ok('mod_stream_mgmt is not loaded');
      const seconds = secondsOf(at(options, 'modules', 'mod_stream_mgmt', 'resume_timeout') ?? 300);
      return seconds <= 120
        ? ok(`a lost client keeps its seat for ${seconds} s`)
        : warning(
            `a lost client stays in the room as a ghost for ${seconds} s, and its nickname is taken`,
            yml('modules:', '  mod_stream_mgmt:', '    resume_timeout: 60'),
          );
    },
  },
];

/** The accounts behind an access rule, as text: the rule's own words and those of the acls that it names. */
function aclsOf(options: Yml, rule: unknown): string {
  if (rule === undefined) return '';
  const text = JSON.stringify(typeof rule === 'string' ? (at(options, 'access_rules', rule) ?? rule) : rule);
  const named = Object.entries(tableAt(options, 'acl')).filter(([name]) => text.includes(name));
  return `${text} ${JSON.stringify(Object.fromEntries(named))}`;
}

/** "30 seconds", "5 minutes", "1 hour" or a number of seconds. */
export function secondsOf(value: unknown): number {
  if (typeof value === 'number') return value;
  const match = /^(\d+)\s*(s|m|h|d)?/.exec(String(value));
  const unit = { s: 1, m: 60, h: 3600, d: 86_400 }[match?.[2] ?? 's'] ?? 1;
  return match === null ? Number.POSITIVE_INFINITY : Number(match[1]) * unit;
}
