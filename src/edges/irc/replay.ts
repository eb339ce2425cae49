import type { Channel, Heard } from '../../app/ports/irc.ts';
import { historyMode } from './message.ts';

export type ReplayWiring = {
  readonly channel: string;
  /** Where we stopped listening; undefined: never listened. */
  readonly heard: Heard | undefined;
  /** The server keeps a history that can be asked for (draft/chathistory). */
  readonly asks: boolean;
  /** RPL_ISUPPORT CHATHISTORY: the most lines of one answer. */
  readonly limit: number;
  readonly write: (line: string) => void;
  readonly barrier: (done: () => void) => void;
  readonly now: () => number;
};

/** What a server says again of a channel when we join it, by itself (InspIRCd's mode +H) or asked (IRCv3 draft/chathistory). */
export type Replay = {
  /** Answers come later than what is said live meanwhile, which has to wait for them. */
  readonly asks: boolean;
  /** A line of it came. */
  take(at: number, msgid: string | undefined): void;
  /** The server's clock (server-time) shows this now. */
  clock(serverNow: number): void;
  /** RPL_CHANNELMODEIS: how much the server keeps. */
  modes(params: readonly string[]): void;
  /** A batch of it is whole. */
  ended(): void;
  /** The server does not answer the question (FAIL). */
  failed(): void;
  /** Asks for everything since we stopped listening, if the server can be asked. `over` ends it early. */
  ask(over: Promise<unknown>): Promise<void>;
  /** Whether it holds everything since then. */
  completeness(): Channel['replay'];
};

const PAGE = 200;
const PAGES = 50;
/** What was said this long before the last byte came had arrived. */
const ARRIVED_MS = 15_000;
/** Servers give times in whole seconds, some of them. */
const SECOND_MS = 1000;

export function newReplay({ channel, heard, asks, limit, write, barrier, now }: ReplayWiring): Replay {
  let mode: ReturnType<typeof historyMode>;
  let count = 0;
  let last: string | undefined;
  let reachesBack: 'no' | 'time' | 'line' = 'no';
  let whole = true;
  /** How far our clock is ahead of the server's. */
  let ahead = 0;
  let turn: ((failed: boolean) => void) | undefined;

  /** One page behind a position. False: the server gives none. */
  async function page(from: string, over: Promise<unknown>): Promise<boolean> {
    const answered = new Promise<boolean>((resolve) => {
      turn = (failed) => resolve(!failed);
      write(`CHATHISTORY AFTER ${channel} ${from} ${Math.min(PAGE, limit)}`);
      barrier(() => resolve(true));
    });
    const ended = over.then(
      () => false,
      () => false,
    );
    const answer = await Promise.race([answered, ended]);
    turn = undefined;
    return answer;
  }

  return {
    asks: asks && heard !== undefined,
    take(at, msgid) {
      count += 1;
      last = msgid === undefined ? `timestamp=${new Date(at).toISOString()}` : `msgid=${msgid}`;
      if (heard === undefined) return;
      if (msgid !== undefined && msgid === heard.msgid) reachesBack = 'line';
      else if (reachesBack === 'no' && isBefore(at, ahead, heard)) reachesBack = 'time';
    },
    clock(serverNow) {
      ahead = now() - serverNow;
    },
    modes(params) {
      mode = historyMode(params);
    },
    ended: () => turn?.(false),
    failed: () => turn?.(true),
    async ask(over) {
      if (!asks || heard === undefined) return;
      // From a little before the last line that we heard: a server that shows it again has forgotten nothing since.
      let from = `timestamp=${new Date(Math.max(0, heard.at - SECOND_MS)).toISOString()}`;
      for (let pages = 0; ; pages += 1) {
        const before = count;
        const answered = pages < PAGES && (await page(from, over));
        if (!answered) whole = false;
        // A server may give fewer than asked for at a time: only an empty page is the end.
        if (!answered || count === before) return;
        if (last === undefined || last === from) {
          whole = false;
          return;
        }
        from = last;
      }
    },
    /**
     * It does when it goes back to the last line that we heard. Else it must be one that is not full and whose time reaches back,
     * and it may not lack a line that it ought to hold: a server that was restarted has forgotten what it heard.
     */
    completeness() {
      if (heard === undefined || !whole) return 'none';
      if (reachesBack === 'line') return 'complete';
      if (asks && heard.msgid === undefined && reachesBack === 'time') return 'complete';
      if (mode === undefined) return 'none';
      const full = count >= mode.lines;
      const forgot = heard.msgid !== undefined && !full && now() - heard.at < mode.ms;
      if (forgot) return 'none';
      if (full) return reachesBack === 'time' ? 'complete' : 'none';
      return now() - heard.until < mode.ms ? 'complete' : 'none';
    },
  };
}

/** Whether a line was said surely before we stopped listening: when it is older than the last line that we heard, or by a margin. */
function isBefore(at: number, ahead: number, { at: last, until }: Heard): boolean {
  return at < last - SECOND_MS || at + ahead <= until - ARRIVED_MS;
}
