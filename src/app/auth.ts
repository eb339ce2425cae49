import { type RefusalReason, refuse, type Verdict } from '../core/auth-verdict.ts';
import { decodeEntities } from '../core/entities.ts';
import { type AuthRequest, ascii } from '../core/extauth.ts';
import { localpartOf } from '../core/member-name.ts';
import { ForumError } from '../core/phpbb/failure.ts';
import { type Account, type Refusal, refuseAccount, refuseSession, sessionEnd } from '../core/phpbb/rules.ts';
import { isToken } from '../core/token.ts';
import { type Bots, sameServer } from './auth-bots.ts';
import { checkToken, type TokenKeys } from './auth-token.ts';
import { type Directory, NotYet } from './directory.ts';
import type { Flood } from './flood.ts';
import type { Forum, ForumRules } from './ports/forum.ts';

/** What a login is judged by. */
export type Authority = {
  /** The XMPP domain that we answer for; undefined: any. */
  readonly domain: string | undefined;
  readonly sidPattern: RegExp;
  readonly tokenKeys: TokenKeys;
  readonly bots: Bots;
  readonly forum: Forum;
  readonly directory: Directory;
  readonly flood: Flood;
  /** The forum's settings, at most two minutes old. */
  readonly rules: (within: number) => ForumRules | Promise<ForumRules>;
  /** Milliseconds that never jump. */
  readonly monotonic: () => number;
  /** Seconds since 1970. */
  readonly now: () => number;
};

/**
 * Answers one question of ejabberd. Never rejects: what cannot be found out within the time is refused.
 * @param within milliseconds for the answer.
 */
export function decide(authority: Authority, request: AuthRequest, within: number): Promise<Verdict> {
  switch (request.op) {
    case 'malformed':
      return Promise.resolve(refuse('malformed'));
    case 'other':
      return Promise.resolve(refuse('unknown-op', { detail: request.name }));
    case 'auth':
      return decideLogin(authority, request, deadline(authority, within)).then((verdict) => {
        if (!verdict.allowed) authority.flood.refused();
        return verdict;
      }, refuseFailure);
    case 'isuser':
      return decideIsUser(authority, request, deadline(authority, within)).catch(refuseFailure);
  }
}

/** Milliseconds that are left of `within`, whenever asked. */
function deadline({ monotonic }: Authority, within: number): () => number {
  const end = monotonic() + within;
  return () => end - monotonic();
}

export function refuseFailure(error: unknown): Verdict {
  if (error instanceof ForumError) return refuse('unavailable', { detail: error.message });
  if (error instanceof NotYet) return refuse('unavailable', { detail: error.message });
  throw error;
}

const elsewhere = ({ domain }: Authority, server: string): boolean =>
  domain !== undefined && server !== domain && sameServer(server) !== sameServer(domain);

async function decideIsUser(
  authority: Authority,
  { user, server }: AuthRequest & { op: 'isuser' },
  left: () => number,
): Promise<Verdict> {
  if (authority.bots.has(user, server)) return { allowed: true, by: 'bot' };
  if (elsewhere(authority, server)) return refuse('unknown-server', { detail: server });
  const account = await authority.directory.find(user, left(), authority.forum.member);
  return account === undefined ? refuse('no-member') : { allowed: true, by: 'member', memberId: account.id };
}

function decideLogin(
  authority: Authority,
  { user, server, secret }: AuthRequest & { op: 'auth' },
  left: () => number,
): Promise<Verdict> {
  // A bot's name is the bot's alone: a member of that name must not speak with its rights.
  if (authority.bots.has(user, server))
    return Promise.resolve(
      authority.bots.check(user, server, secret) ? { allowed: true, by: 'bot' } : refuse('bad-password'),
    );
  if (elsewhere(authority, server)) return Promise.resolve(refuse('unknown-server', { detail: server }));
  const text = secret.length <= MAX_SECRET ? ascii(secret) : '';
  if (isToken(text)) return decideToken(authority, user, text, left);
  if (!isSessionId(authority, text)) return Promise.resolve(refuse('bad-sid'));
  return decideSession(authority, user, text, left);
}

/** No token is longer, in bytes. */
const MAX_SECRET = 4096;
/** No board has longer ones, whatever `sid_pattern` lets through; what is longer fits into no question (core/mysql-wire.ts). */
const MAX_SESSION_ID = 250;

export const isSessionId = ({ sidPattern }: Pick<Authority, 'sidPattern'>, text: string): boolean =>
  text !== '' && text.length <= MAX_SESSION_ID && sidPattern.test(text);

async function decideSession(
  authority: Authority,
  user: string,
  sessionId: string,
  left: () => number,
): Promise<Verdict> {
  // Both at once: at the first question two connections are made.
  const reading = authority.rules(left());
  const worth = isWorthAsking(authority, user, sessionId, left);
  if (worth !== true && !(await worth))
    return refuse('no-session', { detail: 'not looked up again, in a flood of refusals' });
  const session = await authority.forum.session(sessionId, left());
  if (session === undefined) return refuse('no-session');
  const memberId = session.id;
  if (localpartOf(session.username) !== user) return refuse('other-member', { memberId });
  const rules = reading instanceof Promise ? await reading : reading;
  const refusal = refuseSession(session, rules.settings, rules.addressBans, authority.now());
  if (refusal !== undefined) return refuseAs(refusal, memberId);
  const looking = authority.directory.rival(user, session, left());
  const rival = looking === undefined ? undefined : await looking;
  if (rival !== undefined) return refuse('collision', { memberId, detail: `member ${rival}` });
  return { allowed: true, by: 'session', expires: sessionEnd(session, rules.settings), memberId };
}

/** Always true but in a flood of refusals, see app/flood.ts. */
function isWorthAsking(
  { flood, directory, forum }: Authority,
  user: string,
  sessionId: string,
  left: () => number,
): boolean | Promise<boolean> {
  const sessionsOf = (memberId: number): Promise<readonly string[]> => forum.sessionsOf(memberId, left());
  const known = directory.known(user);
  const worth = flood.worthAsking(known, sessionId, sessionsOf);
  if (worth !== false || known !== undefined) return worth;
  // A name that nobody had: it may be a new member's.
  return directory
    .lookAgain(user)
    .then((memberId) => memberId !== undefined && flood.worthAsking(memberId, sessionId, sessionsOf));
}

async function decideToken(authority: Authority, user: string, secret: string, left: () => number): Promise<Verdict> {
  const token = checkToken(authority.tokenKeys, secret, authority.now());
  if (!token.ok) return refuse(token.reason, { at: token.expires });
  if (localpartOf(token.username) !== user) return refuse('other-member');
  const rules = await authority.rules(left());
  const account = await authority.directory.find(user, left(), authority.forum.account);
  if (account === undefined) return refuse('no-member');
  const memberId = account.id;
  // The token may be the one of a member whose name only makes the same localpart.
  if (!isCalled(account, token.username)) return refuse('collision', { memberId });
  const refusal = refuseAccount(account, rules.addressBans, authority.now());
  if (refusal !== undefined) return refuseAs(refusal, memberId);
  return { allowed: true, by: 'token', expires: token.expires, memberId };
}

/** Whether a token's username is this member's: as stored, or as people read it. */
const isCalled = ({ username }: Account, name: string): boolean =>
  username === name || decodeEntities(username) === name;

export function refuseAs(refusal: Refusal, memberId: number): Verdict {
  const reason: RefusalReason = refusal.reason;
  switch (refusal.reason) {
    case 'banned':
      return refuse(reason, {
        at: refusal.until,
        memberId,
        detail: refusal.by === 'member' ? undefined : `by ${refusal.by === 'ip' ? 'address' : 'e-mail address'}`,
      });
    case 'expired':
      return refuse(reason, { at: refusal.since, memberId });
    case 'guest':
    case 'inactive':
    case 'not-logged-in':
      return refuse(reason, { memberId });
  }
}
