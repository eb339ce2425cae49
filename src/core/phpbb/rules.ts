/**
 * phpBB's own rules, from a row to a verdict. Sources: phpBB 3.3 `phpBB/phpbb/session.php` (session_begin, check_ban,
 * session_gc), phpBB 2.0 `includes/sessions.php` (session_begin, session_clean). Times are seconds since 1970.
 */

import type { Board } from './statements.ts';

export type Settings = {
  /** Seconds that a session lives without a page view. */
  readonly sessionLength: number;
  readonly allowAutologin: boolean;
  /** Days that an autologin session lives; 0: for ever. */
  readonly maxAutologinDays: number;
};

/** A ban as a row says it; `exclude` (phpBB 3) lifts every other ban. `end` 0 is for ever. */
export type Ban = { readonly exclude: boolean; readonly end: number };

/** A ban of an e-mail address or an IP address, with wildcards. */
export type AddressBan = Ban & { readonly email: string; readonly ip: string };

/** Who a member is. */
export type MemberRow = {
  readonly board: Board;
  readonly id: number;
  /** As stored: HTML-escaped. */
  readonly username: string;
  /** phpBB 3: user_type (0 normal, 1 inactive, 2 ignore, 3 founder). phpBB 2: user_active. */
  readonly state: number;
};

/** With what may keep him out. */
export type Account = MemberRow & {
  readonly email: string;
  readonly bans: readonly Ban[];
};

export type Session = Account & {
  readonly sessionId: string;
  readonly time: number;
  /** phpBB 3: session_autologin. phpBB 2: session_logged_in. */
  readonly flag: boolean;
  /** Address of the browser (phpBB 2: eight hex digits). */
  readonly ip: string;
};

export type Refusal =
  | { readonly reason: 'guest' }
  | { readonly reason: 'inactive' }
  /** `until` 0: for ever. */
  | { readonly reason: 'banned'; readonly until: number; readonly by: 'member' | 'email' | 'ip' }
  /** `since`: when it ended. */
  | { readonly reason: 'expired'; readonly since: number }
  | { readonly reason: 'not-logged-in' };

export const DEFAULT_SETTINGS: Settings = { sessionLength: 3600, allowAutologin: true, maxAutologinDays: 0 };

/** phpBB gives a session a minute more than its length (it writes session_time at most once a minute). */
const GRACE = 60;
const DAY = 86_400;
const PHPBB3_ANONYMOUS = 1;

/** Reads the rows of `settings` as PHP casts them to numbers; a missing row is phpBB's default. */
export function readSettings(rows: Iterable<readonly [name: string, value: string]>): Settings {
  const values = new Map(rows);
  const number = (name: string, fallback: number): number => {
    const text = values.get(name);
    return text === undefined ? fallback : Number(/^\s*([+-]?\d{1,10})/.exec(text)?.[1] ?? 0);
  };
  return {
    sessionLength: number('session_length', DEFAULT_SETTINGS.sessionLength),
    allowAutologin: number('allow_autologin', 1) !== 0,
    maxAutologinDays: number('max_autologin_time', DEFAULT_SETTINGS.maxAutologinDays),
  };
}

/** Guest rows and crawlers are no members: phpBB 3's id 1 and type 2, phpBB 2's id -1. */
export function isGuest({ board, id, state }: Pick<Account, 'board' | 'id' | 'state'>): boolean {
  return board === 'phpbb2' ? id <= 0 : id <= PHPBB3_ANONYMOUS || state === 2;
}

export function isActive(account: Pick<Account, 'board' | 'id' | 'state'>): boolean {
  if (isGuest(account)) return false;
  return account.board === 'phpbb2' ? account.state === 1 : account.state === 0 || account.state === 3;
}

const isFounder = ({ board, state }: Account): boolean => board !== 'phpbb2' && state === 3;

/** Why this member may not log in at all, whatever he shows; undefined when he may. `ip` only where a session names it. */
export function refuseAccount(
  account: Account & { readonly ip?: string },
  addressBans: readonly AddressBan[],
  now: number,
): Refusal | undefined {
  if (isGuest(account)) return { reason: 'guest' };
  if (!isActive(account)) return { reason: 'inactive' };
  if (isFounder(account)) return undefined;
  return banOf(account, addressBans, now);
}

/** session.php check_ban: bans that have ended do not count, one that excludes lifts all. */
function banOf(
  account: Account & { readonly ip?: string },
  addressBans: readonly AddressBan[],
  now: number,
): Refusal | undefined {
  const hits: { ban: Ban; by: 'member' | 'email' | 'ip' }[] = account.bans.map((ban) => ({ ban, by: 'member' }));
  for (const ban of addressBans) {
    if (ban.ip !== '' && account.ip !== undefined && matchesIp(account.board, ban.ip, account.ip))
      hits.push({ ban, by: 'ip' });
    else if (ban.email !== '' && matchesEmail(account.board, ban.email, account.email)) hits.push({ ban, by: 'email' });
  }
  const current = hits.filter(({ ban }) => ban.end === 0 || ban.end >= now);
  if (current.length === 0 || current.some(({ ban }) => ban.exclude)) return undefined;
  const endless = current.find(({ ban }) => ban.end === 0);
  const longest = endless ?? current.reduce((a, b) => (a.ban.end >= b.ban.end ? a : b));
  return { reason: 'banned', until: longest.ban.end, by: longest.by };
}

/** `*` stands for anything; phpBB 2 also takes a bare `@domain` and SQL's own `%`. */
function matchesEmail(board: Board, pattern: string, email: string): boolean {
  const text = email.toLowerCase();
  const wanted = pattern.toLowerCase();
  if (board === 'phpbb2' && wanted.startsWith('@')) return text.endsWith(wanted);
  return wildcard(board === 'phpbb2' ? wanted.replaceAll('%', '*') : wanted, text);
}

/** phpBB 3: dotted with `*`. phpBB 2: eight hex digits, a trailing run of `ff` octets stands for anything. */
function matchesIp(board: Board, pattern: string, ip: string): boolean {
  if (board !== 'phpbb2') return wildcard(pattern.toLowerCase(), ip.toLowerCase());
  const fixed = pattern.toLowerCase().replace(/(ff)+$/, '');
  return fixed.length > 0 ? ip.toLowerCase().startsWith(fixed) : pattern.toLowerCase() === ip.toLowerCase();
}

/** Glob with `*` only, linear in the text's length times the pattern's: a ban cannot hang the login. */
function wildcard(pattern: string, text: string): boolean {
  let p = 0;
  let t = 0;
  let star = -1;
  let mark = 0;
  while (t < text.length) {
    if (pattern[p] === '*') {
      star = p++;
      mark = t;
    } else if (pattern[p] === text[t]) {
      p++;
      t++;
    } else if (star >= 0) {
      p = star + 1;
      t = ++mark;
    } else return false;
  }
  while (pattern[p] === '*') p++;
  return p === pattern.length;
}

/** When a session ends if nobody looks at a page: seconds since 1970, Infinity for ever, 0 when autologin is forbidden. */
export function sessionEnd(session: Pick<Session, 'board' | 'flag' | 'time'>, settings: Settings): number {
  // phpBB 2 checks no age on a page view: session_clean() deletes what is older than session_length, some time.
  if (session.board === 'phpbb2') return session.time + settings.sessionLength;
  if (!session.flag) return session.time + settings.sessionLength + GRACE;
  if (!settings.allowAutologin) return 0;
  return settings.maxAutologinDays === 0
    ? Number.POSITIVE_INFINITY
    : session.time + settings.maxAutologinDays * DAY - GRACE;
}

/** Why this session gives no right to log in; undefined when it does. */
export function refuseSession(
  session: Session,
  settings: Settings,
  addressBans: readonly AddressBan[],
  now: number,
): Refusal | undefined {
  if (session.board === 'phpbb2' && !session.flag) return { reason: isGuest(session) ? 'guest' : 'not-logged-in' };
  const refusal = refuseAccount(session, addressBans, now);
  if (refusal !== undefined) return refusal;
  const end = sessionEnd(session, settings);
  return now <= end ? undefined : { reason: 'expired', since: end };
}
