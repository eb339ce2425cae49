/**
 * What the application asks of the world outside. Edges implement these; tests play them with fakes that pass the same
 * contract suites. Interfaces only: nothing here runs.
 */

import type { NickRecord } from '../core/nick-record.ts';
import type { Account, AddressBan, Session, Settings } from '../core/phpbb/rules.ts';

export type LogLevel = 'error' | 'warn' | 'info' | 'debug';

/** Structured values of one log line. Never a password, a session id or a token: not even at debug. */
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined | readonly string[]>>;

/** One event is one line on stderr. `event` is a stable word for machines (`ready`, `refused`), `message` is for people. */
export interface Log {
  error(event: string, message: string, fields?: LogFields): void;
  warn(event: string, message: string, fields?: LogFields): void;
  info(event: string, message: string, fields?: LogFields): void;
  debug(event: string, message: string, fields?: LogFields): void;
  child(fields: LogFields): Log;
}

/** Time and timers, so that every outage can be played in milliseconds. */
export interface Clock {
  /** Wall clock, milliseconds since 1970. For people, archives and tokens. */
  now(): number;
  /** Milliseconds that never jump. For deadlines, backoff and pacing. */
  monotonic(): number;
  /** Resolves after `ms`; rejects with the signal's reason when it is aborted first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Why a connection ended. `permanent` means that trying again cannot help (wrong password, conflict with a twin). */
export type Disconnect = {
  readonly reason: string;
  readonly kind: 'network' | 'server' | 'refused' | 'conflict' | 'closed' | 'protocol';
  readonly permanent: boolean;
};

/** One line of a room, however it reached us. Identity is `id` (XEP-0359 stanza-id by the room), never text or time. */
export type RoomLine = {
  /** The room's stanza-id; undefined only where the server gives none (no archive). */
  readonly id: string | undefined;
  /** The `id` attribute that the sender chose; comes back unchanged in reflection and archive. */
  readonly messageId: string | undefined;
  /** The sender's `<origin-id/>` (XEP-0359). */
  readonly originId: string | undefined;
  readonly nick: string;
  /** Real bare JID of the sender where the room shows it to us. */
  readonly jid: string | undefined;
  readonly body: string;
  /** Milliseconds since 1970: the archive's time, else the delay stamp, else the time of arrival. */
  readonly at: number;
  readonly source: 'live' | 'history' | 'archive';
  /** XEP-0308: the message id that this line corrects. */
  readonly replaces?: string | undefined;
  /** XEP-0424/0425: the id of the line that this one takes back, and by whom when a moderator did. */
  readonly retracts?: string | undefined;
  readonly moderator?: string | undefined;
  /** XEP-0461: the id that this line answers. */
  readonly replyTo?: string | undefined;
  /**
   * Our own marker for the kind of a line said by a bot (`announcement`, `irc`), carried in the stanza. Anybody can write
   * one: believe it only of a nickname that is known to be a bot's.
   */
  readonly kind?: string | undefined;
};

export type Occupant = {
  readonly nick: string;
  readonly jid: string | undefined;
  readonly affiliation: string;
  readonly role: string;
  /** `<show/>` of the presence, '' when available. */
  readonly show: string;
};

/** What happens in a room, delivered one at a time and in order. A handler must not throw and must not wait. */
export interface RoomEvents {
  /** A line was said (also our own reflections) or replayed by the join history. */
  line(line: RoomLine): void;
  /** The subject was set or told at join. */
  subject?(subject: string, nick: string): void;
  /** Somebody is there (join, nick or role change). `first` is false for updates. */
  present?(occupant: Occupant, first: boolean): void;
  /** Somebody left; `newNick` when it was a change of nickname, `reason` when kicked or banned. */
  absent?(occupant: Occupant, detail: { newNick?: string; reason?: string; codes: readonly string[] }): void;
  /** The room refused a message of ours (stanza error), by the id that we gave it. */
  refused?(messageId: string, condition: string, text: string): void;
  /** We are no longer in the room (kick, ban, room destroyed, self-ping failed, stream lost). Nothing follows. */
  left(why: Disconnect): void;
}

/** What is said: `id` becomes both the stanza's id and its origin-id, and comes back in the reflection. */
export type Utterance = {
  readonly id: string;
  readonly body: string;
  /** Marker for readers and for the other bot: `announcement` or `irc`. */
  readonly kind?: 'announcement' | 'irc' | undefined;
};

/** One room that we are in. */
export interface Room {
  readonly room: string;
  readonly nick: string;
  occupants(): readonly Occupant[];
  /** Writes the message to the stream. Not a promise of anything: the reflection is the confirmation. */
  say(utterance: Utterance): void;
  /** XEP-0410 self-ping: true when the room still knows us. Rejects when no answer came within the deadline. */
  ping(): Promise<boolean>;
  /** Takes another nickname (XEP-0045 7.6). Rejects with Refusal `conflict` when it is taken or registered by another. */
  rename(nick: string): Promise<void>;
  /** As admin or moderator: role `none` kicks, `participant` gives voice (XEP-0045 8.2, 8.3). */
  setRole(nick: string, role: 'none' | 'visitor' | 'participant', reason?: string): Promise<void>;
  /** As admin or owner: affiliation of a bare JID, who need not be inside (XEP-0045 9.3 to 9.5). */
  setAffiliation(jid: string, affiliation: 'none' | 'member'): Promise<void>;
  leave(): Promise<void>;
}

export type ArchiveQuery = {
  /** Lines after this stanza-id, exclusive. */
  readonly after?: string | undefined;
  /** Lines before this stanza-id, exclusive; '' asks for the last page (XEP-0059 2.5). */
  readonly before?: string | undefined;
  /** Milliseconds since 1970. */
  readonly since?: number | undefined;
  readonly until?: number | undefined;
  readonly max?: number | undefined;
};

export type ArchivePage = {
  /** Oldest first. */
  readonly lines: readonly RoomLine[];
  /** True when nothing lies beyond this page in the direction asked. */
  readonly complete: boolean;
  readonly first: string | undefined;
  readonly last: string | undefined;
  /** How many lines the whole query has, where the archive counts (XEP-0059 2.7). */
  readonly count: number | undefined;
};

/** One XMPP login; lives until `closed` settles. A new one is made by app/keep-connected, never by the library. */
export interface ChatSession {
  /** The full JID that the server gave us. */
  readonly jid: string;
  /** Settles once with the reason; never rejects. */
  readonly closed: Promise<Disconnect>;
  /**
   * Joins (XEP-0045 7.2) without asking for history unless `historyStanzas` is given; resolves when the room has shown us
   * our own presence. Rejects with core/refusal: `conflict` (nickname taken), `forbidden` (banned), `registration-required`
   * (members only), `not-authorized` (password), `item-not-found` (no such room), or with SaxError when nothing came back.
   */
  enter(
    room: string,
    nick: string,
    events: RoomEvents,
    options?: { historyStanzas?: number; signal?: AbortSignal },
  ): Promise<Room>;
  /** One page of a room's archive (XEP-0313 with XEP-0059). */
  archive(room: string, query: ArchiveQuery): Promise<ArchivePage>;
  /** XEP-0199 to the server. Rejects when no answer came within the deadline. */
  ping(deadlineMs?: number): Promise<void>;
  /** Ends the stream properly, within a second. */
  close(): Promise<void>;
  /** Gives the connection up at once, without a word to a peer that may be dead. */
  abandon(why: Disconnect): void;
}

/** One datagram as the kernel gave it. */
export type Datagram = {
  /** Its bytes, at most 65,536 of them. */
  readonly bytes: Uint8Array;
  /** There were more bytes than that. */
  readonly truncated: boolean;
  /** The address that the sender bound (a path, or `@name`), for an answer. */
  readonly from: string | undefined;
  /** When the kernel queued it, to the nanosecond: with the bytes it tells a datagram from every other. Only with `peek`. */
  readonly stamp: string | undefined;
};

/** A socket for datagrams. One reader, one at a time. */
export interface DatagramSocket {
  /** The socket outlives this process (systemd keeps it), so what waits in it is not lost when we die. */
  readonly kept: boolean;
  /** Resolves with true when something waits, with false when the socket was closed. Wakes for nothing else. */
  readable(): Promise<boolean>;
  /** Takes what waits, in order, without blocking; [] when there is nothing more. */
  take(): Datagram[];
  /** Looks at what waits and leaves it in the kernel's queue. Only where `kept`. */
  peek(): Datagram[];
  /** Takes the first `count` of what the last `peek` showed. */
  drop(count: number): void;
  /** Sends without waiting. False when the receiver is gone or full: an answer is a courtesy. */
  answer(to: string, bytes: Uint8Array): boolean;
  /** Nobody can send any more; `last` may take what was sent until then. */
  close(last?: () => void): void;
}

/** What saxSay left in the spool directory, one file at a time. */
export interface Spool {
  /** The oldest file, out of the writers' hands; undefined when there is none. Rejects when the directory cannot be used. */
  take(): Promise<SpoolFile | undefined>;
}

export type SpoolFile = {
  readonly bytes: Uint8Array;
  /** Everything in it is remembered: removes it. */
  finish(): Promise<void>;
  /** Lets go of it, to be taken again. */
  release(): void;
};

/** A durable list of records (one line of JSON each). Callbacks are called in the order of the calls, without a pause between records of one batch. */
export interface Journal {
  /** What it held when it was opened, oldest first. */
  readonly restored: readonly string[];
  /** How many damaged records were left out in the middle (the disk's fault; a torn end is normal and not counted). */
  readonly damaged: number;
  /** Bytes of the file. */
  readonly size: number;
  /** Adds a record. `done` without an error: it is on the disk (`durable`), or will be with the next durable one. With: it is not there. */
  append(record: string, durable: boolean, done: (error?: Error) => void): void;
  /** Names what a shorter journal must hold; called for `compact`, and to recover from a failed sync. */
  compactTo(records: () => Iterable<string>): void;
  /** Replaces the file by a shorter one, atomically. On an error the old one stands. */
  compact(done: (error?: Error) => void): void;
  close(): Promise<void>;
}

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
  /** The ids of a member's sessions. */
  sessionsOf(memberId: number, within: number): Promise<readonly string[]>;
  rules(within: number): Promise<ForumRules>;
  /** The next active members behind an id, at most `limit`; an empty page is the end. */
  page(afterId: number, limit: number, within: number): Promise<readonly MemberName[]>;
  /** Active members below an id whose name is not plain: on phpBB 3 only they can share a localpart with a plain name. */
  unusual(belowId: number, within: number): Promise<readonly MemberName[]>;
  /** The highest id in the users table: no more members than this. */
  highest(within: number): Promise<number>;
  /** Active members with this plain name in any case. */
  plain(name: string, within: number): Promise<readonly MemberName[]>;
  close(): void;
}

export type MemberName = { readonly id: number; readonly username: string };

/** What the MUC service answered about a nickname. */
export type NickOutcome =
  | { readonly kind: 'done' }
  /** Registered for another JID. */
  | { readonly kind: 'taken' }
  /** It will not do this, however often it is asked. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** No proper answer this time. */
  | { readonly kind: 'failed'; readonly reason: string }
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
  close(): void;
}

/** What sync-nicks remembers between runs: the last record about a member counts. Throws SaxError (73) when it cannot be kept. */
export interface NickLog {
  /** Every record, oldest first, with its position. To be read to its end before anything is appended. */
  records(): Iterable<{ readonly record: NickRecord; readonly position: number }>;
  read(position: number): NickRecord | undefined;
  /** The first and the last record; undefined where there is none, or where the file ends in something else. Reads no more than that. */
  ends(): { readonly first: NickRecord | undefined; readonly last: NickRecord | undefined };
  /** Durable when it returns; gives the records' positions. */
  append(records: readonly NickRecord[]): readonly number[];
  /** Bytes. */
  size(): number;
  /** Replaces everything by these records, all or nothing; positions from before are void. */
  rewrite(records: Iterable<NickRecord>): Promise<void>;
  close(): void;
}

/** One line of an IRC channel. */
export type ChannelLine = {
  readonly nick: string;
  /** As it was sent, mIRC codes included; without the frame of an action. */
  readonly text: string;
  readonly how: 'message' | 'action' | 'notice';
  /** Milliseconds since 1970: the server's `time` tag, else the time of arrival. */
  readonly at: number;
  /** The server's id of the line (IRCv3 msgid), where it gives one. */
  readonly msgid: string | undefined;
  readonly source: 'live' | 'history';
  /** We said it ourselves, in this session or, in a replay, in a former one. */
  readonly own: boolean;
  /** The id that a bridge of this kind put on the line (a client-only tag), ours or another's. */
  readonly bridgeId: string | undefined;
};

/** What happens in a channel, one at a time and in order. A handler must not throw and must not wait. */
export interface ChannelEvents {
  line(line: ChannelLine): void;
  /** The server has the line that we said under this id. */
  confirmed(id: string, msgid: string | undefined): void;
  /** The server refused the line that we said under this id. */
  refused(id: string, reason: string): void;
  present?(nick: string): void;
  absent?(nick: string, how: 'part' | 'quit' | 'kick', reason: string): void;
  renamed?(from: string, to: string): void;
  topic?(topic: string, nick: string): void;
  /** We are no longer in the channel (kick, or the connection ended). Nothing follows. */
  left(why: Disconnect): void;
}

/** Where we stopped listening, for what the server may replay. */
export type Heard = {
  /** The last line that we heard: its time by the server's clock, its id. */
  readonly at: number;
  readonly msgid?: string | undefined;
  /** Until when we listened, by our clock. */
  readonly until: number;
};

/** One channel that we are in. */
export interface Channel {
  readonly channel: string;
  /** Our nickname now. */
  readonly nick: string;
  /** What the server replayed when we joined: everything since `heard`, or not known to be everything. */
  readonly replay: 'complete' | 'none';
  has(nick: string): boolean;
  occupants(): readonly string[];
  /** Bytes of text that arrive whole at the others, by our real prefix. */
  budget(): number;
  /** Sends one line; `confirmed` or `refused` follows. */
  say(id: string, text: string, how: ChannelLine['how']): void;
  leave(): void;
}

/** One registered connection to an IRC server. */
export interface IrcSession {
  readonly server: string;
  readonly nick: string;
  readonly closed: Promise<Disconnect>;
  /** When the last byte came, milliseconds since 1970: until then we heard everything. */
  readonly heardUntil: number;
  /**
   * Joins; resolves when the server has told names and replays. `heard`: where we stopped listening last time. Rejects with
   * core/refusal, the condition being the numeric (`474` banned, `475` key, `471` full, `473` invitation, `477` registration).
   */
  enter(
    channel: string,
    key: string | undefined,
    events: ChannelEvents,
    heard?: Heard,
    signal?: AbortSignal,
  ): Promise<Channel>;
  ping(deadlineMs?: number): Promise<void>;
  close(): Promise<void>;
  abandon(why: Disconnect): void;
}
