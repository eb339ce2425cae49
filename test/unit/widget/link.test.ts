import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ConnEvents, ConnOptions } from '../../../widget/src/conn.ts';
import type { Line } from '../../../widget/src/line.ts';
import { createLink } from '../../../widget/src/link.ts';
import type { Account, Unsaid } from '../../../widget/src/link-port.ts';
import { parse } from '../../../widget/src/xml.ts';

const ROOM = 'sax@conference.chat.test';

/** A connection that the test plays. */
type FakeConn = {
  options: ConnOptions;
  on: ConnEvents;
  sent: string[];
  killed: boolean | undefined;
  transport: number;
};

function setUp(unsaid: Unsaid[] = []) {
  const conns: FakeConn[] = [];
  const told: unknown[][] = [];
  const lines: Line[] = [];
  const accounts: (Account | undefined | Error)[] = [];
  const world = { online: true, lastId: undefined as string | undefined, asked: [] as boolean[] };
  const note =
    (name: string) =>
    (...values: unknown[]) =>
      void told.push([name, ...values]);
  const link = createLink(
    {
      domain: 'chat.test',
      room: ROOM,
      history: 20,
      open(transport, options, on) {
        const conn: FakeConn = { options, on, sent: [], killed: undefined, transport };
        conns.push(conn);
        options.login.catch(() => on.down('closed'));
        return {
          send: (stanza) => void conn.sent.push(stanza),
          kill(resumable) {
            conn.killed = resumable;
            return resumable ? { id: `r${conns.length}`, h: 1 } : undefined;
          },
        };
      },
      async account(fresh) {
        world.asked.push(fresh);
        const next = accounts.length ? accounts.shift() : { local: 'tari', password: 'p', nick: 'Tari' };
        if (next instanceof Error) throw next;
        return next;
      },
      lastId: () => world.lastId,
      saveUnsaid: () => {},
      isOnline: () => world.online,
      on: {
        state: note('state'),
        me: note('me'),
        people: note('people'),
        line: (line) => void lines.push(line),
        gap: note('gap'),
        settled: note('settled'),
      },
    },
    unsaid,
  );
  const last = () => conns.at(-1) as FakeConn;
  const states = () => told.flatMap(([name, state]) => (name === 'state' ? [state] : []));
  const receive = (stanza: string, conn = last()) => conn.on.stanza(parse(stanza));
  const here = (role = 'participant') =>
    receive(
      `<presence from='${ROOM}/Tari'><x xmlns='http://jabber.org/protocol/muc#user'><item role='${role}'/><status code='110'/></x></presence>`,
    );
  /** Answers everything that was asked and not answered yet. */
  const answered = new Set<string>();
  const answer = (stanzas: readonly string[], inside = '') => {
    for (const [, id = ''] of stanzas.join('').matchAll(/<iq [^>]*id='([^']+)'/g)) {
      if (answered.has(id)) continue;
      answered.add(id);
      receive(`<iq type='result' id='${id}' from='${ROOM}'>${inside}</iq>`);
    }
  };
  /** Logs in and enters; answers the stanzas that were sent behind the log-in. */
  async function join(role?: string): Promise<readonly string[]> {
    await vi.advanceTimersByTimeAsync(0);
    const stanzas = last().options.first();
    last().on.up(false);
    here(role);
    return stanzas;
  }
  return { link, conns, told, lines, world, accounts, last, states, receive, here, answer, join };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const said = (id: string, body = 'hi', nick = 'Tari') =>
  `<message from='${ROOM}/${nick}' type='groupchat' id='${id}'><body>${body}</body></message>`;

describe('link', () => {
  it('enters the room and says what was typed before, once', async () => {
    const { link, last, states, join, answer, receive } = setUp();
    link.start();
    link.say({ id: 'a', text: 'early', ts: 0, by: '' });
    const stanzas = await join();
    expect(states()).toEqual(['connecting', 'live']);
    expect(last().sent.join()).not.toContain('early');
    answer(stanzas);
    expect(last().sent.filter((stanza) => stanza.includes('early'))).toHaveLength(1);
    receive(said('a', 'early'));
    last().on.down('closed');
    await vi.advanceTimersByTimeAsync(1000);
    answer(await join());
    expect(last().sent.join()).not.toContain('early');
  });

  it('kills before it connects, and hears nothing from a dead connection', async () => {
    const { link, conns, lines, join, receive, here } = setUp();
    link.start();
    await join();
    const [first] = conns;
    link.wake(true);
    expect(first?.killed).toBe(true);
    expect(conns).toHaveLength(2);
    receive(said('x'), first);
    first?.on.down('closed');
    first?.on.up(false);
    expect(lines).toEqual([]);
    await vi.advanceTimersByTimeAsync(100_000);
    // The dead one's end started no second loop: what followed were the living one's own time-outs, one after the other.
    expect(conns.slice(0, -1).every(({ killed }) => killed !== undefined)).toBe(true);
    here();
  });

  it('has one connection however many events wake it', async () => {
    const { link, conns, join } = setUp();
    link.start();
    await join();
    conns[0]?.on.down('closed');
    for (let i = 0; i < 9; i++) link.wake();
    expect(conns).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(2000);
    expect(conns).toHaveLength(2);
  });

  it('asks a silent room whether it lives, and reconnects when nobody answers', async () => {
    const { link, last, conns, join, answer } = setUp();
    link.start();
    answer(await join());
    link.wake();
    link.wake();
    expect(last().sent.filter((stanza) => stanza.includes('urn:xmpp:ping'))).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(3100);
    await vi.advanceTimersByTimeAsync(1000);
    expect(conns).toHaveLength(2);
    expect(last().options.resume).toEqual({ id: 'r1', h: 1 });
  });

  it('goes on with the old session when it was resumed', async () => {
    const { link, last, states, join, answer } = setUp();
    link.start();
    answer(await join());
    link.wake(true);
    await vi.advanceTimersByTimeAsync(0);
    last().on.up(true);
    expect(states()).toEqual(['connecting', 'live', 'connecting', 'live']);
    // Not one presence: the others see nothing.
    expect(last().sent.join()).not.toContain('<presence');
  });

  it('enters again when the room does not know us any more (XEP-0410)', async () => {
    const { link, last, join, answer, receive } = setUp();
    link.start();
    answer(await join());
    link.wake();
    const id = /id='([^']+)'/.exec(last().sent.at(-1) ?? '')?.[1];
    receive(`<iq type='error' id='${id}' from='${ROOM}/Tari'><error type='cancel'><not-acceptable/></error></iq>`);
    expect(last().sent.filter((stanza) => stanza.startsWith('<presence'))).toHaveLength(1);
  });

  it('backs off between attempts and is quick again after a steady connection', async () => {
    const { link, conns, last } = setUp();
    link.start();
    const began: number[] = [];
    for (let i = 0; i < 9; i++) {
      began.push(Date.now());
      const count = conns.length;
      last().on.down('unopened');
      while (conns.length === count) await vi.advanceTimersByTimeAsync(50);
    }
    const gaps = began.slice(1).map((at, i) => at - (began[i] ?? 0));
    expect(gaps[0]).toBeLessThan(1000);
    expect(gaps.at(-1)).toBeGreaterThan(20_000);
    expect(Math.max(...gaps)).toBeLessThan(38_000);
    // Each time the other transport.
    expect(conns.map(({ transport }) => transport % 2).slice(0, 4)).toEqual([0, 1, 0, 1]);
  });

  it('asks for fresh credentials once, then slowly', async () => {
    const { link, world, conns, last, states } = setUp();
    link.start();
    await vi.advanceTimersByTimeAsync(0);
    last().on.down('auth');
    await vi.advanceTimersByTimeAsync(0);
    expect(world.asked).toEqual([false, true]);
    last().on.down('auth');
    expect(states().at(-1)).toBe('refused');
    await vi.advanceTimersByTimeAsync(30_000);
    expect(conns).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(conns.length).toBeGreaterThan(2);
  });

  it('tries the log-in step by step when the burst was not understood, and keeps what works', async () => {
    const { link, conns, last } = setUp();
    link.start();
    expect(last().options.pipelined).toBe(true);
    last().on.down('closed');
    await vi.advanceTimersByTimeAsync(1000);
    expect(last().options.pipelined).toBe(false);
    last().on.up(false);
    last().on.down('closed');
    await vi.advanceTimersByTimeAsync(3000);
    expect(conns).toHaveLength(3);
    expect(last().options.pipelined).toBe(false);
  });

  it('is a guest where the site knows nobody, and asks again where the site is in trouble', async () => {
    const guest = setUp();
    guest.accounts.push(undefined);
    guest.link.start();
    await vi.advanceTimersByTimeAsync(100_000);
    expect(guest.states()).toEqual(['connecting', 'guest']);
    expect(guest.conns).toHaveLength(1);
    expect(guest.last().killed).toBe(false);

    const trouble = setUp();
    trouble.accounts.push(new Error('HTTP 502'));
    trouble.link.start();
    await vi.advanceTimersByTimeAsync(1000);
    expect(trouble.conns).toHaveLength(2);
  });

  it('stays out after a kick, with the reason, and comes back when nobody meant it', async () => {
    const gone = (codes: string) =>
      `<presence type='unavailable' from='${ROOM}/Tari'><x xmlns='http://jabber.org/protocol/muc#user'><item role='none'><reason>spam</reason></item>${codes}<status code='110'/></x></presence>`;
    const kicked = setUp();
    kicked.link.start();
    await kicked.join();
    kicked.receive(gone(`<status code='307'/>`));
    expect(kicked.told.at(-1)).toEqual(['state', 'removed', 'spam']);
    kicked.link.wake(true);
    await vi.advanceTimersByTimeAsync(100_000);
    expect(kicked.conns).toHaveLength(1);

    const stopped = setUp();
    stopped.link.start();
    await stopped.join();
    stopped.receive(gone(`<status code='332'/>`));
    await vi.advanceTimersByTimeAsync(1000);
    expect(stopped.conns).toHaveLength(2);
  });

  it('waits for voice in a moderated room', async () => {
    const { link, last, told, join, answer, here } = setUp();
    link.start();
    answer(await join('visitor'));
    link.say({ id: 'a', text: 'hello', ts: 0, by: 'Tari' });
    expect(last().sent.join()).not.toContain('hello');
    here('participant');
    expect(told).toContainEqual(['me', 'Tari', 'participant', 'Tari']);
    expect(last().sent.filter((stanza) => stanza.includes('hello'))).toHaveLength(1);
  });

  it('does not say under one name what was typed under another', async () => {
    const { link, last, join, answer } = setUp([{ id: 'a', text: 'by alice', ts: 0, by: 'alice' }]);
    link.start();
    answer(await join());
    expect(last().sent.join()).not.toContain('by alice');
  });

  it('asks the archive for what it missed, and for the last page when that is too much', async () => {
    const { link, world, last, told, join, receive } = setUp();
    world.lastId = '1795336008242247';
    link.start();
    const stanzas = await join();
    const idOf = (stanza: string | undefined) => /id='([^']+)'/.exec(stanza ?? '')?.[1];
    expect(stanzas.join()).toContain('<after>1795336008242247</after>');
    const since = stanzas.find((stanza) => stanza.includes('<after>'));
    receive(`<iq type='result' id='${idOf(since)}' from='${ROOM}'><fin xmlns='urn:xmpp:mam:2' complete='false'/></iq>`);
    const page = last().sent.at(-1);
    expect(page).toContain('<before/>');
    receive(
      `<message from='${ROOM}'><result xmlns='urn:xmpp:mam:2' id='1795336009000000'><forwarded xmlns='urn:xmpp:forward:0'><message from='${ROOM}/x' type='groupchat'><body>b</body></message></forwarded></result></message>`,
    );
    receive(`<iq type='result' id='${idOf(page)}' from='${ROOM}'><fin xmlns='urn:xmpp:mam:2' complete='false'/></iq>`);
    expect(told).toContainEqual(['gap', 1_795_336_009_000]);
  });

  it('says a refused line again later, or says that it failed', async () => {
    const { link, last, lines, join, answer, receive } = setUp();
    link.start();
    answer(await join());
    link.say({ id: 'a', text: 'hello', ts: 5, by: 'Tari' });
    const error = (type: string, condition: string) =>
      `<message type='error' id='a' from='${ROOM}'><error type='${type}'><${condition}/></error></message>`;
    receive(error('wait', 'resource-constraint'));
    await vi.advanceTimersByTimeAsync(3500);
    expect(last().sent.filter((stanza) => stanza.includes('hello'))).toHaveLength(2);
    receive(error('modify', 'policy-violation'));
    expect(lines).toContainEqual({ m: 'a', n: 'Tari', t: 'hello', ts: 5, p: 'fail' });
  });

  it('answers questions and keeps quiet about results', async () => {
    const { link, last, join, receive } = setUp();
    link.start();
    await join();
    const before = last().sent.length;
    receive(`<iq type='get' id='q' from='chat.test'><ping xmlns='urn:xmpp:ping'/></iq>`);
    receive(`<iq type='result' id='unknown' from='${ROOM}/Evil'/>`);
    expect(last().sent.length).toBe(before + 1);
    expect(last().sent.at(-1)).toContain(`id='q'`);
  });

  it('asks from where it knew everything until it has caught up, however often it is cut on the way', async () => {
    const { link, world, last, join, answer } = setUp();
    world.lastId = '1000';
    link.start();
    await join();
    // The join history brings the newest lines before the archive has told what lies between.
    world.lastId = '2000';
    last().on.down('closed');
    await vi.advanceTimersByTimeAsync(1000);
    const again = await join();
    expect(again.join()).toContain('<after>1000</after>');
    answer(again, `<fin complete='true'/>`);
    last().on.down('closed');
    await vi.advanceTimersByTimeAsync(2000);
    expect((await join()).join()).toContain('<after>2000</after>');
  });

  it('does not move for the refusal of what it never said', async () => {
    const { link, last, join, answer, receive } = setUp();
    link.start();
    answer(await join());
    const before = last().sent.length;
    receive(
      `<message type='error' id='x' from='${ROOM}/Evil'><error type='modify'><not-acceptable/></error></message>`,
    );
    expect(last().sent).toHaveLength(before);
  });

  it('reconnects when the room does not let it in again', async () => {
    const { link, last, conns, join, answer, receive } = setUp();
    link.start();
    answer(await join());
    link.wake();
    const id = /id='([^']+)'/.exec(last().sent.at(-1) ?? '')?.[1];
    receive(`<iq type='error' id='${id}' from='${ROOM}/Tari'><error type='cancel'><not-acceptable/></error></iq>`);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(conns.length).toBeGreaterThan(1);
  });

  it('says once what another tab orders twice', async () => {
    const { link, last, join, answer, receive } = setUp();
    link.start();
    answer(await join());
    link.say({ id: 'a', text: 'hello', ts: 5, by: 'Tari' });
    receive(said('a', 'hello'));
    link.say({ id: 'a', text: 'hello', ts: 5, by: 'Tari' });
    expect(last().sent.filter((stanza) => stanza.includes('hello'))).toHaveLength(1);
  });

  it('leaves no timer behind', async () => {
    const { link, join, answer } = setUp();
    link.start();
    answer(await join());
    link.wake();
    link.stop(true);
    await vi.advanceTimersByTimeAsync(3500);
    expect(vi.getTimerCount()).toBe(0);
  });
});
