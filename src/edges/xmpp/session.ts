import type net from 'node:net';
import { xml } from '@xmpp/client';
import type { ChatSession, Disconnect } from '../../app/ports/chat.ts';
import type { Log } from '../../app/ports/log.ts';
import { newDeferred } from '../../core/deferred.ts';
import { EXIT, SaxError } from '../../core/errors.ts';
import { newArchive } from './archive.ts';
import { newIq } from './iq.ts';
import type { Element } from './library.ts';
import { splitJid } from './lines.ts';
import { NS } from './names.ts';
import { newRoom, type RoomEnd } from './room.ts';

/** The session as the connection sees it: elements go in, and its end. */
export type SessionEnd = ChatSession & { take(element: Element): boolean; lost(why: Disconnect): void };

export type SessionWiring = {
  readonly jid: string;
  readonly log: Log;
  readonly now: () => number;
  readonly write: (stanza: Element) => void;
  readonly socket: () => net.Socket;
};

const JOIN_DEADLINE_MS = 15_000;

/** What an online stream offers: rooms, archive, pings. Several rooms share one stream. */
export function newSession({ jid, log, now, write, socket }: SessionWiring): SessionEnd {
  const rooms = new Map<string, RoomEnd>();
  const closed = newDeferred<Disconnect>();
  let over = false;
  const send = (stanza: Element): void => {
    if (!over) write(stanza);
  };
  const iq = newIq(send);
  const archive = newArchive(iq);
  const domain = splitJid(jid).bare.replace(/^.*@/, '');

  const lost = (why: Disconnect): void => {
    if (over) return;
    over = true;
    // First: whoever hears that a room is over must be able to know that everything is.
    closed.resolve(why);
    iq.fail(new SaxError(EXIT.unavailable, `connection lost: ${why.reason}`));
    for (const room of [...rooms.values()]) room.lost(why);
  };

  return {
    jid,
    closed: closed.promise,
    async enter(address, nick, events, options = {}) {
      const room = address.toLowerCase();
      if (over) throw new SaxError(EXIT.unavailable, `${room}: the connection is lost`);
      if (rooms.has(room)) throw new SaxError(EXIT.temporary, `${room}: already joined on this connection`);
      const { end, joined, join } = newRoom({
        room,
        nick,
        events,
        iq,
        send,
        log,
        now,
        forget: () => rooms.delete(room),
      });
      rooms.set(room, end);
      const deadline = AbortSignal.timeout(JOIN_DEADLINE_MS);
      const giveUp = (): void =>
        end.lost({ kind: 'server', reason: 'the room did not answer to the join', permanent: false });
      for (const signal of [deadline, options.signal]) signal?.addEventListener('abort', giveUp, { once: true });
      try {
        join(options.historyStanzas ?? 0);
        await joined;
        return end;
      } finally {
        for (const signal of [deadline, options.signal]) signal?.removeEventListener('abort', giveUp);
      }
    },
    archive: (room, query) => archive.query(room.toLowerCase(), query),
    async features() {
      const answer = await iq.request('get', domain, xml('query', { xmlns: NS.discoInfo }), 'features of the server');
      const found = answer.getChild('query', NS.discoInfo)?.getChildren('feature') ?? [];
      return found.map((feature) => String(feature.attrs['var'] ?? ''));
    },
    async ping(deadlineMs = 10_000) {
      await iq.request('get', domain, xml('ping', { xmlns: NS.ping }), 'ping to the server', deadlineMs);
    },
    async close() {
      if (over) return;
      for (const room of [...rooms.values()]) await room.leave();
      const connection = socket();
      lost({ kind: 'closed', reason: 'we closed the connection', permanent: false });
      await new Promise<void>((resolve) => {
        const timer = setTimeout(() => connection.destroy(), 1000);
        connection.once('close', () => {
          clearTimeout(timer);
          resolve();
        });
        if (connection.destroyed) {
          clearTimeout(timer);
          resolve();
          return;
        }
        connection.end('</stream:stream>');
      });
    },
    abandon(why) {
      lost(why);
      socket().destroy();
    },
    take(element) {
      if (element.name === 'iq') return iq.answer(element);
      if (element.name !== 'message' && element.name !== 'presence') return false;
      if (element.name === 'message' && archive.take(element)) return true;
      rooms.get(splitJid(element.attrs['from']).bare)?.take(element);
      return true;
    },
    lost,
  };
}
