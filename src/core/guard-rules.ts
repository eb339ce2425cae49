/**
 * The one rule of the guard (DESIGN 10): a member's nickname is his username, and nobody else's nickname may look like a
 * member's. Pure: an occupant in, what is to be done with him out.
 */
import { splitJid } from './jid.ts';
import type { MemberDirectory } from './member-directory.ts';

export type GuardPolicy = {
  /** The domain of the members. */
  readonly domain: string;
  /** Bare JIDs of the bots of the configuration, in lower case. */
  readonly bots: ReadonlySet<string>;
  /** The domain of guests; undefined: there are none. */
  readonly guestDomain: string | undefined;
};

export type Removal = 'wrong-name' | 'banned' | 'logged-out' | 'not-a-member' | 'look-alike' | 'stranger';

export type Verdict =
  /** May speak. */
  | { readonly is: 'welcome'; readonly id?: number }
  | { readonly is: 'removed'; readonly why: Removal; readonly id?: number; readonly nick?: string }
  /** On the members' domain, but not among those known so far. */
  | { readonly is: 'unknown'; readonly localpart: string }
  /** The room does not tell who it is. */
  | { readonly is: 'hidden' };

export type Judged = { readonly nick: string; readonly jid: string | undefined };

export function judge({ nick, jid }: Judged, policy: GuardPolicy, directory: MemberDirectory): Verdict {
  if (jid === undefined) return { is: 'hidden' };
  const { local, domain } = splitJid(jid);
  if (policy.bots.has(`${local}@${domain}`)) return { is: 'welcome' };
  if (domain === policy.domain) {
    const member = directory.find(local);
    if (member === undefined) return { is: 'unknown', localpart: local };
    const { id } = member;
    if (member.banned) return { is: 'removed', why: 'banned', id };
    if (member.nick === nick) return { is: 'welcome', id };
    return { is: 'removed', why: 'wrong-name', id, ...(member.nick === undefined ? {} : { nick: member.nick }) };
  }
  if (policy.guestDomain === undefined || domain !== policy.guestDomain) return { is: 'removed', why: 'stranger' };
  return directory.looksLikeMember(nick) ? { is: 'removed', why: 'look-alike' } : { is: 'welcome' };
}

/** What a person who is removed reads. */
export function reasonFor(why: Removal, nick?: string): string {
  switch (why) {
    case 'wrong-name':
      return nick === undefined
        ? 'Members are called here as on the site, and your name there cannot be a nickname.'
        : `Members are called here as on the site. Please come back as ${nick}.`;
    case 'banned':
      return 'Your account on the site is banned.';
    case 'logged-out':
      return 'You have logged out of the site. Log in there and come back.';
    case 'not-a-member':
      return 'There is no active account with this name on the site.';
    case 'look-alike':
      return 'This nickname looks like that of a member. Please choose another one.';
    case 'stranger':
      return 'This room is for members of the site.';
  }
}
