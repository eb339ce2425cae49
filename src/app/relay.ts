import type { Form } from '../core/relay-nick.ts';
import type { Clock } from './ports/clock.ts';
import type { Log } from './ports/log.ts';

/** What both directions of a link need. Read anew at each line, since a reload may change it. */
export type RelaySettings = {
  readonly toIrc: Form;
  readonly toRoom: Form;
  /** In lower case. */
  readonly ignore: ReadonlySet<string>;
  readonly catchUpMs: number;
  readonly joins: boolean;
  /** Leave relayed nicknames whole, so that they wake their namesakes. */
  readonly highlight: boolean;
  readonly colours: boolean;
  /** The site's bot in the room. */
  readonly announcers: ReadonlySet<string>;
};

export type Direction = 'to-irc' | 'to-room';

/** What is counted, for metrics. */
export type RelayCounts = {
  said(direction: Direction, ms: number): void;
  givenUp(direction: Direction): void;
  gap(direction: Direction): void;
};

export type RelayTools = {
  readonly settings: () => RelaySettings;
  readonly count: RelayCounts;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
};

/** From this age on a line that had to wait for a broken connection, or that comes from an archive, carries its own time. */
export const LATE_MS = 10_000;
