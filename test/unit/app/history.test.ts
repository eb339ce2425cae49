import { describe, expect, it, vi } from 'vitest';
import { historyOf, type Wish } from '../../../src/app/history.ts';
import { followRoom, newCursor } from '../../../src/app/history-follow.ts';
import type { ChatSession, RoomEvents, RoomLine } from '../../../src/app/ports/chat.ts';
import type { Log } from '../../../src/app/ports/log.ts';
import type { Entry } from '../../../src/core/history/entry.ts';
import { Refusal } from '../../../src/core/refusal.ts';
import { until } from '../../helpers/until.ts';

const ROOM = 'sax@conference.chat.test';
const log: Log = { error: vi.fn(), warn: vi.fn(), info: vi.fn(), debug: vi.fn(), child: () => log };

const line = (number: number, fields: Partial<RoomLine> = {}): RoomLine => ({
  id: String(number),
  messageId: undefined,
  originId: undefined,
  nick: 'tari',
  jid: undefined,
  body: `line ${number}`,
  at: number * 1000,
  source: 'archive',
  ...fields,
});

/** A session whose archive answers as XEP-0313 and XEP-0059 say; `page` is the most that it gives. */
function fakeSession(lines: RoomLine[], page = 250) {
  const asked: object[] = [];
  let events: RoomEvents | undefined;
  const session = {
    jid: 'webridge@chat.test/saxctl-history-0000',
    closed: new Promise(() => {}),
    async archive(
      _room: string,
      query: { after?: string; before?: string; since?: number; until?: number; max?: number },
    ) {
      asked.push(query);
      const { after, before, since = 0, until: end = Number.POSITIVE_INFINITY, max = 100 } = query;
      const inRange = lines.filter(({ at }) => at >= since && at <= end);
      const start = after === undefined ? 0 : inRange.findIndex(({ id }) => id === after) + 1;
      const stop =
        before === undefined || before === '' ? inRange.length : inRange.findIndex(({ id }) => id === before);
      const rest = inRange.slice(start, stop);
      const count = Math.min(max, page);
      const found = before === undefined ? rest.slice(0, count) : rest.slice(-count);
      return { lines: found, complete: found.length === rest.length, first: found[0]?.id, last: found.at(-1)?.id };
    },
    async enter(_room: string, _nick: string, given: RoomEvents) {
      events = given;
      return { leave: async () => {} };
    },
    abandon: vi.fn(),
  };
  return { session: session as unknown as ChatSession, asked, events: () => events, abandon: session.abandon };
}

const wish = (fields: Partial<Wish> = {}): Wish => ({
  room: ROOM,
  since: undefined,
  until: undefined,
  limit: 50,
  from: undefined,
  grep: undefined,
  bots: [],
  ircForm: '<{nick}> {text}',
  ...fields,
});

async function printed(lines: RoomLine[], wanted: Wish, page?: number) {
  const { session, asked } = fakeSession(lines, page);
  const texts: string[] = [];
  const past = await historyOf(
    session,
    'webridge',
    wanted,
    async (entries) => void texts.push(...entries.map(({ text }) => text)),
    log,
  );
  return { texts, asked, past };
}

describe('historyOf', () => {
  const thousand = Array.from({ length: 1000 }, (_, index) => line(index + 1));

  it('shows the newest lines, the oldest of them first, with one small question', async () => {
    const { texts, asked, past } = await printed(thousand, wish({ limit: 3 }));
    expect(texts).toEqual(['line 998', 'line 999', 'line 1000']);
    expect(asked).toEqual([expect.objectContaining({ before: '', max: 3 })]);
    expect(past.last).toBe('1000');
  });

  it('pages back until the limit is reached, however small the pages are', async () => {
    const { texts, asked } = await printed(thousand, wish({ limit: 120 }), 50);
    expect(texts).toEqual(thousand.slice(-120).map(({ body }) => body));
    expect(asked).toHaveLength(3);
  });

  it('pages back through lines that are not wished for', async () => {
    const lines = thousand.map((each, index) => (index % 300 === 0 ? { ...each, nick: 'Bob' } : each));
    const { texts } = await printed(lines, wish({ limit: 2, from: 'bob' }));
    expect(texts).toEqual(['line 601', 'line 901']);
  });

  it('reads forwards when everything since a time is wanted', async () => {
    const { texts, past } = await printed(thousand, wish({ limit: undefined, since: 400_000, until: 999_000 }), 250);
    expect(texts).toHaveLength(600);
    expect([texts[0], texts.at(-1)]).toEqual(['line 400', 'line 999']);
    expect(past.last).toBe('999');
  });

  it('finds an IRC nickname inside the relayed line', async () => {
    const bots = [{ nick: 'irc', jid: undefined, kind: 'irc' as const }];
    const lines = [
      line(1, { nick: 'irc', body: '<bob> hi' }),
      line(2, { nick: 'irc', body: '<eve> bob' }),
      line(3, { nick: 'BOB' }),
    ];
    const { texts } = await printed(lines, wish({ from: 'Bob', bots }));
    expect(texts).toEqual(['<bob> hi', 'line 3']);
  });

  it('asks the expression for a page at a time', async () => {
    const grep = vi.fn((texts: readonly string[]) => texts.map((text) => text.endsWith('7')));
    const { texts } = await printed(thousand.slice(0, 20), wish({ grep }));
    expect(texts).toEqual(['line 7', 'line 17']);
    expect(grep).toHaveBeenCalledTimes(1);
  });

  it('prints nothing for limit 0 and still knows where the archive ends', async () => {
    const { texts, past } = await printed(thousand, wish({ limit: 0 }));
    expect(texts).toEqual([]);
    expect(past.last).toBe('1000');
  });

  it('falls back to what the room tells those who join', async () => {
    const { session } = fakeSession([]);
    const without: ChatSession = {
      ...session,
      archive: () => Promise.reject(new Refusal(77, 'service-unavailable', 'no archive')),
      async enter(_room, _nick, events) {
        events.line(line(1, { source: 'history' }));
        events.line(line(2, { source: 'live' }));
        events.subject?.('', '');
        return { leave: async () => {} } as Awaited<ReturnType<ChatSession['enter']>>;
      },
    };
    const texts: string[] = [];
    const past = await historyOf(
      without,
      'webridge',
      wish(),
      async (entries) => void texts.push(...entries.map(({ text }) => text)),
      log,
    );
    expect(texts).toEqual(['line 1']);
    expect(past).toEqual({ last: undefined, hasArchive: false });
  });
});

describe('historyOf without an archive', () => {
  /** A room that replays some lines; `end` says what comes then. */
  function replaying(end: (events: RoomEvents) => void) {
    const asked: (number | undefined)[] = [];
    const session: ChatSession = {
      ...fakeSession([]).session,
      archive: () => Promise.reject(new Refusal(77, 'service-unavailable', 'no archive')),
      async enter(_room, _nick, events, options) {
        asked.push(options?.historyStanzas);
        for (const number of [1, 2, 3]) events.line(line(number, { source: 'history', nick: `n${number}` }));
        end(events);
        return { leave: async () => {} } as Awaited<ReturnType<ChatSession['enter']>>;
      },
    };
    const texts: string[] = [];
    const print = async (entries: readonly Entry[]) => void texts.push(...entries.map(({ text }) => text));
    return { asked, texts, run: (wanted: Wish) => historyOf(session, 'webridge', wanted, print, log) };
  }

  it('a connection lost in the middle is an error, not a short history', async () => {
    const { texts, run } = replaying(({ left }) => left({ kind: 'network', reason: 'lost', permanent: false }));
    await expect(run(wish())).rejects.toMatchObject({ exit: 69, message: expect.stringContaining('lost') });
    expect(texts).toEqual([]);
  });

  it('a room that never says its subject is given up', async () => {
    vi.useFakeTimers();
    try {
      const failed = expect(replaying(() => {}).run(wish())).rejects.toMatchObject({ exit: 69 });
      await vi.advanceTimersByTimeAsync(30_001);
      await failed;
    } finally {
      vi.useRealTimers();
    }
  });

  it('asks for more than the limit when lines are filtered', async () => {
    const { asked, texts, run } = replaying(({ subject }) => subject?.('', ''));
    await run(wish({ limit: 1, from: 'n1' }));
    expect([asked, texts]).toEqual([[1000], ['line 1']]);
  });
});

describe('followRoom', () => {
  it('prints what was missed, then what comes live, each once', async () => {
    const archive = [line(1), line(2), line(3)];
    const { session, events, abandon } = fakeSession(archive, 1);
    const shown: string[] = [];
    const print = async (entries: readonly Entry[]) => void shown.push(...entries.map(({ id }) => id));
    const cursor = newCursor('1');
    const signal = new AbortController().signal;
    const following = followRoom(session, {
      nick: 'webridge',
      wish: wish(),
      cursor,
      print,
      log,
      hasArchive: true,
      signal,
    });
    await until(() => events() !== undefined);
    // Said while the archive is read: in both.
    events()?.line(line(3, { source: 'live' }));
    await until(() => shown.includes('3'));
    events()?.line(line(4, { source: 'live' }));
    await until(() => shown.includes('4'));
    events()?.left({ kind: 'network', reason: 'lost', permanent: false });
    await following;
    expect(shown).toEqual(['2', '3', '4']);
    expect(cursor.last).toBe('4');
    expect(abandon).toHaveBeenCalled();

    // The next connection: line 5 was said meanwhile.
    archive.push(line(4), line(5));
    const next = fakeSession(archive);
    const again = followRoom(next.session, {
      nick: 'webridge',
      wish: wish(),
      cursor,
      print,
      log,
      hasArchive: true,
      signal,
    });
    await until(() => shown.includes('5'));
    next.events()?.left({ kind: 'network', reason: 'lost', permanent: false });
    await again;
    expect(shown).toEqual(['2', '3', '4', '5']);
  });
});
