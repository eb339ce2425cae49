import { timePrefix } from '../core/relay-text.ts';
import { makeChannelSpeaker } from './channel-speaker.ts';
import { newComings } from './comings.ts';
import { makeIrcToRoom } from './irc-to-room.ts';
import { keepChannel } from './keep-channel.ts';
import { keepRoom } from './keep-room.ts';
import type { Pacer } from './pacer.ts';
import type { ChatSession, Disconnect } from './ports/chat.ts';
import type { IrcSession } from './ports/irc.ts';
import type { Journal } from './ports/journal.ts';
import { LATE_MS, type RelayTools } from './relay.ts';
import { makeRoomToIrc } from './room-to-irc.ts';
import { makeSpeaker } from './speaker.ts';

export type LinkOptions = RelayTools & {
  readonly room: string;
  readonly nick: string;
  readonly channel: string;
  readonly key: string | undefined;
  /** What is on its way to IRC, and to the room. */
  readonly toIrcJournal: Journal;
  readonly toRoomJournal: Journal;
  /** Something changed: in or out on either side. */
  readonly changed: () => void;
};

export type LinkSide = { readonly inside: boolean; readonly why: string };

export type Link = {
  readonly room: string;
  readonly channel: string;
  readonly sides: () => { readonly room: LinkSide; readonly channel: LinkSide };
  readonly waiting: () => { readonly toIrc: number; readonly toRoom: number };
  /** Keeps us in the room, or in the channel, for as long as the session lives. */
  inRoom(session: ChatSession): Promise<void>;
  inChannel(session: IrcSession, pacer: Pacer): Promise<void>;
  /** The connection to the channel's server fell silent, or speaks again. */
  silent(is: boolean): void;
  /** Waits until what is on its way has been confirmed, or for `ms`. */
  drain(ms: number): Promise<void>;
  close(): Promise<void>;
};

/** How often we note that we are still listening, so that a gap after a crash is told truly. */
const LISTENING_MS = 15_000;

/** One pair of room and channel. The two directions know nothing of each other but who is where. */
export function makeLink(options: LinkOptions): Link {
  const { clock, log, room: address, channel: name, count, changed } = options;
  let roomSide: LinkSide = { inside: false, why: 'not connected yet' };
  let channelSide: LinkSide = { inside: false, why: 'not connected yet' };
  /** The channel's server says nothing: whether we are still in is not known. */
  let silent = false;
  let openedAt = 0;

  const channelSpeaker = makeChannelSpeaker(name, options.toIrcJournal, options);
  const roomSpeaker = makeSpeaker({
    room: address,
    journal: options.toRoomJournal,
    clock,
    log,
    events: {
      said: (_entry, _proof, ms) => count.said('to-room', ms),
      givenUp: () => count.givenUp('to-room'),
    },
    body(entry, { body, extra }) {
      const late = (extra as { late?: boolean } | undefined)?.late === true || entry.at < openedAt;
      return late && clock.now() - entry.at >= LATE_MS ? timePrefix(entry.at) + body : body;
    },
  });
  const toIrc = makeRoomToIrc(channelSpeaker, name, options);
  const toRoom = makeIrcToRoom(roomSpeaker, name, options);

  const inTheRoom = newComings({ where: 'the room', tell: toIrc.notice, clock });
  const inTheChannel = newComings({ where: name, tell: toRoom.notice, clock });
  return {
    room: address,
    channel: name,
    sides: () => ({
      room: roomSide,
      channel:
        silent && channelSide.inside
          ? { inside: false, why: `not heard from ${name}: the server is silent` }
          : channelSide,
    }),
    waiting: () => ({ toIrc: channelSpeaker.outbox.size, toRoom: roomSpeaker.outbox.size }),

    inRoom(session) {
      return keepRoom({
        session,
        room: address,
        nick: options.nick,
        clock,
        random: options.random,
        log,
        events: {
          line(line) {
            if (!roomSpeaker.heard(line)) toIrc.line(line);
          },
          refused: roomSpeaker.refused,
          subject(subject, nick) {
            if (roomSide.inside && nick !== '') toIrc.notice((as) => `${as(nick)} set the subject: ${subject}`);
          },
          present({ nick }, first) {
            if (roomSide.inside && first) inTheRoom.came(nick);
          },
          absent({ nick }, { newNick, reason = '' }) {
            if (!roomSide.inside) return;
            if (newNick !== undefined) toIrc.notice((as) => `${as(nick)} is now ${as(newNick)}`);
            else inTheRoom.went(nick, reason);
          },
        },
        joined(room) {
          openedAt = clock.now();
          roomSide = { inside: true, why: `in ${address} as ${room.nick}` };
          roomSpeaker.joined(session, room);
          toRoom.room(room);
          toIrc.joined(session, room);
          changed();
        },
        out(why) {
          leaveRoom(why);
        },
      });
    },

    async inChannel(session, pacer) {
      const listening = new AbortController();
      void session.closed.then(() => listening.abort());
      void note(session, listening.signal);
      await keepChannel({
        session,
        channel: name,
        key: options.key,
        clock,
        random: options.random,
        log,
        heard() {
          channelSpeaker.entering();
          return toRoom.heard(session.server);
        },
        events: {
          line(line) {
            // By its id, whatever we were called when we said it.
            if (line.source === 'history') channelSpeaker.replayed(line);
            toRoom.line(line);
          },
          confirmed: channelSpeaker.confirmed,
          refused: channelSpeaker.refused,
          present: inTheChannel.came,
          absent: (nick, how, reason) => inTheChannel.went(nick, reason, how === 'kick' ? 'was kicked from' : 'left'),
          renamed: (from, to) => toRoom.notice((as) => `${as(from)} is now ${as(to)}`),
          topic(topic, nick) {
            if (channelSide.inside && nick !== '')
              toRoom.notice((as) => `${as(nick)} set the topic of ${name}: ${topic}`);
          },
        },
        joined(channel) {
          silent = false;
          channelSide = { inside: true, why: `in ${name} on ${session.server} as ${channel.nick}` };
          toIrc.channel(channel);
          toRoom.joined(channel);
          channelSpeaker.joined(session, channel, pacer);
          changed();
        },
        out(why) {
          if (channelSide.inside) toRoom.listening(session.heardUntil);
          channelSide = { inside: false, why: `not in ${name}: ${why.reason}` };
          inTheChannel.forget();
          toIrc.channel(undefined);
          channelSpeaker.out();
          changed();
        },
      });
    },

    silent(is) {
      silent = is;
      if (!is) channelSpeaker.resumed();
      changed();
    },

    async drain(ms) {
      const works = [
        channelSide.inside && !silent ? channelSpeaker.outbox.drain(ms) : undefined,
        roomSide.inside ? roomSpeaker.outbox.drain(ms) : undefined,
      ];
      await Promise.all(works);
    },
    async close() {
      await Promise.all([channelSpeaker.outbox.close(), roomSpeaker.outbox.close()]);
    },
  };

  function leaveRoom(why: Disconnect): void {
    roomSide = { inside: false, why: `not in ${address}: ${why.reason}` };
    inTheRoom.forget();
    roomSpeaker.out(why);
    toRoom.room(undefined);
    toIrc.out();
    changed();
  }

  async function note(session: IrcSession, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await clock.sleep(LISTENING_MS, signal).catch(() => {});
      if (!signal.aborted && channelSide.inside) toRoom.listening(session.heardUntil);
    }
  }
}
