import { describe, expect, it } from 'vitest';
import { type DemoWorld, demoHops, type HopResult, runHops } from '../../../src/app/demo.ts';
import type { ChatSession, Room, RoomEvents } from '../../../src/app/ports/chat.ts';
import { systemClock } from '../../../src/clock.ts';
import { EXIT, SaxError } from '../../../src/core/errors.ts';
import { Refusal } from '../../../src/core/refusal.ts';
import { fakeClock } from '../../helpers/fake-clock.ts';

const never = new AbortController().signal;

/** A world in which everything works, unless `broken` says otherwise. */
function world(broken: Partial<DemoWorld> = {}): DemoWorld {
  const said: string[] = [];
  const inRoom = new Set<RoomEvents>();
  const inChannel = new Set<(text: string) => void>();
  const speak = (nick: string, body: string): void => {
    said.push(body);
    for (const events of inRoom)
      events.line({
        id: String(said.length),
        messageId: undefined,
        originId: undefined,
        nick,
        jid: undefined,
        body,
        at: 0,
        source: 'live',
      });
    for (const hear of inChannel) hear(`<${nick}> ${body}`);
  };
  const session = (name: string): ChatSession => ({
    jid: `${name}@chat.test/demo`,
    closed: new Promise(() => {}),
    enter: async (_room, nick, events): Promise<Room> => {
      if (nick !== name) throw new Refusal(EXIT.refused, nick === 'tari' ? 'not-acceptable' : 'conflict', 'taken');
      inRoom.add(events);
      return {
        room: 'sax@conference.chat.test',
        nick,
        occupants: () => [],
        say: ({ body }) => speak(nick, body),
        ping: async () => true,
        rename: async () => {},
        setRole: async () => {},
        setAffiliation: async () => {},
        leave: async () => {},
      };
    },
    archive: async () => ({ lines: [], complete: true, first: undefined, last: undefined, count: 0 }),
    features: async () => [],
    ping: async () => {},
    close: async () => {},
    abandon: () => {},
  });
  const heard: string[] = [];
  inChannel.add((text) => heard.push(text));
  return {
    room: 'sax@conference.chat.test',
    tari: { name: 'Tari', nick: 'Tari', sessionId: '0123456789abcdef0123456789abcdef' },
    alice: { name: 'alice', nick: 'alice', sessionId: 'fedcba9876543210fedcba98765432ff' },
    readForum: async () => 'members',
    askRoom: async () => 'room',
    login: async (member, secret) => {
      if (secret !== member.sessionId) throw new SaxError(EXIT.refused, 'not-authorized');
      return session(member.name);
    },
    syncNicks: async (only) => ({ registered: only === undefined ? 23 : 1, unchanged: 0, conflicts: 0, failed: 0 }),
    ready: async () => {},
    announce: (text) => speak('webridge', text),
    channel: {
      nick: 'eve',
      say: (text) => speak('ircbridge', `<eve> ${text}`),
      heard: async (part) => {
        if (!heard.some((text) => text.includes(part))) throw new Error('not heard');
      },
    },
    history: async () => said,
    ...broken,
  };
}

async function walk(broken: Partial<DemoWorld> = {}): Promise<readonly HopResult[]> {
  return runHops(demoHops(world(broken), 'tag'), {
    clock: systemClock,
    withinMs: 100,
    signal: never,
    onResult: () => {},
  });
}

const failures = (results: readonly HopResult[]): string[] => results.filter(({ ok }) => !ok).map(({ name }) => name);

describe('the check list', () => {
  it('holds in a world that works', async () => {
    const results = await walk();
    expect(failures(results)).toEqual([]);
    expect(results.map(({ name }) => name)).toEqual([
      'database',
      'ejabberd',
      'login by session id',
      'wrong session id refused',
      'nicknames registered',
      'another member refused the nickname',
      'guard ready',
      'webridge ready',
      'ircbridge ready',
      'say → room',
      'room → IRC',
      'IRC → room',
      'history shows all three in order',
    ]);
  });

  it.each<[string, string[], Partial<DemoWorld>]>([
    ['a database that does not answer', ['database'], { readForum: () => Promise.reject(new Error('refused')) }],
    [
      'a server that lets everybody in',
      ['wrong session id refused'],
      { login: (member) => world().login(member, member.sessionId, never) },
    ],
    [
      'a nickname that is free',
      ['another member refused the nickname'],
      {
        login: async (member, secret, signal) => {
          const session = await world().login(member, secret, signal);
          return {
            ...session,
            enter: (room, nick, events) => session.enter(room, nick === 'Tari' ? member.nick : nick, events),
          };
        },
        announce: () => {},
      },
    ],
    [
      'nicknames that are in conflict',
      ['nicknames registered'],
      { syncNicks: async () => ({ registered: 1, unchanged: 0, conflicts: 1, failed: 0 }) },
    ],
    [
      'a channel that hears nothing',
      ['room → IRC'],
      { channel: { ...world().channel, heard: () => Promise.reject(new Error('silence')) } },
    ],
    [
      'a history in the wrong order',
      ['history shows all three in order'],
      { history: async () => ['typed tag', 'spoken tag', 'announced tag'] },
    ],
  ])('finds %s', async (_what, hops, broken) => {
    expect(failures(await walk(broken))).toEqual(expect.arrayContaining(hops));
  });

  it('does not take a wrong password for a free nickname', async () => {
    const results = await walk({ login: () => Promise.reject(new SaxError(EXIT.refused, 'not-authorized')) });
    expect(failures(results)).toContain('another member refused the nickname');
    expect(failures(results)).not.toContain('wrong session id refused');
  });
});

describe('running hops', () => {
  it('gives each its time and goes on', async () => {
    const clock = fakeClock();
    const seen: HopResult[] = [];
    const running = runHops(
      [
        { name: 'stuck', run: () => new Promise(() => {}) },
        { name: 'next', run: async () => 'fine' },
      ],
      { clock, withinMs: 1000, signal: never, onResult: (result) => seen.push(result) },
    );
    await clock.advance(1000);
    expect(await running).toEqual([
      { name: 'stuck', ok: false, ms: 1000, detail: 'not within 1 s' },
      { name: 'next', ok: true, ms: 0, detail: 'fine' },
    ]);
    expect(seen).toHaveLength(2);
    expect(clock.sleepers()).toBe(0);
  });

  it('stops when told to', async () => {
    const stop = new AbortController();
    const running = runHops(
      [
        { name: 'stuck', run: () => new Promise(() => {}) },
        { name: 'never', run: async () => 'fine' },
      ],
      { clock: fakeClock(), withinMs: 1000, signal: stop.signal, onResult: () => {} },
    );
    stop.abort(new Error('stopped by hand'));
    await expect(running).rejects.toThrow('stopped by hand');
  });
});
