import type { NickRecord } from '../../core/nick-record.ts';

/** What the MUC service answered about a nickname. */
export type NickOutcome =
  | { readonly kind: 'done' }
  /** Registered for another JID. */
  | { readonly kind: 'taken' }
  /** It will not do this, however often it is asked. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** No proper answer this time. `silent`: none at all, as if the server were not there. */
  | { readonly kind: 'failed'; readonly reason: string; readonly silent?: true }
  /** Nobody is there. */
  | { readonly kind: 'away'; readonly reason: string };

/** The nicknames that a MUC service keeps for its owners. Rejects with SaxError (77, 78) when it never lets us do it. */
export interface NickRegistry {
  /** How many calls at once serve best. */
  readonly concurrency: number;
  /** Registers a prepared nickname for localpart@domain; replaces what was registered for that JID. */
  register(nick: string, localpart: string): Promise<NickOutcome>;
  /** Frees what is registered for localpart@domain. Done also when nothing was. */
  unregister(localpart: string): Promise<NickOutcome>;
  /** The bare JIDs behind all registered nicknames, by nickname, where the server can tell (ejabberd 25.10 on); never rejects. */
  owners(): Promise<ReadonlyMap<string, string> | undefined>;
  close(): void;
}

/** What sync-nicks remembers between runs: the last record about a member counts. Throws SaxError (73) when it cannot be kept. */
export interface NickLog {
  /** Every record, oldest first, with its position. To be read to its end before anything is appended. */
  records(): Iterable<{ readonly record: NickRecord; readonly position: number }>;
  read(position: number): NickRecord | undefined;
  /** The first and the last record; undefined where there is none, or where the file ends in something else. Reads no more than that. */
  ends(): { readonly first: NickRecord | undefined; readonly last: NickRecord | undefined };
  /**
   * Gives the records' positions. Durable when it returns; `later`: survives the end of the process, and a loss of power
   * only when another one was durable since.
   */
  append(records: readonly NickRecord[], when?: 'now' | 'later'): readonly number[];
  /** Replaces everything by these records, all or nothing; positions from before are void. */
  rewrite(records: Iterable<NickRecord>): Promise<void>;
  close(): void;
}
