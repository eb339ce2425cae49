import type { Conn, Down, Resume } from './conn.ts';
import { splitJid } from './jid.ts';
import { lineOf } from './line.ts';
import type { Account, Handover, LinkPort, State, Unsaid } from './link-port.ts';
import { child, type El, xml } from './xml.ts';

export type Link = ReturnType<typeof createLink>;

/** ms */
const OPENING = 15_000;
const PROBE = 3000;
const SLOW = 60_000;
const STEADY = 10_000;
const MAX_BACKOFF = 30_000;

const PING = `<ping xmlns='urn:xmpp:ping'/>`;
const NOT_IN_ROOM = /item-not-found|not-acceptable/;
/** Roles that may speak (XEP-0045 5.1). */
export const mayWrite = (role: string) => /participant|moderator/.test(role);

/** The condition (RFC 6120 8.3) and the text of a stanza error. */
function errorOf(stanza: El): readonly [condition: string, text: string, type: string | undefined] {
  const error = child(stanza, 'error');
  return [
    error?.kids.find(({ name }) => name !== 'text')?.name ?? '',
    child(error, 'text')?.text ?? '',
    error?.attrs['type'],
  ];
}

/**
 * The only owner of the connection. Copies of a line come from two connect loops or from a second connection beside a
 * living one; so there is one `connect`, it kills before it connects, and every callback carries the epoch it belongs to.
 *
 *   idle ── start ──► connecting ── own presence ──► live
 *   connecting, live ── down ──► waiting ── timer or wake ──► connecting
 *   connecting ── log-in refused twice (fresh credentials between), or the room refuses ──► refused ── slow timer or wake ──► connecting
 *   live ── kicked or banned ──► removed, until the page is loaded again
 *   connecting ── the site knows no member ──► guest
 */
export function createLink(port: LinkPort, unsaid: Unsaid[]) {
  const { room, on } = port;
  let people = new Set<string>();
  const answers = new Map<string, (iq: El) => void>();
  const sent = new Set<string>();
  let epoch = 0;
  let state: State = 'idle';
  let conn: Conn | undefined;
  let account: Account | undefined;
  let resume: Resume | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isTelling = false;
  let tries = 0;
  let refusals = 0;
  let transport = 0;
  let startedAt = 0;
  let liveAt = 0;
  let heardAt = 0;
  let oldest = 0;
  /** The last line before what is being caught up on; a cut on the way does not move it, though newer lines are here. */
  let since: string | undefined;
  /** Answers still missing before what was typed may be sent: archive, barrier. */
  let missing = 0;
  let isPipelined = true;
  let isUp = false;
  let isProbing = false;
  let isSettled = false;
  let me = { nick: '', role: '' };

  function become(next: State, note = ''): void {
    state = next;
    on.state(next, note);
  }

  /** Calls only while the connection of now is the one: what belongs to an older one has nothing to say. */
  function ours<T extends unknown[]>(run: (...values: T) => void): (...values: T) => void {
    const mine = epoch;
    return (...values) => {
      if (mine === epoch) run(...values);
    };
  }
  const after = (ms: number, run: () => void) => setTimeout(ours(run), ms);
  /** One deadline at a time: to open, to enter, to answer. */
  function expire(ms: number, why: Down): void {
    clearTimeout(timer);
    timer = after(ms, () => down(why));
  }
  function later(ms: number): void {
    timer = after(ms * (0.75 + Math.random() / 2), connect);
  }

  function drop(keepSession: boolean): void {
    epoch++;
    clearTimeout(timer);
    if (conn) resume = conn.kill(keepSession);
    conn = undefined;
    answers.clear();
    sent.clear();
    isUp = isSettled = isProbing = false;
  }

  function connect(): void {
    drop(true);
    startedAt = Date.now();
    become('connecting');
    const found = ours((who: Account | undefined) => {
      account = who;
      if (who) return;
      drop(false);
      become('guest');
    });
    const login = Promise.resolve(account ?? port.account(refusals > 0)).then((who) => {
      found(who);
      if (!who) throw new Error('guest');
      return who;
    });
    expire(OPENING, 'unopened');
    const options = { domain: port.domain, login, first: entering, resume, pipelined: isPipelined };
    resume = undefined;
    conn = port.open(transport, options, { up: ours(up), stanza: ours(stanza), down: ours(down) });
  }

  function down(why: Down): void {
    if (liveAt && Date.now() - liveAt > STEADY) tries = 0;
    liveAt = 0;
    // A server that does not like a burst is asked step by step, and the other way round: what works is kept.
    if (why === 'closed' && !isUp) isPipelined = !isPipelined;
    if (why === 'unopened') transport++;
    drop(true);
    if (why === 'auth') {
      // The token may just be too old. A database that is away looks the same, so the second refusal is not for ever.
      account = undefined;
      if (!refusals++) return connect();
      return leave('refused', '');
    }
    become('waiting');
    if (port.isOnline()) later(Math.min(500 * 2 ** tries++, MAX_BACKOFF));
  }

  /** An <iq/> whose answer runs `answer`. Its id is not to be guessed: an occupant can send us results through the room. */
  function ask(type: string, to: string, payload: string, answer: (iq: El) => void): string {
    const id = `${Math.random()}`;
    answers.set(id, answer);
    return `${xml`<iq xmlns='jabber:client' type='${type}' id='${id}' to='${to}'>`}${payload}</iq>`;
  }

  /** Self-ping (XEP-0410): its answer stands behind everything that the room sent us before. */
  const selfPing = (answered: () => void) =>
    ask('get', `${room}/${me.nick}`, PING, (answer) => {
      if (NOT_IN_ROOM.test(errorOf(answer)[0])) enter();
      else answered();
    });

  const archive = (range: string, done: (fin: El | undefined) => void) => {
    oldest = 0;
    const query = `<query xmlns='urn:xmpp:mam:2'><set xmlns='http://jabber.org/protocol/rsm'>${range}</set></query>`;
    return ask('set', room, query, (answer) => done(child(answer, 'fin')));
  };

  /** The stanzas that take us into the room: presence, what the archive has since the last line we know, and a barrier. */
  function entering(): string[] {
    since ??= port.lastId();
    me = { nick: account?.nick ?? '', role: '' };
    people.clear();
    isSettled = false;
    missing = since ? 2 : 1;
    const stanzas = [
      xml`<presence xmlns='jabber:client' to='${`${room}/${me.nick}`}'><x xmlns='http://jabber.org/protocol/muc'><history maxstanzas='${port.history}'/></x></presence>`,
      selfPing(settle),
    ];
    if (since) stanzas.push(archive(xml`<max>100</max><after>${since}</after>`, missed));
    return stanzas;
  }

  /** The archive has answered. More than a hundred lines were missed, or it has forgotten the one we know: take its last page. */
  function missed(fin: El | undefined): void {
    if (fin?.attrs['complete'] === 'true') return settle();
    const last = archive(xml`<max>${Math.max(port.history, 50)}</max><before/>`, (page) => {
      if (page && page.attrs['complete'] !== 'true' && oldest) on.gap(oldest);
      settle();
    });
    conn?.send(last);
  }

  function settle(): void {
    if (--missing > 0 || isSettled) return;
    isSettled = true;
    since = undefined;
    on.settled();
    flush();
  }

  function enter(): void {
    become('connecting');
    isProbing = false;
    expire(OPENING, 'unopened');
    for (const stanza of entering()) conn?.send(stanza);
  }

  function up(resumed: boolean): void {
    refusals = 0;
    isUp = true;
    if (!resumed) return;
    missing = 1;
    live();
    conn?.send(selfPing(settle));
  }

  function live(): void {
    clearTimeout(timer);
    liveAt = heardAt = Date.now();
    become('live');
    tellMe();
    tellPeople();
  }

  /** The room may write our name otherwise than the site does (RFC 7622 3.4). */
  const tellMe = () => on.me(me.nick, me.role, account?.nick);

  function tellPeople(): void {
    if (isTelling) return;
    isTelling = true;
    setTimeout(() => {
      isTelling = false;
      if (state === 'live') on.people([...people]);
    }, 50);
  }

  function stanza(el: El): void {
    heardAt = Date.now();
    const { id = '', from, type } = el.attrs;
    const [bare, nick] = splitJid(from);
    if (el.name === 'iq') {
      const answer = answers.get(id);
      answers.delete(id);
      if (answer) answer(el);
      else if (type === 'get' || type === 'set') {
        // Also the answer to a ping (XEP-0199 4.1): it says as well that we are here.
        conn?.send(
          xml`<iq xmlns='jabber:client' type='error' id='${id}' to='${from ?? port.domain}'><error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`,
        );
      }
    } else if (bare === room) {
      if (el.name === 'presence') presence(el, nick, type);
      else message(el, id, type);
    }
  }

  /** XEP-0045 7.2, 8.2, 9.1. */
  function presence(el: El, nick: string, type: string | undefined): void {
    if (type === 'error') {
      const [condition, text] = errorOf(el);
      if (state !== 'live') leave('refused', text || condition);
      return;
    }
    const x = child(el, 'x', 'http://jabber.org/protocol/muc#user');
    const item = child(x, 'item');
    const codes = `${x?.kids.map((kid) => kid.attrs['code'])}`;
    const isUs = /110/.test(codes);
    tellPeople();
    if (type) {
      people.delete(nick);
      // 303 is a change of nickname: the presence under the new one follows. 332, 333: nobody's will, so we come back.
      if (!isUs || /303/.test(codes)) return;
      if (/30[17]|32[12]/.test(codes) && !/33[23]/.test(codes)) leave('removed', child(item, 'reason')?.text ?? '');
      else down('closed');
      return;
    }
    const role = item?.attrs['role'] ?? '';
    // The room itself sends presence as well (its picture).
    if (nick) people.add(nick);
    if (!isUs) return;
    me = { nick, role };
    if (state !== 'live') return live();
    tellMe();
    flush();
  }

  function leave(next: State, note: string): void {
    drop(false);
    become(next, note);
    if (next === 'refused') later(SLOW);
  }

  function message(el: El, id: string, type: string | undefined): void {
    if (type === 'error') return refused(el, id);
    const line = lineOf(el, room, Date.now());
    if (!line) return;
    if (child(el, 'result')) oldest ||= line.ts;
    if (line.n === me.nick) forget(line.m);
    on.line(line);
  }

  function forget(id: string | undefined): Unsaid | undefined {
    const at = unsaid.findIndex((entry) => entry.id === id);
    if (at < 0) return undefined;
    const [entry] = unsaid.splice(at, 1);
    port.saveUnsaid(unsaid);
    return entry;
  }

  /** The room did not take a line: once more a little later (type wait, or no voice yet), or never. */
  function refused(el: El, id: string): void {
    const [condition, , type] = errorOf(el);
    if (!sent.delete(id)) return;
    if (condition === 'not-acceptable') enter();
    else if (type === 'wait') after(PROBE, flush);
    else if (condition !== 'forbidden' || mayWrite(me.role)) {
      const entry = forget(id);
      if (entry) on.line({ m: id, n: me.nick, t: entry.text, ts: entry.ts, p: 'fail' });
    }
  }

  function flush(): void {
    if (!isSettled || !mayWrite(me.role)) return;
    for (const { id, text, by } of unsaid) {
      if (sent.has(id) || (by && by !== me.nick)) continue;
      sent.add(id);
      conn?.send(
        xml`<message xmlns='jabber:client' type='groupchat' id='${id}' to='${room}'><body>${text}</body><origin-id xmlns='urn:xmpp:sid:0' id='${id}'/></message>`,
      );
    }
  }

  /** Asks the room whether we are still in it; no answer soon ends the connection. */
  function probe(): void {
    if (isProbing) return;
    isProbing = true;
    expire(PROBE, 'closed');
    const answered = () => {
      isProbing = false;
      clearTimeout(timer);
    };
    conn?.send(selfPing(answered));
  }

  return {
    /** Begins; with what the page before left behind, its session goes on. */
    start(handover?: Handover): void {
      if (handover) {
        resume = handover.resume;
        me = handover;
        people = new Set(handover.list);
      }
      connect();
    },
    /** Ends everything; with `keepSession` the next page, or the next tab, may go on with what this returns. */
    stop(keepSession: boolean): Handover | undefined {
      const wasLive = state === 'live';
      drop(keepSession);
      state = 'idle';
      return wasLive && resume ? { ...me, resume, list: [...people] } : undefined;
    },
    /** Network, page or clock came back. `jumped`: the clock says that the machine slept, so the old connection is dead. */
    wake(jumped = false): void {
      if (!port.isOnline()) return;
      const isStuck = state === 'connecting' && Date.now() - startedAt > PROBE;
      if (isStuck || /waiting|refused/.test(state) || (jumped && state === 'live')) connect();
      else if (state === 'live') probe();
    },
    /** Called every few seconds: a silent connection is asked whether it lives. */
    tick(): void {
      if (state === 'live' && Date.now() - heardAt > SLOW) probe();
    },
    /** Keeps the line until the room has reflected it. */
    say(entry: Unsaid): void {
      if (sent.has(entry.id) || unsaid.some(({ id }) => id === entry.id)) return;
      unsaid.push(entry);
      port.saveUnsaid(unsaid);
      flush();
    },
  };
}
