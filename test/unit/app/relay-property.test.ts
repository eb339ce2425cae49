import fc from 'fast-check';
import { expect, test } from 'vitest';
import { makeLink } from '../../../src/app/ircbridge-link.ts';
import { newPacer, type Pacer } from '../../../src/app/pacer.ts';
import type { RoomLine } from '../../../src/app/ports/chat.ts';
import type { Channel, ChannelEvents, ChannelLine, IrcSession } from '../../../src/app/ports/irc.ts';
import { newDeferred } from '../../../src/core/deferred.ts';
import { parseForm } from '../../../src/core/relay-nick.ts';
import { type FakeClock, fakeClock } from '../../helpers/fake-clock.ts';
import { fakeLog } from '../../helpers/fake-log.ts';
import { type FakeSession, fakeSession } from '../../helpers/fake-session.ts';
import { crash, memoryJournal, newDisk } from '../../helpers/memory-journal.ts';

const LOST = { kind: 'network', reason: 'lost', permanent: false } as const;
const KICKED = { kind: 'refused', reason: 'kicked', permanent: false } as const;

/** What becomes of the next lines that the bridge says: how many turns until the server has it, and whether the connection survives. */
type Fate = 'taken' | 'lost on the way' | 'taken, the answer lost' | 'refused';

/**
 * A room with an archive and a channel with a history, the two of them never failing, and between them everything that can fail.
 * A server that keeps its history is assumed: without one nobody can promise that nothing is said twice (docs/ircbridge.md).
 */
class World {
  readonly clock: FakeClock = fakeClock();
  readonly log = fakeLog();
  readonly disks = { toIrc: newDisk(), toRoom: newDisk() };
  readonly archive: RoomLine[] = [];
  readonly history: (ChannelLine & { readonly by: 'bridge' | 'eve' })[] = [];
  fates: Fate[] = [];
  readonly confirms: Channel['confirms'];
  xmpp: FakeSession | undefined;
  irc: { session: IrcSession; events: ChannelEvents | undefined; inside: boolean; pacer: Pacer } | undefined;
  link: ReturnType<typeof makeLink>;

  constructor(confirms: Channel['confirms']) {
    this.confirms = confirms;
    for (const disk of Object.values(this.disks)) disk.slow = true;
    this.link = this.makeBridge();
  }

  makeBridge(): ReturnType<typeof makeLink> {
    return makeLink({
      room: 'r@c',
      nick: 'irc',
      channel: '#c',
      key: undefined,
      toIrcJournal: memoryJournal(this.disks.toIrc),
      toRoomJournal: memoryJournal(this.disks.toRoom),
      changed() {},
      settings: () => ({
        toIrc: parseForm('<{nick}> {text}'),
        toRoom: parseForm('<{nick}> {text}'),
        ignore: new Set(['spammer']),
        catchUpMs: 86_400_000,
        joins: false,
        highlight: true,
        colours: false,
        announcers: new Set(),
      }),
      count: { said() {}, givenUp() {}, gap() {} },
      clock: this.clock,
      random: () => 0,
      log: this.log,
    });
  }

  fate(): Fate {
    return this.fates.shift() ?? 'taken';
  }

  archived(line: Partial<RoomLine>): RoomLine {
    const kept: RoomLine = {
      id: String(this.archive.length + 1),
      messageId: undefined,
      originId: undefined,
      nick: 'alice',
      jid: undefined,
      body: '',
      at: this.clock.now(),
      source: 'live',
      ...line,
    };
    this.archive.push(kept);
    return kept;
  }

  connectXmpp(): void {
    if (this.xmpp !== undefined) return;
    const session = fakeSession();
    this.xmpp = session;
    const enter = session.enter.bind(session);
    // As ejabberd does it: while it holds a message of ours back, it refuses those behind it.
    let refusing = false;
    session.archived = (_room, { after, before, max = 100 }) => {
      const all = this.archive.map((line) => ({ ...line, source: 'archive' }) as RoomLine);
      const lines =
        before === '' ? all.slice(-max) : all.filter(({ id }) => Number(id) > Number(after ?? 0)).slice(0, max);
      const complete = lines.at(-1) === undefined || lines.at(-1)?.id === all.at(-1)?.id;
      return { lines, complete, first: lines[0]?.id, last: lines.at(-1)?.id, count: all.length };
    };
    session.enter = async (...args) => {
      const room = await enter(...args);
      room.say = ({ id, body, kind }) => {
        if (this.xmpp !== session) return;
        const fate = this.fate();
        if (fate === 'lost on the way') return this.cutXmpp();
        if (fate === 'refused' || refusing) {
          refusing = true;
          setImmediate(() => {
            refusing = false;
            if (this.xmpp === session) args[2].refused?.(id, 'resource-constraint', 'wait');
          });
          return;
        }
        const line = this.archived({ messageId: id, body, kind, nick: 'irc' });
        if (fate === 'taken, the answer lost') return this.cutXmpp();
        setImmediate(() => this.xmpp === session && args[2].line(line));
      };
      return room;
    };
    void this.link.inRoom(session);
  }

  cutXmpp(): void {
    const session = this.xmpp;
    this.xmpp = undefined;
    session?.end(LOST);
  }

  connectIrc(): void {
    if (this.irc !== undefined) return;
    const closed = newDeferred<typeof LOST>();
    const pacer = newPacer({ burst: 1, everyMs: 1500 }, this.clock);
    const heardUntil = this.clock.now();
    const session: IrcSession = {
      server: 'irc://test',
      nick: 'sax',
      closed: closed.promise,
      heardUntil,
      enter: async (channel, _key, events) => {
        if (this.irc?.session !== session) throw new Error('gone');
        for (const line of this.history) events.line({ ...line, source: 'history', own: line.by === 'bridge' });
        this.irc.events = events;
        this.irc.inside = true;
        return this.channel(session, channel, events);
      },
      async ping() {},
      async close() {},
      abandon: () => this.cutIrc(),
    };
    this.irc = { session, events: undefined, inside: false, pacer };
    void closed.promise.then(() => pacer.stop());
    this.ends.set(session, () => closed.resolve(LOST));
    void this.link.inChannel(session, pacer);
  }
  readonly ends = new Map<IrcSession, () => void>();

  channel(session: IrcSession, name: string, events: ChannelEvents): Channel {
    let flying: { id: string; taken: boolean }[] = [];
    const settle = (lines: typeof flying): void => {
      for (const { id, taken } of lines) if (!taken) events.refused(id, 'moderated (404)');
      for (const { id, taken } of lines) if (taken) events.confirmed(id, undefined);
    };
    const later = (what: () => void): void => void setImmediate(() => this.irc?.session === session && what());
    // Moderation does not come and go between the lines of one question: from one refused line on, all are.
    let moderated = false;
    return {
      channel: name,
      nick: 'sax',
      replay: 'complete',
      has: () => false,
      occupants: () => [],
      budget: () => 400,
      confirms: this.confirms,
      say: (id, text, how) => {
        if (this.irc?.session !== session) return;
        const fate = this.fate();
        if (fate === 'lost on the way') return this.cutIrc();
        // Whoever is kicked cannot speak, whichever of his objects does it.
        const taken = fate !== 'refused' && !moderated && this.irc.inside;
        if (!taken) moderated = true;
        if (taken) this.history.push({ ...this.lineOf(text), how, bridgeId: id, own: true, nick: 'sax', by: 'bridge' });
        if (fate === 'taken, the answer lost') return this.cutIrc();
        if (this.confirms === 'asked') flying.push({ id, taken });
        else {
          moderated = false;
          later(() => settle([{ id, taken }]));
        }
      },
      ask: (done) => {
        const asked = flying;
        flying = [];
        moderated = false;
        later(() => {
          done();
          settle(asked);
        });
      },
      leave() {},
    };
  }

  lineOf(text: string): ChannelLine {
    const msgid = `m${this.history.length + 1}`;
    const at = this.clock.now();
    return { nick: 'eve', text, how: 'message', at, msgid, source: 'live', own: false, bridgeId: undefined };
  }

  cutIrc(): void {
    const old = this.irc;
    if (old === undefined) return;
    this.irc = undefined;
    this.ends.get(old.session)?.();
    if (old.inside) old.events?.left(LOST);
  }

  kick(): void {
    if (this.irc?.inside !== true) return;
    this.irc.inside = false;
    this.irc.events?.left(KICKED);
  }

  sayInRoom(body: string, nick = 'alice'): void {
    const line = this.archived({ body, nick });
    this.xmpp?.rooms.at(-1)?.events.line(line);
  }

  sayOnIrc(text: string): void {
    const line = { ...this.lineOf(text), by: 'eve' } as const;
    this.history.push(line);
    if (this.irc?.inside) this.irc.events?.line(line);
  }

  kill(keep: number): void {
    for (const disk of Object.values(this.disks)) crash(disk, keep);
    // Nobody tells a dead process anything.
    this.irc?.pacer.stop();
    this.irc = undefined;
    this.xmpp = undefined;
    this.link = this.makeBridge();
  }
}

type Step =
  | { readonly do: 'room' | 'ignored' | 'irc' | 'cut xmpp' | 'cut irc' | 'kick' | 'connect' | 'turn' }
  | { readonly do: 'kill'; readonly keep: number }
  | { readonly do: 'full'; readonly way: 'toIrc' | 'toRoom'; readonly full: boolean }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'fate'; readonly fate: Fate };

const said = { weight: 8, arbitrary: fc.constantFrom<Step>({ do: 'room' }, { do: 'irc' }) };
const step: fc.Arbitrary<Step> = fc.oneof(
  said,
  { weight: 2, arbitrary: fc.constant<Step>({ do: 'ignored' }) },
  { weight: 3, arbitrary: fc.constantFrom<Step>({ do: 'connect' }, { do: 'turn' }) },
  { weight: 3, arbitrary: fc.constantFrom<Step>({ do: 'cut xmpp' }, { do: 'cut irc' }, { do: 'kick' }) },
  { weight: 1, arbitrary: fc.nat(3).map((keep): Step => ({ do: 'kill', keep })) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('full' as const),
      way: fc.constantFrom('toIrc' as const, 'toRoom' as const),
      full: fc.boolean(),
    }),
  },
  { weight: 3, arbitrary: fc.constantFrom(0, 1, 400, 3000, 12_000).map((ms): Step => ({ do: 'wait', ms })) },
  {
    weight: 3,
    arbitrary: fc
      .constantFrom<Fate>('taken', 'lost on the way', 'taken, the answer lost', 'refused')
      .map((fate): Step => ({ do: 'fate', fate })),
  },
);

async function play(world: World, steps: readonly Step[]): Promise<{ room: number; irc: number }> {
  const count = { room: 0, irc: 0 };
  world.connectXmpp();
  world.connectIrc();
  await world.clock.advance(10);
  for (const one of steps) {
    if (one.do === 'room') world.sayInRoom(`r${++count.room}${count.room % 3 === 0 ? `\nr${++count.room}` : ''}`);
    else if (one.do === 'ignored') world.sayInRoom('not relayed', 'spammer');
    else if (one.do === 'irc') world.sayOnIrc(`i${++count.irc}`);
    else if (one.do === 'cut xmpp') world.cutXmpp();
    else if (one.do === 'cut irc') world.cutIrc();
    else if (one.do === 'kick') world.kick();
    else if (one.do === 'kill') world.kill(one.keep);
    else if (one.do === 'full') world.disks[one.way].full = one.full;
    else if (one.do === 'fate') world.fates.push(one.fate);
    else if (one.do === 'turn') await new Promise((resolve) => setImmediate(resolve));
    else if (one.do === 'wait') await world.clock.advance(one.ms);
    else await connect(world);
  }
  // Everything is well again: what was said must arrive.
  world.fates = [];
  for (const disk of Object.values(world.disks)) disk.full = false;
  for (let turn = 0; turn < 12; turn += 1) {
    await connect(world);
    await world.clock.advance(30_000);
  }
  return count;
}

/** Nobody is connected again before everybody has heard of the end of the old connection (keep-connected.ts). */
async function connect(world: World): Promise<void> {
  if (world.xmpp === undefined || world.irc === undefined) await world.clock.advance(1000);
  world.connectXmpp();
  world.connectIrc();
}

const numbered = (texts: readonly string[], letter: string): string[] =>
  texts.flatMap((text) => new RegExp(`> (${letter}\\d+)$`).exec(text)?.[1] ?? []);
const wanted = (letter: string, count: number): string[] =>
  Array.from({ length: count }, (_value, index) => `${letter}${index + 1}`);

test.each(['echo', 'asked'] as const)('whatever fails, every line is said once and in order (%s)', async (confirms) => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), async (steps) => {
      const world = new World(confirms);
      const { room, irc } = await play(world, steps);
      const onIrc = world.history.filter(({ by }) => by === 'bridge').map(({ text }) => text);
      const inRoom = world.archive.filter(({ kind }) => kind === 'irc').map(({ body }) => body);
      expect(numbered(onIrc, 'r')).toEqual(wanted('r', room));
      expect(numbered(inRoom, 'i')).toEqual(wanted('i', irc));
    }),
    { numRuns: Number(process.env['SAXCTL_LONG'] === undefined ? 60 : 2000) },
  );
});
