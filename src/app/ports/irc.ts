import type { Disconnect } from './chat.ts';

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
  /** Until when we listened, by our own clock, which need not agree with the server's. */
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
  /** Who confirms a line: the server of itself (`echo`), or only when it is asked behind the line (`asked`). */
  readonly confirms: 'echo' | 'asked';
  /** Sends one line; `confirmed` or `refused` follows, at the latest when `ask` was answered. */
  say(id: string, text: string, how: ChannelLine['how']): void;
  /** Asks for all lines said since the last question (one PING, whatever their number); `done` after their events. */
  ask(done: () => void): void;
  leave(): void;
}

/** One registered connection to an IRC server. */
export interface IrcSession {
  readonly server: string;
  readonly nick: string;
  readonly closed: Promise<Disconnect>;
  /** Milliseconds since 1970: what came until then has been handed on. */
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
