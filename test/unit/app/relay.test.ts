import { describe, expect, test } from 'vitest';
import { makeLink } from '../../../src/app/ircbridge-link.ts';
import { newPacer } from '../../../src/app/pacer.ts';
import type { RoomLine } from '../../../src/app/ports/chat.ts';
import type { Channel, ChannelEvents, ChannelLine, Heard, IrcSession } from '../../../src/app/ports/irc.ts';
import type { RelaySettings } from '../../../src/app/relay.ts';
import { newDeferred } from '../../../src/core/deferred.ts';
import { parseForm } from '../../../src/core/relay-nick.ts';
import { span } from '../../../src/core/relay-text.ts';
import { fakeClock } from '../../helpers/fake-clock.ts';
import { fakeLog } from '../../helpers/fake-log.ts';
import { type FakeSession, fakeSession } from '../../helpers/fake-session.ts';
import { memoryJournal, newDisk } from '../../helpers/memory-journal.ts';

const ROOM = 'sax@conference.chat.test';
const LOST = { kind: 'network', reason: 'lost', permanent: false } as const;

type FakeIrc = Omit<IrcSession, 'server'> & {
  server: string;
  readonly said: { id: string; text: string; how: string }[];
  events: ChannelEvents | undefined;
  asked: Heard | undefined;
  confirmAll(): Promise<void>;
  replay: Channel['replay'];
  confirms: Channel['confirms'];
  /** How many lines had been said at each question, and its answer. */
  readonly questions: { readonly behind: number; readonly answer: () => void }[];
  /** Lines replayed during the join. */
  history: readonly ChannelLine[];
};

function fakeIrc(settle: () => Promise<void>): FakeIrc {
  const closed = newDeferred<typeof LOST>();
  const session: FakeIrc = {
    server: 'irc://test',
    nick: 'sax',
    closed: closed.promise,
    heardUntil: 0,
    said: [],
    events: undefined,
    asked: undefined,
    replay: 'none',
    confirms: 'echo',
    questions: [],
    history: [],
    async enter(channel, _key, events, heard) {
      session.events = events;
      session.asked = heard;
      for (const line of session.history) events.line(line);
      return {
        channel,
        nick: 'sax',
        replay: session.replay,
        has: (nick) => nick === 'namesake',
        occupants: () => ['namesake'],
        budget: () => 400,
        confirms: session.confirms,
        ask: (answer) => void session.questions.push({ behind: session.said.length, answer }),
        say: (id, text, how) => void session.said.push({ id, text, how }),
        leave() {},
      };
    },
    async confirmAll() {
      for (let index = 0; index < session.said.length; index += 1) {
        session.events?.confirmed(session.said[index]?.id ?? '', undefined);
        await settle();
      }
    },
    async ping() {},
    async close() {},
    abandon(why) {
      session.events?.left(why);
      closed.resolve(LOST);
    },
  };
  return session;
}

const line = (id: string, body: string, at: number, extra: Partial<RoomLine> = {}): RoomLine => ({
  id,
  messageId: `m${id}`,
  originId: undefined,
  nick: 'alice',
  jid: undefined,
  body,
  at,
  source: 'live',
  ...extra,
});
const heard = (text: string, extra: Partial<ChannelLine> = {}): ChannelLine => ({
  nick: 'eve',
  text,
  how: 'message',
  at: 0,
  msgid: undefined,
  source: 'live',
  own: false,
  bridgeId: undefined,
  ...extra,
});

function setUp(changes: Partial<RelaySettings> = {}) {
  const clock = fakeClock();
  const log = fakeLog();
  const settings: RelaySettings = {
    toIrc: parseForm('<{nick}> {text}'),
    toRoom: parseForm('<{nick}> {text}'),
    ignore: new Set(['spammer']),
    catchUpMs: 3_600_000,
    joins: false,
    highlight: false,
    colours: false,
    announcers: new Set(['site']),
    ...changes,
  };
  const disks = { toIrc: newDisk(), toRoom: newDisk() };
  const make = () =>
    makeLink({
      room: ROOM,
      nick: 'irc',
      channel: '#sax',
      key: undefined,
      toIrcJournal: memoryJournal(disks.toIrc),
      toRoomJournal: memoryJournal(disks.toRoom),
      changed() {},
      settings: () => settings,
      count: { said() {}, givenUp() {}, gap() {} },
      clock,
      random: () => 0,
      log,
    });
  const settle = () => clock.advance(0);
  const bothUp = async (
    link: ReturnType<typeof make>,
    prepare: { xmpp?: (session: FakeSession) => void; irc?: (session: FakeIrc) => void } = {},
    bucket = { burst: 100, everyMs: 0 },
  ) => {
    const xmpp = fakeSession();
    const irc = fakeIrc(settle);
    prepare.xmpp?.(xmpp);
    prepare.irc?.(irc);
    void link.inRoom(xmpp);
    void link.inChannel(irc, newPacer(bucket, clock));
    await clock.advance(1);
    const room = xmpp.rooms.at(-1);
    if (room === undefined) throw new Error('not in the room');
    return { xmpp, irc, room };
  };
  return { clock, log, disks, settings, make, bothUp, settle };
}

describe('room to IRC', () => {
  test('a line is said once, in parts, and confirmed one by one', async () => {
    const { make, bothUp, clock } = setUp();
    const { irc, room } = await bothUp(make());
    room.events.line(line('1', 'one\ntwo', clock.now()));
    room.events.line(line('1', 'one\ntwo', clock.now()));
    await clock.advance(1);
    expect(irc.said).toHaveLength(1);
    await irc.confirmAll();
    expect(irc.said.map(({ text }) => text)).toEqual(['<alice> one', '<alice> two']);
  });

  test('what was said while the bridge was dead is read from the archive, too old lines are counted', async () => {
    const { make, bothUp, clock } = setUp();
    const first = await bothUp(make());
    first.room.events.line(line('5', 'before', clock.now()));
    await clock.advance(1);
    await first.irc.confirmAll();
    // A crash: the first bridge is simply forgotten.
    await clock.advance(2 * 3_600_000);
    const now = clock.now();
    const second = await bothUp(make(), {
      xmpp(session) {
        session.archived = (_room, { after }) => {
          expect(after === undefined || after === '5').toBe(true);
          const lines = [
            line('5', 'before', now - 7_200_000, { source: 'archive' }),
            line('6', 'old one', now - 7_100_000, { source: 'archive' }),
            line('7', 'old two', now - 7_000_000, { source: 'archive' }),
            line('8', 'late', now - 60_000, { source: 'archive' }),
            line('9', 'from irc', now - 50_000, { source: 'archive', kind: 'irc', nick: 'irc' }),
          ].filter(({ id }) => after === undefined || Number(id) > Number(after));
          return { lines, complete: true, first: lines[0]?.id, last: lines.at(-1)?.id, count: lines.length };
        };
      },
    });
    second.room.events.line(line('10', 'live', now));
    await clock.advance(10);
    await second.irc.confirmAll();
    expect(second.irc.said.map(({ text }) => text.replaceAll(/\d\d:\d\d/g, 'T'))).toEqual([
      expect.stringMatching(/^-- 2 lines of the room from .* are left out, they are too old$/),
      '[T] <alice> late',
      '<alice> live',
    ]);
  });

  test('a full disk loses no line, also when lines that are not relayed follow and there is room again at once', async () => {
    const { make, bothUp, clock, disks } = setUp();
    const { irc, room, xmpp } = await bothUp(make());
    room.events.line(line('5', 'before', clock.now()));
    await clock.advance(1);
    await irc.confirmAll();
    disks.toIrc.full = true;
    const said = [
      line('6', 'six', clock.now()),
      line('7', 'not relayed', clock.now(), { nick: 'spammer' }),
      line('8', 'eight', clock.now()),
    ];
    xmpp.archived = (_room, { after }) => {
      const lines = said
        .filter(({ id }) => Number(id) > Number(after))
        .map((one) => ({ ...one, source: 'archive' }) as RoomLine);
      return { lines, complete: true, first: lines[0]?.id, last: lines.at(-1)?.id, count: lines.length };
    };
    for (const one of said) {
      room.events.line(one);
      disks.toIrc.full = false;
    }
    await clock.advance(6000);
    await irc.confirmAll();
    expect(irc.said.map(({ text }) => text)).toEqual(['<alice> before', '<alice> six', '<alice> eight']);
  });

  test('lines without an id of the room are told apart though their client numbers them all alike', async () => {
    const { make, bothUp, clock } = setUp();
    const { irc, room } = await bothUp(make());
    for (const text of ['one', 'two'])
      room.events.line(line('x', text, clock.now(), { id: undefined, messageId: '1' }));
    await clock.advance(1);
    await irc.confirmAll();
    expect(irc.said.map(({ text }) => text)).toEqual(['<alice> one', '<alice> two']);
  });

  test('a line of which a torn write kept the first part is said whole', async () => {
    const { make, bothUp, clock, disks } = setUp();
    const first = await bothUp(make());
    first.room.events.line(line('1', 'start', clock.now()));
    await clock.advance(1);
    await first.irc.confirmAll();
    const until = disks.toIrc.lines.length + 1;
    const torn = line('2', 'one\ntwo\nthree', clock.now());
    first.room.events.line(torn);
    while (disks.toIrc.lines.length <= until) await Promise.resolve();
    disks.toIrc.lines.length = until;
    const second = await bothUp(make(), {
      xmpp(session) {
        session.archived = (_room, { after }) => {
          const lines = after === '1' ? [{ ...torn, source: 'archive' } as RoomLine] : [];
          return { lines, complete: true, first: lines[0]?.id, last: lines[0]?.id, count: lines.length };
        };
      },
    });
    await clock.advance(10);
    await second.irc.confirmAll();
    expect(second.irc.said.map(({ text }) => text)).toEqual(['<alice> one', '<alice> two', '<alice> three']);
  });

  test('an archive that is away is asked again, and live lines wait for it', async () => {
    const { make, bothUp, clock } = setUp();
    const first = await bothUp(make());
    first.room.events.line(line('1', 'one', clock.now()));
    await clock.advance(1);
    await first.irc.confirmAll();
    let failing = true;
    const { irc, room } = await bothUp(make(), {
      xmpp(session) {
        session.archived = () => {
          if (failing) throw new Error('no answer');
          const lines = [line('2', 'two', clock.now(), { source: 'archive' })];
          return { lines, complete: true, first: '2', last: '2', count: 1 };
        };
      },
    });
    room.events.line(line('3', 'three', clock.now()));
    await clock.advance(100);
    expect(irc.said).toEqual([]);
    failing = false;
    await clock.advance(5000);
    await irc.confirmAll();
    expect(irc.said.map(({ text }) => text)).toEqual(['<alice> two', '<alice> three']);
  });

  test('a refused line is tried again, at last without codes; order is kept', async () => {
    const { make, bothUp, clock } = setUp();
    const { irc, room } = await bothUp(make());
    room.events.line(line('1', '*bold*', clock.now()));
    room.events.line(line('2', 'two', clock.now()));
    await clock.advance(1);
    for (let time = 0; time < 2; time += 1) {
      irc.events?.refused(irc.said.at(-1)?.id ?? '', 'no colours here (404)');
      await clock.advance(2000);
    }
    expect(irc.said.map(({ text }) => text)).toEqual(['<alice> \x02bold\x02', '<alice> \x02bold\x02', '<alice> bold']);
    irc.events?.confirmed(irc.said.at(-1)?.id ?? '', undefined);
    await clock.advance(1);
    expect(irc.said.at(-1)?.text).toBe('<alice> two');
  });

  test('what is taken back or removed is told as a sentence; nobody takes back what another said', async () => {
    const { make, bothUp, clock } = setUp();
    const { irc, room } = await bothUp(make());
    const say = (id: string, body: string, extra: Partial<RoomLine> = {}) =>
      room.events.line(line(id, body, clock.now(), extra));
    say('1', 'spam and more spam');
    say('2', '', { nick: 'bob', retracts: '1' });
    say('3', '', { nick: '', retracts: '1', moderator: 'mod' });
    say('4', 'oops');
    say('5', '', { retracts: 'm4' });
    say('6', '', { retracts: 'unknown' });
    await clock.advance(1);
    await irc.confirmAll();
    expect(irc.said.map(({ text }) => text)).toEqual([
      '<alice> spam and more spam',
      '* bob took back a line',
      '* mod removed a line of alice',
      '<alice> oops',
      '* alice took back: oops',
      '* alice took back a line',
    ]);
  });

  test('where the server confirms only what it is asked for, one question stands behind several lines', async () => {
    const { make, bothUp, clock } = setUp();
    const { irc, room } = await bothUp(make(), {
      irc(session) {
        session.confirms = 'asked';
      },
    });
    const answer = async (refused = 0): Promise<void> => {
      const { behind, answer: done } = irc.questions.at(-1) ?? { behind: 0, answer() {} };
      const before = irc.questions.at(-2)?.behind ?? 0;
      const lines = irc.said.slice(before, behind);
      done();
      for (const { id } of lines.slice(lines.length - refused)) irc.events?.refused(id, 'moderated (404)');
      for (const { id } of lines.slice(0, lines.length - refused)) irc.events?.confirmed(id, undefined);
      await clock.advance(1);
    };
    for (let index = 1; index <= 11; index += 1)
      room.events.line(line(`${index}`, index === 9 ? '*nine*' : `${index}`, clock.now()));
    await clock.advance(1);
    expect(irc.questions.map(({ behind }) => behind)).toEqual([4]);
    expect(irc.said).toHaveLength(4);
    await answer();
    expect(irc.questions.map(({ behind }) => behind)).toEqual([4, 8]);
    await answer();
    // Codes may be forbidden: such a line stands alone.
    expect(irc.questions.map(({ behind }) => behind)).toEqual([4, 8, 9]);
    await answer();
    expect(irc.questions.map(({ behind }) => behind)).toEqual([4, 8, 9, 11]);
    // What is refused is said again in order, one at a time for a while.
    await answer(1);
    await clock.advance(1000);
    await answer();
    expect(irc.said.map(({ text }) => text.slice('<alice> '.length))).toEqual([
      ...['1', '2', '3', '4', '5', '6', '7', '8', '\x02nine\x02', '10', '11', '11'],
    ]);
    expect(room.said).toEqual([]);
  });

  test('while its server is silent we count as out of the channel, and what waited carries its time', async () => {
    const { make, bothUp, clock } = setUp();
    const link = make();
    const { irc, room } = await bothUp(link);
    room.events.line(line('1', 'one', clock.now()));
    room.events.line(line('2', 'two', clock.now()));
    link.silent(true);
    expect(link.sides()).toMatchObject({
      room: { inside: true },
      channel: { inside: false, why: expect.stringContaining('silent') },
    });
    await clock.advance(50_000);
    link.silent(false);
    expect(link.sides().channel.inside).toBe(true);
    await irc.confirmAll();
    expect(irc.said.map(({ text }) => text.replace(/\d\d:\d\d/, 'T'))).toEqual(['<alice> one', '[T] <alice> two']);
  });

  test('what waited for its turn when we were kicked is not said behind the new join’s back', async () => {
    const { make, bothUp, clock } = setUp();
    const { irc, room } = await bothUp(
      make(),
      {
        irc(session) {
          session.confirms = 'asked';
        },
      },
      { burst: 1, everyMs: 3000 },
    );
    for (const text of ['one', 'two', 'three']) room.events.line(line(text, text, clock.now()));
    await clock.advance(1);
    expect(irc.said.map(({ text }) => text)).toEqual(['<alice> one']);
    const [first] = irc.said;
    irc.events?.confirmed(first?.id ?? '', undefined);
    irc.events?.left({ kind: 'refused', reason: 'kicked', permanent: false });
    await clock.advance(60_000);
    await irc.confirmAll();
    expect(irc.said.map(({ text }) => text.replace(/\[[\d:]+\] /, ''))).toEqual([
      '<alice> one',
      '<alice> two',
      '<alice> three',
    ]);
  });

  test('a line in flight at a break is not said again when the replay shows it, else it is, and the log says so', async () => {
    for (const known of [true, false]) {
      const { make, bothUp, clock, log } = setUp();
      const link = make();
      const first = await bothUp(link);
      first.room.events.line(line('1', 'one', clock.now()));
      await clock.advance(1);
      const id = first.irc.said[0]?.id;
      first.irc.abandon(LOST);
      await clock.advance(1);
      const second = fakeIrc(() => clock.advance(0));
      // Said under a nickname that is not ours now.
      if (known)
        second.history = [heard('<alice> one', { nick: 'saxoph123', source: 'history', bridgeId: id, msgid: 'x' })];
      void link.inChannel(second, newPacer({ burst: 1, everyMs: 0 }, clock));
      await clock.advance(1000);
      expect(second.said.map(({ text }) => text)).toEqual(known ? [] : ['<alice> one']);
      expect(log.entries.some(({ event }) => event === 'unsure')).toBe(!known);
    }
  });
});

describe('IRC to room', () => {
  test('lines are said with our mark; own, other bridges’ and ignored ones are not', async () => {
    const { make, bothUp, clock } = setUp();
    const { irc, room } = await bothUp(make());
    irc.events?.line(heard('hello', { at: clock.now() }));
    irc.events?.line(heard('mine', { own: true }));
    irc.events?.line(heard('theirs', { bridgeId: 'y' }));
    irc.events?.line(heard('spam', { nick: 'Spammer' }));
    await clock.advance(1);
    expect(room.said.map(({ body, kind }) => [body, kind])).toEqual([['<eve> hello', 'irc']]);
  });

  test('a replay says what is new and nothing twice; without one the gap is told', async () => {
    const { make, bothUp, clock } = setUp();
    const first = await bothUp(make());
    const at = clock.now();
    first.irc.events?.line(heard('one', { at, msgid: 'a' }));
    await clock.advance(1);
    first.room.events.line(line('1', '<eve> one', at, { messageId: first.room.said[0]?.id, nick: 'irc', kind: 'irc' }));
    await clock.advance(30_000);
    const second = await bothUp(make(), {
      irc(session) {
        session.replay = 'complete';
        session.history = [
          heard('ancient', { at: at - 60_000, msgid: 'z', source: 'history' }),
          heard('one', { at, msgid: 'a', source: 'history' }),
          heard('two', { at: at + 5000, msgid: 'b', source: 'history' }),
        ];
      },
    });
    expect(second.irc.asked).toMatchObject({ msgid: 'a' });
    await clock.advance(500);
    expect(second.room.said.map(({ body }) => body.replace(/\d\d:\d\d/, 'T'))).toEqual(['[T] <eve> two']);
    second.room.events.line(line('2', 'x', at, { messageId: second.room.said[0]?.id, nick: 'irc', kind: 'irc' }));
    await clock.advance(20_000);
    const third = await bothUp(make());
    await clock.advance(500);
    expect(third.room.said.map(({ body }) => body)).toEqual([
      expect.stringMatching(/^-- #sax: not connected from \S+ to \S+; what was said there in between is missing$/),
    ]);
  });

  test('another server of the network with a clock of its own: what is new is said, what is known is not', async () => {
    const { make, bothUp, clock } = setUp();
    const first = await bothUp(make());
    const at = clock.now();
    first.irc.events?.line(heard('one', { at, msgid: 'a' }));
    await clock.advance(1);
    first.room.events.line(line('1', '<eve> one', at, { messageId: first.room.said[0]?.id, nick: 'irc', kind: 'irc' }));
    await clock.advance(1);
    const replayed = {
      history: [
        heard('one', { at: at - 12_000, msgid: 'a', source: 'history' } as const),
        heard('two', { at: at - 11_000, msgid: 'b', source: 'history' } as const),
      ],
      replay: 'complete',
    } as const;
    const second = await bothUp(make(), {
      irc: (session) => void Object.assign(session, replayed, { server: 'irc://2' }),
    });
    await clock.advance(500);
    expect(second.room.said.map(({ body }) => body.replace(/\[.*\] /, ''))).toEqual(['<eve> two']);
  });

  test('a gap is told by our own clock, whatever the server’s says', async () => {
    const { make, bothUp, clock } = setUp();
    const first = await bothUp(make());
    const at = clock.now();
    first.irc.events?.line(heard('one', { at: at + 3_600_000, msgid: 'a' }));
    await clock.advance(1);
    first.room.events.line(line('1', '<eve> one', at, { messageId: first.room.said[0]?.id, nick: 'irc', kind: 'irc' }));
    await clock.advance(60_000);
    const second = await bothUp(make());
    await clock.advance(500);
    expect(second.room.said.map(({ body }) => body)).toEqual([
      expect.stringContaining(`not connected from ${span(at, at + 60_000).slice(0, 8)} to`),
    ]);
  });
});
