import type { Conn, ConnEvents, ConnOptions, Login, Resume } from './conn.ts';
import type { Line } from './line.ts';

/** Where a link is in its life; the way from one to the other stands in link.ts. */
export type State = 'idle' | 'connecting' | 'live' | 'waiting' | 'refused' | 'removed' | 'guest';

/** What happens, with plain data: the leading tab passes the same on to its followers. */
export type LinkEvents = {
  state(state: State, note: string): void;
  /** `name`: as the site writes it. */
  me(nick: string, role: string, name?: string): void;
  /** The nicknames in the room. */
  people(nicks: readonly string[]): void;
  line(line: Line): void;
  /** The archive holds more than we asked for: what we had before this time (ms) is no longer joined to what follows. */
  gap(ts: number): void;
  /** Everything missed has been told; what comes now is new. */
  settled(): void;
};

/** A typed line that the room has not reflected yet; `by` keeps it from being said under another member's name. */
export type Unsaid = { readonly id: string; readonly text: string; readonly ts: number; readonly by: string };
export type Account = Login & { readonly nick: string };

/** What a page leaves behind so that the next one goes on without leaving the room. */
export type Handover = {
  readonly resume: Resume;
  readonly nick: string;
  readonly role: string;
  /** Nicknames in the room. */
  readonly list: readonly string[];
};

export type LinkPort = {
  readonly domain: string;
  readonly room: string;
  /** Lines asked for at join. */
  readonly history: number;
  /** Opens a connection; `transport` counts on when the one before did not open. */
  open(transport: number, options: ConnOptions, on: ConnEvents): Conn;
  /** Asks the page who is there; undefined for a guest. Rejects when the site does not answer. */
  account(fresh: boolean): Promise<Account | undefined>;
  lastId(): string | undefined;
  saveUnsaid(unsaid: readonly Unsaid[]): void;
  readonly on: LinkEvents;
  isOnline(): boolean;
};
