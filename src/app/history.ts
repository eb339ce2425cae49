import { newDeferred } from '../core/deferred.ts';
import { EXIT, SaxError } from '../core/errors.ts';
import { type Entry, entryOf, ircNickOf, type KnownBot } from '../core/history/entry.ts';
import type { ArchiveQuery, ChatSession, RoomLine } from './ports/chat.ts';
import type { Log } from './ports/log.ts';

/** What somebody wants to see of a room. */
export type Wish = {
  readonly room: string;
  /** Milliseconds since 1970. */
  readonly since: number | undefined;
  readonly until: number | undefined;
  /** The newest so many; undefined: all. */
  readonly limit: number | undefined;
  /** Nickname in the room or on IRC, letter case aside. */
  readonly from: string | undefined;
  /** Which of the texts match; asked for a page at a time. */
  readonly grep: ((texts: readonly string[]) => readonly boolean[]) | undefined;
  readonly bots: readonly KnownBot[];
  /** `[ircbridge] to_room`. */
  readonly ircForm: string;
};

/** Takes entries in order; resolves when the reader has room for more. */
export type Print = (entries: readonly Entry[]) => Promise<void>;

/** How much is asked for at once when lines are filtered or there is no limit; ejabberd gives 250 at most. */
const PAGE = 250;

/** The entries of some lines that are wished for. Lines without a text (retractions) are none. */
export function wished(lines: readonly RoomLine[], wish: Wish): Entry[] {
  const from = wish.from?.normalize('NFC').toLowerCase();
  const entries = lines
    .filter((line) => line.body !== '')
    .map((line) => entryOf(line, wish.bots))
    .filter(
      ({ at }) => (wish.since === undefined || at >= wish.since) && (wish.until === undefined || at <= wish.until),
    )
    .filter((entry) => from === undefined || nicksOf(entry, wish.ircForm).some((nick) => nick === from));
  if (wish.grep === undefined || entries.length === 0) return entries;
  const matching = wish.grep(entries.map((entry) => entry.text));
  return entries.filter((_, index) => matching[index]);
}

function nicksOf(entry: Entry, form: string): string[] {
  const onIrc = entry.kind === 'irc' ? ircNickOf(entry.text, form) : undefined;
  return [entry.nick, ...(onIrc === undefined ? [] : [onIrc])].map((nick) => nick.normalize('NFC').toLowerCase());
}

/**
 * Prints what the archive holds of the wish, oldest first. Nothing but one page is kept in memory when there is no limit.
 * @returns the id of the archive's newest line, for `follow` to go on from; undefined when the archive is empty.
 * @throws SaxError of the session: no archive, no room, refused.
 */
export async function printArchive(session: ChatSession, wish: Wish, print: Print): Promise<string | undefined> {
  return wish.limit === undefined ? forwards(session, wish, print) : backwards(session, wish, wish.limit, print);
}

/** Archives count finer than milliseconds: what falls into the last one belongs to the wish. */
const range = ({ since, until }: Wish): ArchiveQuery => ({ since, until: until === undefined ? undefined : until + 1 });

async function forwards(session: ChatSession, wish: Wish, print: Print): Promise<string | undefined> {
  let last: string | undefined;
  for (;;) {
    const page = await session.archive(wish.room, { ...range(wish), after: last, max: PAGE });
    await print(wished(page.lines, wish));
    last = page.last ?? last;
    if (page.complete || page.last === undefined) return last;
  }
}

async function backwards(session: ChatSession, wish: Wish, limit: number, print: Print): Promise<string | undefined> {
  const filtered = wish.from !== undefined || wish.grep !== undefined;
  const found: Entry[][] = [];
  let count = 0;
  let newest: string | undefined;
  let before = '';
  do {
    const max = filtered ? PAGE : Math.min(PAGE, Math.max(1, limit - count));
    const page = await session.archive(wish.room, { ...range(wish), before, max });
    newest ??= page.last;
    const entries = wished(page.lines, wish);
    found.unshift(entries);
    count += entries.length;
    if (page.complete || page.first === undefined) break;
    before = page.first;
  } while (count < limit);
  await print(limit === 0 ? [] : found.flat().slice(-limit));
  return newest;
}

/** Ids of lines already seen; forgets the oldest, far behind anything that could come twice. */
export function newSeen(limit = 20_000): { add(id: string): boolean } {
  const ids = new Set<string>();
  return {
    /** False when the id was there already. */
    add(id) {
      if (ids.has(id)) return false;
      ids.add(id);
      if (ids.size > limit) ids.delete(ids.values().next().value ?? id);
      return true;
    },
  };
}

/**
 * Prints the past: from the archive, else, where the room keeps none, what it tells those who join.
 * @param nick to join with, if it comes to that.
 */
export async function historyOf(
  session: ChatSession,
  nick: string,
  wish: Wish,
  print: Print,
  log: Log,
): Promise<{ readonly last: string | undefined; readonly hasArchive: boolean }> {
  try {
    return { last: await printArchive(session, wish, print), hasArchive: true };
  } catch (error) {
    if (!NO_ARCHIVE.includes((error as { condition?: string }).condition ?? '')) throw error;
    log.warn('no-archive', `${wish.room} keeps no archive: only what the room itself remembers is shown`);
  }
  const lines = await joinHistory(session, nick, wish);
  const entries = wished(lines, wish);
  await print(wish.limit === undefined ? entries : wish.limit === 0 ? [] : entries.slice(-wish.limit));
  return { last: undefined, hasArchive: false };
}

/** How servers say that a room has no archive: mod_mam is off, or the room's own option. */
const NO_ARCHIVE = ['feature-not-implemented', 'service-unavailable', 'not-allowed'];

/** How long a room may take to replay. */
const REPLAY_MS = 30_000;

/** What the room replays to somebody who joins (XEP-0045 7.2.13); the subject comes behind it. */
async function joinHistory(session: ChatSession, nick: string, wish: Wish): Promise<RoomLine[]> {
  const lines: RoomLine[] = [];
  const filtered = wish.from !== undefined || wish.grep !== undefined || wish.until !== undefined;
  const replayed = newDeferred<void>();
  // Left before the end, or never told of it: what came is not all, and must not look like it.
  const fail = (reason: string): void => replayed.reject(new SaxError(EXIT.unavailable, `${wish.room}: ${reason}`));
  replayed.promise.catch(() => {});
  const room = await session.enter(
    wish.room,
    nick,
    {
      line: (line) => void (line.source === 'history' && lines.push(line)),
      subject: () => replayed.resolve(),
      left: ({ reason }) => fail(reason),
    },
    { historyStanzas: filtered ? 1000 : Math.min(wish.limit ?? 1000, 1000) },
  );
  const timer = setTimeout(() => fail('the room did not tell its history to the end'), REPLAY_MS);
  try {
    await replayed.promise;
  } finally {
    clearTimeout(timer);
  }
  await room.leave();
  return lines;
}
