import { refuse, type Verdict } from '../core/auth-verdict.ts';
import { ascii } from '../core/extauth.ts';
import { localpartOf } from '../core/member-name.ts';
import { type Account, isActive, isGuest, refuseAccount, sessionEnd } from '../core/phpbb/rules.ts';
import { isToken } from '../core/token.ts';
import { type Authority, decide, isSessionId } from './auth.ts';
import { shortHash } from './auth-report.ts';
import { checkToken } from './auth-token.ts';

/** One rule as it was applied; `ok` undefined: nothing to say against, nothing for it. */
export type Step = { readonly rule: string; readonly ok: boolean | undefined; readonly found: string };

export type Explanation = { readonly localpart: string; readonly steps: readonly Step[]; readonly verdict: Verdict };

/**
 * Asks what ejabberd would ask when `user` logs in with `secret`, and says rule by rule what was found. The verdict is that of
 * `decide`; the steps are for people. Rejects with ForumError when the database does not answer.
 * @param user a localpart, or a username as people read it or as the forum stores it.
 * @param within milliseconds.
 */
export async function explain(
  authority: Authority,
  user: string,
  secret: Uint8Array,
  within: number,
): Promise<Explanation> {
  const localpart = localpartFor(user);
  const server = authority.domain ?? 'any';
  const steps: Step[] = [];
  const step = (rule: string, ok: boolean | undefined, found: string): void => void steps.push({ rule, ok, found });

  step('localpart', localpart !== '', localpart === '' ? 'this name cannot be a JID' : localpart);
  const verdict =
    localpart === ''
      ? refuse('no-member', { detail: 'the name cannot be a JID' })
      : await decide(authority, { op: 'auth', user: localpart, server, secret }, within);

  if (authority.bots.has(localpart, server)) {
    step('bot', verdict.allowed, verdict.allowed ? 'a bot, and its password' : 'a bot, but not its password');
    return { localpart, steps, verdict };
  }
  const text = ascii(secret);
  if (localpart !== '' && (verdict.allowed || verdict.reason !== 'unavailable')) {
    if (isToken(text)) await explainToken(authority, text, localpart, within, step);
    else await explainSession(authority, text, localpart, within, step);
    if (!verdict.allowed && verdict.reason === 'collision')
      step('collision', false, verdict.detail ?? 'another member');
  }
  return { localpart, steps, verdict };
}

type Say = (rule: string, ok: boolean | undefined, found: string) => void;

/** `\20` and the like occur in localparts only. */
function localpartFor(user: string): string {
  if (/\\(?:20|22|26|27|2f|3a|3c|3e|40|5c)/.test(user)) return user;
  return localpartOf(user) ?? '';
}

async function explainSession(
  authority: Authority,
  text: string,
  localpart: string,
  within: number,
  say: Say,
): Promise<void> {
  const looks = isSessionId(authority, text);
  say(
    'session id',
    looks,
    looks ? `well-formed (sha256 ${shortHash(new TextEncoder().encode(text))}…)` : 'does not match [auth] sid_pattern',
  );
  if (!looks) return;
  const session = await authority.forum.session(text, within);
  say(
    'session',
    session !== undefined,
    session === undefined ? 'there is none with this id' : `of member ${session.id}, ${session.username}`,
  );
  if (session === undefined) return;
  sayName(session, localpart, say);
  await sayAccount(authority, session, within, say);
  const { settings } = await authority.rules(within);
  const end = sessionEnd(session, settings);
  const kind =
    session.board === 'phpbb2'
      ? session.flag
        ? 'logged in'
        : 'a guest’s'
      : session.flag
        ? 'autologin'
        : 'by page views';
  say(
    'age',
    authority.now() <= end,
    `${kind}, last page view ${iso(session.time)}, ${end === Number.POSITIVE_INFINITY ? 'never ends' : end === 0 ? 'autologin is switched off' : `ends ${iso(end)}`}`,
  );
}

async function explainToken(
  authority: Authority,
  text: string,
  localpart: string,
  within: number,
  say: Say,
): Promise<void> {
  const token = checkToken(authority.tokenKeys, text, authority.now());
  if (!token.ok) {
    say(
      'token',
      false,
      token.reason === 'token-expired'
        ? `expired ${iso(token.expires ?? 0)}`
        : token.reason === 'bad-token'
          ? 'malformed, or signed with another key'
          : 'no [auth] token_key is set',
    );
    return;
  }
  say('token', true, `signed by us for ${token.username}, valid until ${iso(token.expires)}`);
  say(
    'name',
    localpartOf(token.username) === localpart,
    `the token’s name makes ${localpartOf(token.username) ?? 'no localpart'}`,
  );
  const account = await authority.directory.find(localpart, within, authority.forum.account);
  say(
    'member',
    account !== undefined,
    account === undefined ? 'no active member has this name' : `member ${account.id}, ${account.username}`,
  );
  if (account !== undefined) await sayAccount(authority, account, within, say);
}

function sayName(account: Account, localpart: string, say: Say): void {
  const own = localpartOf(account.username);
  say(
    'name',
    own === localpart,
    own === undefined ? 'the member’s name cannot be a JID' : `the member’s name makes ${own}`,
  );
}

async function sayAccount(
  authority: Authority,
  account: Account & { ip?: string },
  within: number,
  say: Say,
): Promise<void> {
  const { addressBans } = await authority.rules(within);
  say(
    'account',
    isActive(account),
    isGuest(account) ? 'a guest or crawler' : isActive(account) ? 'active' : 'not activated',
  );
  const refusal = refuseAccount(account, addressBans, authority.now());
  const banned = refusal?.reason === 'banned' ? refusal : undefined;
  say(
    'bans',
    banned === undefined,
    banned === undefined
      ? 'none'
      : `by ${banned.by}, ${banned.until === 0 ? 'for ever' : `until ${iso(banned.until)}`}`,
  );
}

const iso = (seconds: number): string => new Date(seconds * 1000).toISOString().replace('.000', '');
