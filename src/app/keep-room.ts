import { backoff } from '../core/backoff.ts';
import { reasonOf } from '../core/errors.ts';
import { printable } from '../core/escape.ts';
import { Refusal } from '../core/refusal.ts';
import type { ChatSession, Disconnect, Room, RoomEvents } from './ports/chat.ts';
import type { Clock } from './ports/clock.ts';
import type { Log } from './ports/log.ts';

export type KeepRoom = {
  readonly session: ChatSession;
  readonly room: string;
  /** The nickname that we want; while it is taken we go by it with `_` behind, and take it back when it is free. */
  readonly nick: string;
  /** What happens in the room. `left` is the keeper's own. */
  readonly events: Omit<RoomEvents, 'left'>;
  /** We are in the room (again): saying and asking the archive make sense from now on. Must not throw or wait. */
  readonly joined: (room: Room) => void;
  /** We are not in the room any more, or could not get in. Called once per outage and for each failed attempt. */
  readonly out: (why: Disconnect) => void;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** How often the room is asked whether it still knows us (XEP-0410). */
  readonly pingMs?: number;
  readonly historyStanzas?: number;
};

/** How long a stay counts as peaceful: after it the next removal is answered as quickly as the first. */
const PEACE_MS = 60_000;
/** A room that threw us out is given this long, twice as long each time, up to a minute. */
const PATIENCE = { minMs: 2000, maxMs: 60_000, jitter: 0.2 };
/** How often a lost nickname is tried again. */
const REGAIN_MS = 30_000;
const SUFFIXES = ['', '_', '__', '___'];

/**
 * Keeps us in one room for as long as the session lives: kick, ban, destruction, a taken nickname, a room that forgot us in
 * silence all end in a join again, with patience, and each in one log line with its reason. Resolves when the session closed.
 */
export async function keepRoom(options: KeepRoom): Promise<void> {
  const { session, room: address, clock, log, random } = options;
  const over = new AbortController();
  const ended = session.closed.then((why) => {
    over.abort();
    return why;
  });
  let failures = 0;
  let told = '';
  while (!over.signal.aborted) {
    const inside = await enter(options, over.signal);
    let why: Disconnect;
    if ('room' in inside) {
      told = '';
      const since = clock.monotonic();
      log.info('joined', `joined ${address} as ${printable(inside.room.nick)}`, {
        room: address,
        nick: inside.room.nick,
      });
      options.joined(inside.room);
      why = await stay(options, inside, inside.room.nick !== options.nick, over.signal);
      if (clock.monotonic() - since >= PEACE_MS) failures = 0;
    } else why = inside.why;
    options.out(why);
    if (over.signal.aborted) break;
    failures += 1;
    const wait = backoff(failures, random(), PATIENCE);
    // The same refusal every minute for a night is one line, not 500.
    if (why.reason !== told)
      log.warn('left', `not in ${address}: ${why.reason}; trying again`, { room: address, retry_ms: wait });
    told = why.reason;
    await clock.sleep(wait, over.signal).catch(() => {});
  }
  await ended;
}

type Inside = { readonly room: Room; readonly left: Promise<Disconnect>; readonly freed: { wake: () => void } };

async function enter(options: KeepRoom, signal: AbortSignal): Promise<Inside | { readonly why: Disconnect }> {
  const { session, room: address, nick, events, log } = options;
  let leave: (why: Disconnect) => void = () => {};
  const left = new Promise<Disconnect>((resolve) => {
    leave = resolve;
  });
  const freed = { wake: (): void => {} };
  for (const suffix of SUFFIXES) {
    try {
      const room = await session.enter(
        address,
        nick + suffix,
        {
          ...events,
          absent(occupant, detail) {
            events.absent?.(occupant, detail);
            if (occupant.nick === nick) freed.wake();
          },
          left: leave,
        },
        { signal, historyStanzas: options.historyStanzas ?? 0 },
      );
      return { room, left, freed };
    } catch (error) {
      const conflict = error instanceof Refusal && error.condition === 'conflict';
      if (!conflict || suffix === SUFFIXES.at(-1)) return { why: whyNot(error) };
      log.warn('nick-taken', `${reasonOf(error)}; trying ${printable(nick)}${suffix}_`, {
        room: address,
        nick: nick + suffix,
      });
    }
  }
  return { why: { kind: 'refused', reason: 'no nickname', permanent: false } };
}

function whyNot(error: unknown): Disconnect {
  return { kind: error instanceof Refusal ? 'refused' : 'server', reason: reasonOf(error), permanent: false };
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
