/**
 * The one schema of the configuration: every key with its type, default and a sentence for people. `config show`, `init`,
 * the manual page and the errors are made from it. Values are parsed from TOML or from text (environment).
 */

export type Kind = 'text' | 'integer' | 'boolean' | 'list' | 'choice' | 'mode' | 'duration' | 'pattern';

export type Key<T> = {
  readonly kind: Kind;
  readonly doc: string;
  readonly fallback: T;
  /** Secret values are masked everywhere and may come from `<key>_file`. */
  readonly secret?: boolean;
  readonly choices?: readonly string[];
  readonly min?: number;
  readonly max?: number;
  /** The default in words, where it depends on other keys. */
  readonly shown?: string;
  /** What a text (or each item of a list) must look like, and the same in words. */
  readonly form?: { readonly pattern: RegExp; readonly words: string };
};

type Optional<T> = T | undefined;

const text = (fallback: string, doc: string): Key<string> => ({ kind: 'text', fallback, doc });
const optional = (doc: string, shown?: string): Key<Optional<string>> => ({
  kind: 'text',
  fallback: undefined,
  doc,
  ...(shown === undefined ? {} : { shown }),
});
const secret = (doc: string): Key<Optional<string>> => ({ kind: 'text', fallback: undefined, doc, secret: true });
const integer = (fallback: number, min: number, max: number, doc: string): Key<number> => ({
  kind: 'integer',
  fallback,
  min,
  max,
  doc,
});
const boolean = (fallback: boolean, doc: string): Key<boolean> => ({ kind: 'boolean', fallback, doc });
const list = (doc: string): Key<readonly string[]> => ({ kind: 'list', fallback: [], doc });
const choice = <T extends string>(choices: readonly T[], fallback: T, doc: string): Key<T> => ({
  kind: 'choice',
  choices,
  fallback,
  doc,
});
/** The same key, held to a form. */
const formed = <T>(key: Key<T>, pattern: RegExp, words: string): Key<T> => ({ ...key, form: { pattern, words } });
const JID_FORM = [/^[^\s@/]+@[^\s@/]+$/, 'a bare JID, for example bot@chat.example.org'] as const;
const HOST_FORM = [/^[^\s@/:]+$/, 'a host name'] as const;

const optionalChoice = <T extends string>(choices: readonly T[], doc: string, shown: string): Key<Optional<T>> => ({
  kind: 'choice',
  choices,
  fallback: undefined,
  doc,
  shown,
});
/** Octal file mode, written as a string ("0660"). */
const mode = (fallback: number, doc: string): Key<number> => ({ kind: 'mode', fallback, doc });
/** Milliseconds; written "90s", "5m", "1h", "2d". */
const duration = (fallback: number, doc: string): Key<number> => ({ kind: 'duration', fallback, doc });
const pattern = (fallback: string, doc: string): Key<RegExp> => ({
  kind: 'pattern',
  fallback: new RegExp(fallback),
  doc,
});

export const SCHEMA = {
  database: {
    host: text('127.0.0.1', 'host of the forum’s MySQL or MariaDB'),
    port: integer(3306, 1, 65535, 'its TCP port'),
    socket: optional('its UNIX socket; wins over host and port'),
    user: optional('account with SELECT on the users, sessions, config and ban tables'),
    password: secret('its password'),
    name: optional('database of the forum'),
    table_prefix: text('phpbb_', 'what the forum’s tables begin with'),
    board: optionalChoice<'phpbb3' | 'phpbb2'>(['phpbb3', 'phpbb2'], 'which forum it is', 'detected'),
    charset: text('utf8mb4', 'character set of the connection (an old phpBB 2 is often latin1)'),
  },
  xmpp: {
    service: formed(
      text('xmpp://127.0.0.1:5222', 'where bots log in: xmpp://host:port or xmpps://host:port'),
      /^xmpps?:\/\/(\[[0-9a-f:]+\]|[^\s/:]+)(:\d{1,5})?$/i,
      'xmpp://host:port or xmpps://host:port',
    ),
    domain: formed(optional('the XMPP domain of the members (the virtual host of ejabberd)'), ...HOST_FORM),
    muc_service: formed(optional('the MUC service', 'conference.DOMAIN'), ...HOST_FORM),
    room: formed(optional('the room of the chat', 'sax@MUC_SERVICE'), ...JID_FORM),
    tls_ca: optional('PEM file with a further CA'),
  },
  ejabberd: {
    via: choice(['ctl', 'http'], 'ctl', 'how nicknames are registered: ejabberdctl, or mod_http_api'),
    ctl: text('ejabberdctl', 'ejabberdctl: a path, or a command with arguments'),
    api_url: formed(
      optional('base URL of mod_http_api, for example http://127.0.0.1:5280/api'),
      /^https?:\/\/\S+$/,
      'an http:// or https:// URL',
    ),
    api_token: secret('OAuth bearer token for the API'),
    api_user: optional('account for HTTP basic authentication'),
    api_password: secret('its password'),
  },
  auth: {
    sid_pattern: pattern('^[0-9a-f]{32}$', 'what a session id looks like; anything else is refused without a query'),
    token_key: secret('key of the signed tokens; none: tokens are refused'),
    token_key_previous: secret('the key before the last rotation; still accepted'),
    timeout_ms: integer(
      5000,
      100,
      25_000,
      'answer within this time, whatever the database does (ejabberd gives up at 30 s)',
    ),
  },
  webridge: {
    jid: formed(optional('account of the announcing bot'), ...JID_FORM),
    password: secret('its password'),
    nick: optional('its nickname in the room', 'the localpart of jid'),
    socket: text('/run/saxctl/say.sock', 'UNIX datagram socket for announcements'),
    socket_mode: mode(0o660, 'rights of the socket'),
    socket_group: optional('group of the socket (the web server’s)'),
    spool: optional('directory where saxSay leaves what the socket did not take'),
    entities: choice(['decode', 'keep'], 'decode', 'HTML entities in announcements: decoded once, or kept'),
    snapshot: optional('JSON file with the last lines of the room, for the web server'),
    snapshot_lines: integer(30, 1, 500, 'how many lines the snapshot holds'),
  },
  ircbridge: {
    jid: formed(optional('account of the relaying bot'), ...JID_FORM),
    password: secret('its password'),
    nick: optional('its nickname in the room', 'the localpart of jid'),
    to_irc: text('<{nick}> {text}', 'form of a line on IRC'),
    to_room: text('<{nick}> {text}', 'form of a line in the room'),
    ignore: list('nicknames whose lines are not relayed'),
    catch_up: duration(3_600_000, 'how old a missed line may be and still be relayed late'),
    joins: boolean(false, 'tell joins, parts and topics of the other side'),
    highlight: boolean(
      false,
      'relayed nicknames wake their namesakes; false: an invisible joint in them keeps people of that name undisturbed',
    ),
    colours: boolean(false, 'a colour for each nickname on IRC'),
  },
  irc: {
    servers: formed(
      list('ircs://host:port or irc://host:port, tried in turn'),
      /^ircs?:\/\/(\[[0-9a-f:]+\]|[^\s/:]+)(:\d{1,5})?$/i,
      'ircs://host:port or irc://host:port',
    ),
    nick: optional('nickname of the bot on IRC'),
    username: optional('user name', 'the nickname'),
    realname: optional('real name', 'the nickname'),
    channel: formed(
      optional('the channel that is joined to the room'),
      /^[#&+!][^\s,\x07]{0,199}$/,
      'a channel name, for example #sax',
    ),
    channel_key: secret('its key'),
    sasl_user: optional('account for SASL'),
    sasl_password: secret('its password'),
    nickserv_password: secret('password for NickServ IDENTIFY, where there is no SASL'),
    client_cert: optional('PEM file with certificate and key, for SASL EXTERNAL'),
    flood_burst: integer(8, 1, 1000, 'lines that may be sent at once after a pause'),
    flood_interval_ms: integer(1000, 0, 60_000, 'milliseconds per line after that; 0: no limit'),
    tls_ca: optional('PEM file with a further CA'),
  },
  guard: {
    jid: formed(optional('account of the guard; must be an admin or owner of the room'), ...JID_FORM),
    password: secret('its password'),
    nick: optional('its nickname in the room', 'the localpart of jid'),
    guest_domain: formed(optional('domain of guests who are not members', 'none: guests are removed'), ...HOST_FORM),
    end_with_session: boolean(true, 'remove members from the room who log out of the site everywhere'),
  },
  state: {
    dir: optional('outboxes, cursors, what sync-nicks knows', '$STATE_DIRECTORY, else /var/lib/saxctl'),
  },
  metrics: {
    listen: formed(
      optional('host:port of /metrics and /healthz; loopback is meant'),
      /^(\[[0-9a-f:]+\]|[^\s/:]+):\d{1,5}$/i,
      'host:port, for example 127.0.0.1:9464',
    ),
  },
} as const satisfies Record<string, Record<string, Key<unknown>>>;

type ValueOf<K> = K extends Key<infer T> ? T : never;
export type SectionName = keyof typeof SCHEMA;
export type Section<S extends SectionName> = {
  readonly [K in keyof (typeof SCHEMA)[S]]: ValueOf<(typeof SCHEMA)[S][K]>;
};

/** The effective configuration. Keys are written as in the file. */
export type Config = { readonly [S in SectionName]: Section<S> } & {
  /** `[[link]]`: further pairs of room and channel for ircbridge. */
  readonly link: readonly { readonly room: string; readonly channel: string }[];
  /** `[wording]`: a text per announcement type that replaces ours. */
  readonly wording: Readonly<Record<string, string>>;
};

/** Makes a key's value of what the file (TOML) or the environment (text) says. Throws a RangeError that says what is wanted. */
export function parseValue(key: Key<unknown>, raw: unknown): unknown {
  const value = parseKind(key, raw);
  const { form } = key;
  if (form !== undefined)
    for (const item of Array.isArray(value) ? value : [value])
      if (typeof item === 'string' && !form.pattern.test(item)) throw new RangeError(form.words);
  return value;
}

function parseKind(key: Key<unknown>, raw: unknown): unknown {
  switch (key.kind) {
    case 'text':
      if (typeof raw !== 'string') throw new RangeError('a text in quotes');
      return raw === '' ? key.fallback : raw;
    case 'choice':
      if (raw === '' && key.fallback === undefined) return undefined;
      if (typeof raw !== 'string' || !key.choices?.includes(raw))
        throw new RangeError(`one of ${key.choices?.join(', ')}`);
      return raw;
    case 'boolean':
      if (typeof raw === 'boolean') return raw;
      if (raw === 'true' || raw === '1' || raw === 'yes') return true;
      if (raw === 'false' || raw === '0' || raw === 'no' || raw === '') return false;
      throw new RangeError('true or false');
    case 'integer':
      return parseInteger(key, raw);
    case 'list':
      if (typeof raw === 'string')
        return raw
          .split(',')
          .map((item) => item.trim())
          .filter((item) => item !== '');
      if (Array.isArray(raw) && raw.every((item) => typeof item === 'string')) return raw;
      throw new RangeError('a list of texts');
    case 'mode': {
      const digits = typeof raw === 'string' && /^0?[0-7]{3,4}$/.test(raw) ? raw : undefined;
      if (digits === undefined) throw new RangeError('an octal mode in quotes, for example "0660"');
      return Number.parseInt(digits, 8);
    }
    case 'duration':
      return parseDuration(raw);
    case 'pattern':
      if (typeof raw !== 'string') throw new RangeError('a regular expression in quotes');
      try {
        return new RegExp(raw);
      } catch {
        throw new RangeError('a valid regular expression');
      }
  }
}

function parseInteger(key: Key<unknown>, raw: unknown): number {
  const number = typeof raw === 'string' && /^-?\d{1,15}$/.test(raw) ? Number(raw) : raw;
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = key;
  if (typeof number !== 'number' || !Number.isInteger(number) || number < min || number > max)
    throw new RangeError(`a whole number from ${min} to ${max}`);
  return number;
}

const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** "90s", "5m", "1h", "2d", or a whole number of seconds, in milliseconds. Throws a RangeError that says what is wanted. */
export function parseDuration(raw: unknown): number {
  const match = /^(\d{1,9})\s*(ms|s|m|h|d|w)?$/.exec(
    typeof raw === 'number' ? String(raw) : typeof raw === 'string' ? raw : '',
  );
  if (match === null) throw new RangeError('a duration such as "90s", "5m", "1h" or "2d"');
  return Number(match[1]) * (UNITS[match[2] ?? 's'] ?? 1000);
}
