import { reasonOf } from '../core/errors.ts';
import { newSeen, type Print, type Wish, wished } from './history.ts';
import type { ChatSession, Disconnect, RoomEvents, RoomLine } from './ports/chat.ts';
import type { Log } from './ports/log.ts';

/** Where the reader stands; outlives connections. */
export type Cursor = {
  /** The newest line of the archive that was looked at. */
  last: string | undefined;
  readonly seen: ReturnType<typeof newSeen>;
};

export function newCursor(last: string | undefined): Cursor {
  const seen = newSeen();
  if (last !== undefined) seen.add(last);
  return { last, seen };
}

/**
 * Follows the room on one connection: joins, reads in the archive what was said since the cursor, then prints what comes
 * live. A line that comes both ways is known by its id. Joining first leaves no gap: what is said while the archive is read
 * waits. Settles when the connection or the seat in the room is lost; never rejects.
 */
export async function followRoom(
  session: ChatSession,
  options: {
    readonly nick: string;
    readonly wish: Wish;
    readonly cursor: Cursor;
    readonly print: Print;
    readonly log: Log;
    readonly hasArchive: boolean;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const { wish, cursor, print, log } = options;
  const waiting: RoomLine[] = [];
  let wake = (): void => {};
  let left: Disconnect | undefined;
  const events: RoomEvents = {
    line(line) {
      if (line.source !== 'live') return;
      waiting.push(line);
      wake();
    },
    left(why) {
      left = why;
      wake();
    },
  };
  try {
    await enter(session, wish.room, options.nick, events, options.signal);
    if (options.hasArchive) await catchUp(session, wish, cursor, print);
    while (left === undefined || waiting.length > 0) {
      const lines = waiting.splice(0).filter((line) => line.id === undefined || cursor.seen.add(line.id));
      if (lines.length === 0) {
        await new Promise<void>((resolve) => {
          wake = resolve;
          if (left !== undefined || waiting.length > 0) resolve();
        });
        continue;
      }
      cursor.last = lines.findLast((line) => line.id !== undefined)?.id ?? cursor.last;
      await print(wished(lines, wish));
    }
    session.abandon(left);
  } catch (error) {
    if (options.signal.aborted) return;
    log.warn('follow-failed', reasonOf(error));
    session.abandon({ kind: 'server', reason: reasonOf(error), permanent: false });
  }
}

/** The account's own nickname if it can be had (two logins of one account may share it), else one beside it. */
async function enter(
  session: ChatSession,
  room: string,
  nick: string,
  events: RoomEvents,
  signal: AbortSignal,
): Promise<void> {
  try {
    await session.enter(room, nick, events, { signal });
  } catch (error) {
    if ((error as { condition?: string }).condition !== 'conflict') throw error;
    const beside = `${nick}-history-${session.jid.split('-').at(-1) ?? ''}`;
    await session.enter(room, beside, events, { signal });
  }
}

/** Prints what the archive has behind the cursor. */
async function catchUp(session: ChatSession, wish: Wish, cursor: Cursor, print: Print): Promise<void> {
  for (;;) {
    const since = cursor.last === undefined ? wish.since : undefined;
    const page = await session.archive(wish.room, { after: cursor.last, since, max: 250 });
    const lines = page.lines.filter((line) => line.id === undefined || cursor.seen.add(line.id));
    cursor.last = page.last ?? cursor.last;
    await print(wished(lines, wish));
    if (page.complete || page.last === undefined) return;
  }
}
