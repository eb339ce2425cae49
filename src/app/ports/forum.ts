import type { Account, AddressBan, MemberRow, Session, Settings } from '../../core/phpbb/rules.ts';

/** A member of the site: a row of its users table. */
export type Member = {
  readonly id: number;
  /** As the forum stores it: HTML-escaped. */
  readonly username: string;
  /** Registered, activated, neither guest nor crawler. */
  readonly active: boolean;
  /** Banned by name at this moment (founders never are). */
  readonly banned: boolean;
};

/** A member as he stands on the site at this moment. */
export type Standing = Member & {
  /** Has a session that a login would accept. */
  readonly loggedIn: boolean;
  /** Until when the forum keeps his newest session without another page view, milliseconds since 1970; 0: he has none. */
  readonly keptUntil: number;
};

/** The site's members, for everything but logging in. Rejects with ForumError (69, 77, 78). */
export interface Members {
  /** Every active member by ascending id, in pages; a member who changes meanwhile may be seen as before or after. */
  pages(options?: { afterId?: number; pageSize?: number; signal?: AbortSignal }): AsyncIterable<readonly Member[]>;
  /** How many members `pages` will bring. */
  count(): Promise<number>;
  /** The member with this username, as stored or as people read it; of several spellings the exact one, then the lowest id. */
  named(name: string): Promise<Member | undefined>;
  /** Members by id with whether they have a session that a login would accept; ids that are gone are absent. */
  standing(ids: readonly number[]): Promise<ReadonlyMap<number, Standing>>;
  close(): Promise<void>;
}

/** What the forum's rules are judged by, read once a minute. */
export type ForumRules = {
  readonly settings: Settings;
  readonly addressBans: readonly AddressBan[];
  /** The database's clock minus ours, milliseconds. */
  readonly clockOffset: number;
};

/** The forum's database as the login asks it. `within`: milliseconds for the whole answer. Rejects with ForumError. */
export interface Forum {
  /** The session with exactly this id, with its member. */
  session(id: string, within: number): Promise<Session | undefined>;
  account(id: number, within: number): Promise<Account | undefined>;
  /** The same without bans: cheaper. */
  member(id: number, within: number): Promise<MemberRow | undefined>;
  /** The ids of a member's sessions. */
  sessionsOf(memberId: number, within: number): Promise<readonly string[]>;
  rules(within: number): Promise<ForumRules>;
  /** The next active members behind an id, at most `limit`; an empty page is the end. */
  page(afterId: number, limit: number, within: number): Promise<readonly MemberName[]>;
  /**
   * The active members whose name is not plain, when only they can share a localpart with a plain name (phpBB 3) and there are
   * few of them; else undefined.
   */
  unusual(within: number): Promise<readonly MemberName[] | undefined>;
  /** The highest id in the users table: no more members than this. */
  highest(within: number): Promise<number>;
  /** Active members with this name, as people read it, in any case as far as the database folds it. */
  called(name: string, within: number): Promise<readonly MemberName[]>;
  close(): void;
}

export type MemberName = { readonly id: number; readonly username: string };
