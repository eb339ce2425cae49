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
  /**
   * One page of a room's archive (XEP-0313 with XEP-0059). Rejects when the server has no answer, also where it hides that
   * behind an empty page (ejabberd without its database).
   */
  archive(room: string, query: ArchiveQuery): Promise<ArchivePage>;
  /** What the server says that it can do (XEP-0030), the `var` of each feature. */
  features(): Promise<readonly string[]>;
  /** XEP-0199 to the server. Rejects when no answer came within the deadline. */
  ping(deadlineMs?: number): Promise<void>;
  /** Ends the stream properly, within a second. */
  close(): Promise<void>;
  /** Gives the connection up at once, without a word to a peer that may be dead. */
  abandon(why: Disconnect): void;
}
