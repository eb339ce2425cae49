import { type KeyDoc, type SectionDoc, tomlString } from '../config-doc.ts';
import { type Site, SNAPSHOT_DIRECTORY, SOCKET, SPOOL, STATE_DIRECTORY } from './site.ts';

type Value = string | number | readonly string[];

/** What differs from the defaults, by section and key. */
function valuesOf(site: Site): Readonly<Record<string, Readonly<Record<string, Value | undefined>>>> {
  const { database, irc } = site;
  return {
    database: {
      host: database.socket === undefined ? database.host : undefined,
      port: database.socket === undefined && database.port !== 3306 ? database.port : undefined,
      socket: database.socket,
      user: database.user,
      password_file: 'database_password',
      name: database.name,
      table_prefix: database.tablePrefix,
    },
    xmpp: { domain: site.domain, muc_service: site.mucService, room: site.room },
    ejabberd: { via: 'http', api_url: 'http://127.0.0.1:5280/api' },
    auth: { token_key_file: 'token_key' },
    webridge: {
      jid: `webridge@${site.domain}`,
      password_file: 'webridge_password',
      nick: 'news',
      socket: SOCKET,
      socket_group: site.webGroup,
      spool: SPOOL,
      snapshot: `${SNAPSHOT_DIRECTORY}/room.json`,
    },
    ircbridge:
      irc === undefined ? {} : { jid: `ircbridge@${site.domain}`, password_file: 'ircbridge_password', nick: 'irc' },
    irc: irc === undefined ? {} : { servers: irc.servers, nick: irc.nick, channel: irc.channel },
    guard: site.guard ? { jid: `guard@${site.domain}`, password_file: 'guard_password', nick: 'guard' } : {},
    state: { dir: STATE_DIRECTORY },
    metrics: {},
  };
}

/** The commented saxctl.toml: every key of the schema, those at their default as a comment. */
export function saxctlToml(site: Site, sections: readonly SectionDoc[]): string {
  const values = valuesOf(site);
  const parts = sections.map((section) => {
    const given = values[section.name] ?? {};
    const keys = section.keys.map((key) => keyLines(key, given));
    return `# ${section.doc}\n[${section.name}]\n${keys.join('\n')}\n`;
  });
  return `# Configuration of saxctl; every key is explained in saxctl.toml(5).
# Each has an environment variable that wins over it, for example SAXCTL_DATABASE_HOST. What is commented out is the default.
# Passwords lie in files beside this one (…_file), so that systemd can hand them over as credentials.

${parts.join('\n')}`;
}

function keyLines(key: KeyDoc, given: Readonly<Record<string, Value | undefined>>): string {
  const file = given[`${key.name}_file`];
  const value = given[key.name];
  const comment = `# ${key.doc}${key.choices.length > 0 && !key.doc.includes(key.choices[0] ?? '') ? ` (${key.choices.join(', ')})` : ''}`;
  if (file !== undefined) return `${comment}\n${key.name}_file = ${written(file)}`;
  if (value !== undefined) return `${comment}\n${key.name} = ${written(value)}`;
  if (key.secret) return `${comment}\n#${key.name}_file = ""`;
  if (key.fallbackIsWords) return `${comment}; default: ${key.fallback}\n#${key.name} = ""`;
  return `${comment}\n#${key.name} = ${key.fallback === '' ? '""' : key.fallback}`;
}

function written(value: Value): string {
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' ? tomlString(value) : `[${value.map(tomlString).join(', ')}]`;
}
