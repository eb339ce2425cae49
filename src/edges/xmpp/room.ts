import { xml } from '@xmpp/client';
import type { Disconnect, Occupant, Room, RoomEvents } from '../../app/ports/chat.ts';
import type { Log } from '../../app/ports/log.ts';
import { newDeferred } from '../../core/deferred.ts';
import { EXIT, SaxError } from '../../core/errors.ts';
import { Refusal } from '../../core/refusal.ts';
import { xmlText } from '../../core/xml-text.ts';
import { readError, refusal } from './errors.ts';
import type { Iq } from './iq.ts';
import type { Element } from './library.ts';
import { readLine, splitJid } from './lines.ts';
import { NS } from './names.ts';
import { type Leave, leaveOf, readOccupant } from './presence.ts';

/** A joined room as the session sees it: stanzas from the room go in. */
export type RoomEnd = Room & { take(stanza: Element): void; lost(why: Disconnect): void };

export type RoomWiring = {
  readonly room: string;
  readonly nick: string;
  readonly events: RoomEvents;
  readonly iq: Iq;
  readonly send: (stanza: Element) => void;
  readonly log: Log;
  readonly now: () => number;
  /** The room is over: the session forgets it. */
  readonly forget: () => void;
};

type Waiter = { readonly nick: string; resolve(): void; reject(error: Error): void };

/**
 * One room. States: joining (presence sent, our own not yet seen) → inside (self-presence 110 seen; join history may still
 * follow until the subject came) → out (left, removed or stream lost; nothing is delivered any more).
 */
export function newRoom(wiring: RoomWiring): {
  readonly end: RoomEnd;
  join(historyStanzas: number): void;
  readonly joined: Promise<void>;
} {
  const { room, events, iq, send, log } = wiring;
  const occupants = new Map<string, Occupant>();
  let nick = wiring.nick;
  let state: 'joining' | 'inside' | 'out' = 'joining';
  let historyMayFollow = true;
  const joining = newDeferred<void>();
  let renaming: Waiter | undefined;

  const deliver = (what: () => void): void => {
    try {
      what();
    } catch (error) {
      log.error('handler-failed', `a handler of the room failed: ${String(error)}`, { room });
    }
  };
  const out = (why: Disconnect): void => {
    if (state === 'out') return;
    const wasJoining = state === 'joining';
    state = 'out';
    wiring.forget();
    const error = new SaxError(EXIT.unavailable, `${room}: ${why.reason}`);
    renaming?.reject(error);
    if (wasJoining) joining.reject(error);
    else deliver(() => events.left(why));
  };

  function takePresence(stanza: Element): void {
    const { resource: who } = splitJid(stanza.attrs['from']);
    if (stanza.attrs['type'] === 'error') {
      takePresenceError(stanza);
      return;
    }
    // The room's own presence (its capabilities or picture): nobody is there.
    if (who === '') return;
    const { occupant, codes, self } = readOccupant(stanza, who);
    const ours = self || (state === 'inside' && who === nick);
    if (stanza.attrs['type'] === 'unavailable') {
      const leave = leaveOf(stanza, codes);
      if (leave.newNick !== undefined && ours) {
        nick = leave.newNick;
      }
      occupants.delete(who);
      if (ours && leave.newNick === undefined) out(whyOut(leave));
      else deliver(() => events.absent?.(occupant, { ...leave.detail, codes }));
      return;
    }
    const first = !occupants.has(who);
    occupants.set(who, occupant);
    deliver(() => events.present?.(occupant, first));
    if (!self) return;
    nick = who;
    if (codes.includes('201')) unlock();
    if (state === 'joining') {
      state = 'inside';
      joining.resolve();
    }
    if (renaming?.nick === nick) renaming.resolve();
  }

  function takePresenceError(stanza: Element): void {
    const error = readError(stanza);
    const said = refusal(`${room} refuses the nickname ${JSON.stringify(renaming?.nick ?? nick)}`, error);
    if (state === 'joining') {
      const why = error.condition === 'conflict' ? said : refusal(`${room} refuses to let us in`, error);
      state = 'out';
      wiring.forget();
      joining.reject(why);
    } else renaming?.reject(said);
  }

  /** A room that our join created may be locked until it is configured (XEP-0045 section 10.1.2): take it as it is. */
  function unlock(): void {
    const form = xml('query', { xmlns: NS.mucOwner }, xml('x', { xmlns: NS.form, type: 'submit' }));
    iq.request('set', room, form, `unlock ${room}`).catch((error: unknown) => {
      log.warn('room-locked', `the new room could not be opened: ${String(error)}`, { room });
    });
  }

  function takeMessage(stanza: Element): void {
    const { resource: who } = splitJid(stanza.attrs['from']);
    if (stanza.attrs['type'] === 'error') {
      const { condition, text } = readError(stanza);
      deliver(() => events.refused?.(stanza.attrs['id'] ?? '', condition, text));
      return;
    }
    if (stanza.attrs['type'] !== 'groupchat') return;
    const subject = stanza.getChild('subject');
    if (subject !== undefined && stanza.getChild('body') === undefined) {
      historyMayFollow = false;
      deliver(() => events.subject?.(subject.text(), who));
      return;
    }
    // The room sends history, then the subject, then what is new (XEP-0045 section 7.1): a delay after that is forged.
    const history = historyMayFollow && stanza.getChild('delay', NS.delay) !== undefined;
    const line = readLine(stanza, {
      room,
      source: history ? 'history' : 'live',
      at: wiring.now(),
      jid: occupants.get(who)?.jid,
    });
    if (line !== undefined) deliver(() => events.line(line));
  }

  const end: RoomEnd = {
    room,
    get nick() {
      return nick;
    },
    occupants: () => [...occupants.values()],
    say(utterance) {
      const marker = utterance.kind === undefined ? [] : [xml('sax', { xmlns: NS.sax, kind: utterance.kind })];
      const origin = xml('origin-id', { xmlns: NS.stanzaId, id: utterance.id });
      const body = xml('body', {}, xmlText(utterance.body));
      send(xml('message', { type: 'groupchat', to: room, id: utterance.id }, body, origin, ...marker));
    },
    async ping() {
      if (state !== 'inside') return false;
      try {
        await iq.request('get', `${room}/${nick}`, xml('ping', { xmlns: NS.ping }), `self-ping in ${room}`);
        return true;
      } catch (error) {
        // XEP-0410 section 3.2: these two come from a client in the room, so we are in it.
        if (error instanceof Refusal)
          return ['service-unavailable', 'feature-not-implemented'].includes(error.condition);
        throw error;
      }
    },
    async rename(wanted) {
      if (state !== 'inside') throw new SaxError(EXIT.unavailable, `${room}: not inside`);
      if (renaming !== undefined) throw new SaxError(EXIT.temporary, `${room}: a change of nickname is under way`);
      const done = newDeferred<void>();
      const timer = setTimeout(
        () => done.reject(new SaxError(EXIT.unavailable, `${room}: no answer to a change of nickname`)),
        15_000,
      );
      renaming = { nick: wanted, resolve: done.resolve, reject: done.reject };
      try {
        send(xml('presence', { to: `${room}/${xmlText(wanted)}` }));
        await done.promise;
      } finally {
        clearTimeout(timer);
        renaming = undefined;
      }
    },
    async setRole(who, role, reason) {
      const why = reason === undefined ? [] : [xml('reason', {}, xmlText(reason))];
      const item = xml('item', { nick: xmlText(who), role }, ...why);
      await iq.request(
        'set',
        room,
        xml('query', { xmlns: NS.mucAdmin }, item),
        `set the role of ${JSON.stringify(who)} to ${role}`,
      );
    },
    async setAffiliation(jid, affiliation) {
      const item = xml('item', { jid: xmlText(jid), affiliation });
      await iq.request(
        'set',
        room,
        xml('query', { xmlns: NS.mucAdmin }, item),
        `set the affiliation of ${JSON.stringify(jid)} to ${affiliation}`,
      );
    },
    async leave() {
      if (state === 'out') return;
      send(xml('presence', { to: `${room}/${nick}`, type: 'unavailable' }));
      out({ kind: 'closed', reason: 'we left', permanent: false });
    },
    take(stanza) {
      if (state === 'out') return;
      if (stanza.name === 'presence') takePresence(stanza);
      else if (stanza.name === 'message') takeMessage(stanza);
    },
    lost: out,
  };

  return {
    end,
    joined: joining.promise,
    join(historyStanzas) {
      const history = xml('history', { maxstanzas: String(historyStanzas) });
      send(xml('presence', { to: `${room}/${xmlText(nick)}` }, xml('x', { xmlns: NS.muc }, history)));
    },
  };
}

/** Why we are out of the room, for the log and for whoever decides when to try again. */
function whyOut({ detail, codes, actor, destroyed }: Leave): Disconnect {
  const by = actor === undefined ? '' : ` by ${JSON.stringify(actor)}`;
  const because = detail.reason === undefined ? '' : `: ${JSON.stringify(detail.reason)}`;
  const ended = (kind: Disconnect['kind'], what: string): Disconnect => ({
    kind,
    reason: `${what}${by}${because}`,
    permanent: false,
  });
  if (destroyed) return ended('server', 'the room was destroyed');
  if (codes.includes('301')) return ended('refused', 'banned from the room');
  if (codes.includes('307') && !codes.includes('333')) return ended('refused', 'kicked from the room');
  if (codes.includes('322')) return ended('refused', 'the room became members-only');
  if (codes.includes('321')) return ended('refused', 'our affiliation was taken away');
  if (codes.includes('332')) return ended('server', 'the chat service shuts down');
  if (codes.includes('333')) return ended('server', 'removed from the room by a fault of the connection');
  return ended('server', 'the room says that we left');
}
