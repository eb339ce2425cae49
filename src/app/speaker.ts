import { EXIT, SaxError } from '../core/errors.ts';
import type { Entry } from '../core/outbox.ts';
import { keepRoom } from './keep-room.ts';
import { type Destination, type OutboxDriver, type OutboxOptions, runOutbox } from './outbox.ts';
import type { ChatSession, Disconnect, Room, RoomEvents, RoomLine, Utterance } from './ports/chat.ts';
import type { Clock } from './ports/clock.ts';
import type { Log } from './ports/log.ts';

/** What an entry of a room's outbox holds. `extra` is the owner's (whom to answer). */
export type Spoken = { readonly body: string; readonly kind?: Utterance['kind']; readonly extra?: unknown };

export function encodeSpoken(spoken: Spoken): string {
  return JSON.stringify(spoken);
}

export function decodeSpoken(payload: string): Spoken {
  return JSON.parse(payload) as Spoken;
}

const PAGE = 250;
/** Where nothing better is known, the archive is read from this long before the oldest doubtful entry was accepted. */
const MARGIN_MS = 24 * 3_600_000;

/** Conditions that are about the entry, not about the moment: the same words will be refused again. */
const HOPELESS = new Set(['bad-request', 'policy-violation', 'jid-malformed', 'not-allowed']);
/** Conditions that mean that we are not in the room, whatever we believed. */
const OUTSIDE = new Set(['not-acceptable', 'item-not-found', 'gone', 'service-unavailable', 'remote-server-not-found']);

export type SpeakerOptions = Omit<OutboxOptions, 'name'> & {
  readonly room: string;
  /** The body at the moment when an entry is sent, where it depends on that moment. */
  readonly body?: (entry: Entry, spoken: Spoken) => string;
};

/** One room's outbox, to be told what happens in the room. `keepSpeaking` does that; a bridge with ears of its own does it itself. */
export type Speaker = {
  readonly outbox: OutboxDriver;
  /** We are in the room. */
  joined(session: ChatSession, room: Room): void;
  /** We are not, or the connection is gone. */
  out(why: Disconnect): void;
  /** Every line, from wherever: our own are confirmations. True when it was one of ours and new. */
  heard(line: RoomLine): boolean;
  /** The room refused a message. */
  refused(messageId: string, condition: string, text: string): void;
};

/**
 * The one way to speak in a room: exactly once and in order. An entry is on the disk before it is sent, confirmed by the room's own
 * reflection of it, and after every break looked for in the room's archive before anything is sent again.
 */
export function makeSpeaker(options: SpeakerOptions): Speaker {
  const outbox = runOutbox({ ...options, name: options.room });
  let inside: Room | undefined;
  let streamEnd: Disconnect | undefined;
  /** Whether the room keeps one, as far as we know. */
  const archive = { kept: true };
  return {
    outbox,
    joined(session, room) {
      inside = room;
      streamEnd = undefined;
      void session.closed.then((why) => {
        if (inside === room) streamEnd = why;
      });
      outbox.attach(roomDestination(session, room, archive, options));
    },
    out() {
      inside = undefined;
      // `protocol`: the server could not read what we sent; a policy may be one about its size.
      const why = streamEnd;
      outbox.detach({ culprit: why?.kind === 'protocol' || /policy-violation/.test(why?.reason ?? '') });
    },
    heard(line) {
      // Every line of a room with an archive has an id there; ejabberd says a line without one when its database is away.
      const archived = line.id !== undefined || !archive.kept;
      return line.messageId !== undefined && outbox.confirmed(line.messageId, line.id, archived);
    },
    refused(messageId, condition, text) {
      const reason = text === '' || text === condition ? condition : `${text} (${condition})`;
      const flying = outbox.refused(messageId, reason, HOPELESS.has(condition));
      // Whoever is not an occupant must come in again. An error for what was sent before we came back says nothing about now.
      if (flying && OUTSIDE.has(condition)) inside?.leave().catch(() => undefined);
    },
  };
}

export type KeepSpeaking = {
  readonly speaker: Speaker;
  readonly session: ChatSession;
  readonly room: string;
  readonly nick: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** What else happens in the room, for whoever wants it; after the speaker has seen it. */
  readonly listener?: Partial<Pick<RoomEvents, 'line' | 'subject' | 'present' | 'absent'>>;
  readonly joined?: (room: Room) => void;
  readonly out?: (why: Disconnect) => void;
};

/** Keeps the speaker in its room for as long as the session lives. Never rejects. */
export function keepSpeaking(options: KeepSpeaking): Promise<void> {
  const { speaker, session, listener = {} } = options;
  return keepRoom({
    ...options,
    events: {
      ...listener,
      line(line) {
        speaker.heard(line);
        listener.line?.(line);
      },
      refused: speaker.refused,
    },
    joined(room) {
      speaker.joined(session, room);
      options.joined?.(room);
    },
    out(why) {
      speaker.out(why);
      options.out?.(why);
    },
  });
}

function roomDestination(
  session: ChatSession,
  room: Room,
  archive: { kept: boolean },
  { clock, log, body }: SpeakerOptions,
): Destination {
  return {
    deliver(entry) {
      const spoken = decodeSpoken(entry.payload);
      room.say({ id: entry.id, body: body?.(entry, spoken) ?? spoken.body, kind: spoken.kind });
    },
    async position() {
      const page = await orNone(() => session.archive(room.room, { before: '', max: 1 }));
      return page === undefined ? undefined : (page.last ?? page.lines.at(-1)?.id ?? '');
    },
    async findDelivered(entries, after) {
      const found = new Map<string, string | undefined>();
      const wanted = new Set(entries.map(({ id }) => id));
      await readAfter(entries, after, (line) => {
        for (const id of [line.messageId, line.originId])
          if (id !== undefined && wanted.has(id)) found.set(id, line.id);
        return found.size < wanted.size;
      });
      return found;
    },
    stuck() {
      session.abandon({ kind: 'network', reason: 'the room did not answer', permanent: false });
    },
  };

  async function readAfter(
    entries: readonly Entry[],
    after: string | undefined,
    want: (line: RoomLine) => boolean,
  ): Promise<void> {
    let position = after === '' ? undefined : after;
    const oldest = Math.min(...entries.map(({ at }) => at));
    const since = position === undefined ? Math.min(oldest, clock.now()) - MARGIN_MS : undefined;
    for (;;) {
      const page = await orNone(() => session.archive(room.room, { after: position, since, max: PAGE }));
      if (page === undefined) return;
      for (const line of page.lines) if (!want(line)) return;
      const last = page.last ?? page.lines.at(-1)?.id;
      if (page.complete || last === undefined) return;
      if (last === position) throw new SaxError(EXIT.unavailable, 'the archive does not move on');
      position = last;
    }
  }

  /** A room without an archive cannot say what was said: then what is doubtful is said again, and the log says so. */
  async function orNone<T>(ask: () => Promise<T>): Promise<T | undefined> {
    try {
      const answer = await ask();
      archive.kept = true;
      return answer;
    } catch (error) {
      const condition = (error as { condition?: string }).condition;
      if (condition !== 'feature-not-implemented' && condition !== 'service-unavailable') throw error;
      if (archive.kept)
        log.warn('no-archive', `the room ${room.room} has no archive: after a crash its last lines may be said twice`, {
          condition,
        });
      archive.kept = false;
      return undefined;
    }
  }
}
