import { newDeferred } from '../core/deferred.ts';
import { reasonOf } from '../core/errors.ts';
import { printable } from '../core/escape.ts';
import { Refusal } from '../core/refusal.ts';
import { type KeepInside, keepInside } from './keep-inside.ts';
import type { ChatSession, Disconnect, Room, RoomEvents } from './ports/chat.ts';
import type { Clock } from './ports/clock.ts';
import type { Log } from './ports/log.ts';

export type KeepRoom = Pick<KeepInside, 'out' | 'clock' | 'random' | 'log'> & {
  readonly session: ChatSession;
  readonly room: string;
  /** The nickname that we want; while it is taken we go by it with `_` behind, and take it back when it is free. */
  readonly nick: string;
  /** What happens in the room. `left` is the keeper's own. */
  readonly events: Omit<RoomEvents, 'left'>;
  /** We are in the room (again): saying and asking the archive make sense from now on. Must not throw or wait. */
  readonly joined: (room: Room) => void;
  /** How often the room is asked whether it still knows us (XEP-0410). */
  readonly pingMs?: number;
  readonly historyStanzas?: number;
};

/** How often a lost nickname is tried again. */
const REGAIN_MS = 30_000;
/** At most so many underscores behind it. */
const SUFFIXES = 3;

/**
 * Keeps us in one room for as long as the session lives: kick, ban, destruction, a taken nickname, a room that forgot us in
 * silence all end in a join again, with patience, and each in one log line with its reason. Resolves when the session closed.
 */
export function keepRoom(options: KeepRoom): Promise<void> {
  return keepInside({
    ...options,
    where: options.room,
    kind: 'room',
    async enter(signal) {
      const inside = await enter(options, signal);
      const { room } = inside;
      return {
        as: `as ${printable(room.nick)}`,
        fields: { nick: room.nick },
        begin: () => options.joined(room),
        until: (over) => stay(options, inside, room.nick !== options.nick, over),
      };
    },
  });
}

type Inside = { readonly room: Room; readonly left: Promise<Disconnect>; readonly freed: { wake: () => void } };

/** Joins under our nickname, or under another one while that is taken. */
async function enter(options: KeepRoom, signal: AbortSignal): Promise<Inside> {
  const { session, room: address, nick, events, log } = options;
  const left = newDeferred<Disconnect>();
  const freed = { wake: (): void => {} };
  const listener: RoomEvents = {
    ...events,
    absent(occupant, detail) {
      events.absent?.(occupant, detail);
      if (occupant.nick === nick) freed.wake();
    },
    left: left.resolve,
  };
  for (let suffix = ''; ; suffix += '_') {
    try {
      const room = await session.enter(address, nick + suffix, listener, {
        signal,
        historyStanzas: options.historyStanzas ?? 0,
      });
      return { room, left: left.promise, freed };
    } catch (error) {
      const conflict = error instanceof Refusal && error.condition === 'conflict';
      if (!conflict || suffix.length >= SUFFIXES) throw error;
      log.warn('nick-taken', `${reasonOf(error)}; trying ${printable(nick)}${suffix}_`, {
        room: address,
        nick: nick + suffix,
      });
    }
  }
}

/** Until we are out: asks the room every now and then whether it knows us, and takes our nickname back. */
async function stay(options: KeepRoom, inside: Inside, renamed: boolean, signal: AbortSignal): Promise<Disconnect> {
  const { clock, log } = options;
  const { room, left } = inside;
  const done = new AbortController();
  const stop = (): void => done.abort();
  signal.addEventListener('abort', stop, { once: true });
  const deaf = watchRoom(room, clock, options.pingMs ?? 20_000, done.signal);
  const regaining = renamed ? regain(room, options.nick, inside.freed, clock, log, done.signal) : undefined;
  const why = await Promise.race([left, deaf]);
  stop();
  signal.removeEventListener('abort', stop);
  await regaining;
  if (why.kind === 'protocol') await room.leave();
  return why;
}

/** Settles only when the room does not know us any more. A ping without an answer is the connection's matter, not the room's. */
async function watchRoom(room: Room, clock: Clock, everyMs: number, signal: AbortSignal): Promise<Disconnect> {
  while (!signal.aborted) {
    await clock.sleep(everyMs, signal).catch(() => {});
    if (signal.aborted) break;
    const known = await room.ping().catch(() => true);
    if (!known && !signal.aborted)
      return { kind: 'protocol', reason: 'the room does not know us any more (self-ping)', permanent: false };
  }
  return await new Promise<Disconnect>(() => {});
}

async function regain(
  room: Room,
  nick: string,
  freed: Inside['freed'],
  clock: Clock,
  log: Log,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const wake = new AbortController();
    const stop = (): void => wake.abort();
    freed.wake = stop;
    signal.addEventListener('abort', stop, { once: true });
    await clock.sleep(REGAIN_MS, wake.signal).catch(() => {});
    signal.removeEventListener('abort', stop);
    if (signal.aborted) return;
    try {
      await room.rename(nick);
      log.info('nick-regained', `${room.room}: we are ${printable(nick)} again`, { room: room.room, nick });
      return;
    } catch (error) {
      log.debug('nick-taken', `the nickname is still taken: ${reasonOf(error)}`, { room: room.room, nick });
    }
  }
}
