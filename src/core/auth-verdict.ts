/** What `saxctl auth` answers and why: reason codes for logs and metrics, sentences for people. */

export const REFUSALS = {
  malformed: 'the packet is not a question that ejabberd asks',
  'unknown-op': 'accounts are the forum’s business: no operation changes them here',
  'unknown-server': 'another XMPP domain than [xmpp] domain',
  'not-configured': 'the configuration is broken, everybody is refused until it is mended',
  unavailable: 'the forum’s database does not answer',
  'bad-sid': 'the secret is neither a token nor looks like a session id ([auth] sid_pattern)',
  'no-session': 'no session has this id: logged out, or deleted after an hour without a page view',
  'other-member': 'the session belongs to a member with another name',
  expired: 'the session has expired',
  'not-logged-in': 'it is the session of a guest',
  guest: 'guests and crawlers are no members',
  inactive: 'the account is not activated, or was deactivated',
  banned: 'banned',
  'no-member': 'no active member has a name that makes this localpart',
  collision: 'another member with a lower id has a name that makes the same localpart',
  'bad-token': 'the token is malformed or not signed with [auth] token_key',
  'token-expired': 'the token has expired',
  'no-token-key': 'there is no [auth] token_key: tokens are refused',
  'bad-password': 'the name is a bot’s, and this is not its password',
} as const;

export type RefusalReason = keyof typeof REFUSALS;

export type Allowed = {
  readonly allowed: true;
  /** What the right to log in comes from. */
  readonly by: 'session' | 'token' | 'bot' | 'member';
  /** Seconds since 1970, Infinity for ever, undefined where it has no end. */
  readonly expires?: number | undefined;
  readonly memberId?: number | undefined;
};

export type Refused = {
  readonly allowed: false;
  readonly reason: RefusalReason;
  /** Seconds since 1970: until when banned (0: for ever), when it expired. */
  readonly at?: number | undefined;
  /** One more thing worth knowing (whose session, which ban, which error). */
  readonly detail?: string | undefined;
  readonly memberId?: number | undefined;
};

export type Verdict = Allowed | Refused;

export const refuse = (reason: RefusalReason, more: Omit<Refused, 'allowed' | 'reason'> = {}): Refused => ({
  allowed: false,
  reason,
  ...more,
});

/** "allowed (session, expires in 52 min)", "refused: banned until 2027-01-01 10:00 UTC". `now` in seconds since 1970. */
export function describeVerdict(verdict: Verdict, now: number): string {
  if (verdict.allowed) {
    const until =
      verdict.expires === undefined
        ? ''
        : verdict.expires === Number.POSITIVE_INFINITY
          ? ', never expires'
          : `, expires in ${duration(verdict.expires - now)}`;
    return `allowed (${verdict.by}${until})`;
  }
  return `refused: ${describeRefusal(verdict, now)}`;
}

function describeRefusal({ reason, at, detail }: Refused, now: number): string {
  const extra = detail === undefined ? '' : ` (${detail})`;
  if (reason === 'banned')
    return at === 0 || at === undefined ? `banned for ever${extra}` : `banned until ${moment(at)}${extra}`;
  if ((reason === 'expired' || reason === 'token-expired') && at !== undefined && at > 0)
    return `${REFUSALS[reason]} ${duration(now - at)} ago${extra}`;
  return `${REFUSALS[reason]}${extra}`;
}

/** "52 min", "40 s", "3 h 5 min", "12 days". */
export function duration(seconds: number): string {
  const s = Math.max(0, Math.floor(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  if (s < 2 * 86_400) return `${Math.floor(s / 3600)} h${s % 3600 < 60 ? '' : ` ${Math.floor((s % 3600) / 60)} min`}`;
  return `${Math.floor(s / 86_400)} days`;
}

const moment = (seconds: number): string =>
  `${new Date(seconds * 1000).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
