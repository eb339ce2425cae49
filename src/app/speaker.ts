import { EXIT, reasonOf, SaxError } from '../core/errors.ts';
import type { Entry } from '../core/outbox.ts';
import { type Destination, type OutboxDriver, type OutboxOptions, runOutbox } from './outbox.ts';
import type { ChatSession, Clock, Disconnect, Log, Room, RoomEvents, RoomLine, Utterance } from './ports.ts';

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
  readonly nick: string;
  /** Everything that happens in the room, for whoever else wants it. */
  readonly events?: OutboxOptions['events'];
  readonly listener?: Partial<RoomEvents>;
  /** The room can be spoken in, or why not (for health and status). */
  readonly state?: (inside: boolean, why: string) => void;
};

export type Speaker = {
  readonly outbox: OutboxDriver;
  /** Keeps us in the room for as long as the session lives. Never rejects. For keepConnected's `connected`. */
  serve(session: ChatSession, signal?: AbortSignal): Promise<void>;
  readonly room: Room | undefined;
};

/**
 * The one way to speak in a room: exactly once and in order. An entry is on the disk before it is sent, confirmed by the room's own
 * reflection of it, and after every break looked for in the room's archive before anything is sent again.
 */
export function makeSpeaker(options: SpeakerOptions): Speaker {
  const { room: address, nick, clock, log } = options;
  const outbox = runOutbox({ ...options, name: address });
  let room: Room | undefined;

  const sit = (session: ChatSession, signal: AbortSignal): Promise<Disconnect> =>
    new Promise((resolve, reject) => {
      const events: RoomEvents = {
        ...options.listener,
        line(line) {
          if (line.messageId !== undefined) outbox.confirmed(line.messageId, line.id);
          options.listener?.line?.(line);
        },
        refused(messageId, condition, text) {
          const ours = outbox.refused(
            messageId,
            text === '' ? condition : `${text} (${condition})`,
            HOPELESS.has(condition),
          );
          // An error for what was sent before we came back says nothing about now.
          if (ours && OUTSIDE.has(condition))
            left({ kind: 'server', reason: `the room does not know us (${condition})`, permanent: false });
          options.listener?.refused?.(messageId, condition, text);
        },
        left,
      };
      let over = false;
      function left(why: Disconnect): void {
        if (over) return;
        over = true;
        // `protocol`: the server could not read what we sent; `server` may be its policy (a stanza too big for it).
        outbox.detach({ culprit: why.kind === 'protocol' || /policy-violation/.test(why.reason) });
        const inside = room;
        room = undefined;
        options.state?.(false, why.reason);
        options.listener?.left?.(why);
        if (inside !== undefined) inside.leave().catch(() => undefined);
        resolve(why);
      }
      session.enter(address, nick, events, { historyStanzas: 0, signal }).then((entered) => {
        room = entered;
        log.info('joined', `in the room ${address} as ${entered.nick}`, { room: address, nick: entered.nick });
        options.state?.(true, `in ${address} as ${entered.nick}`);
        outbox.attach(roomDestination(session, entered, clock, log));
      }, reject);
    });

  return {
    outbox,
    get room() {
      return room;
    },
    async serve(session, signal) {
      const over = new AbortController();
      void session.closed.then(() => over.abort());
      const both = signal === undefined ? over.signal : AbortSignal.any([over.signal, signal]);
      for (let failures = 0; !both.aborted; ) {
        const started = clock.monotonic();
        let why: string;
        try {
          why = (await sit(session, both)).reason;
        } catch (error) {
          why = reasonOf(error);
          options.state?.(false, why);
        }
        if (both.aborted) return;
        failures = clock.monotonic() - started > 10_000 ? 1 : failures + 1;
        const wait = failures === 1 ? 100 : Math.min(30_000, 250 * 2 ** Math.min(failures, 7));
        log.warn('outside', `not in the room ${address}: ${why}; next try in ${wait / 1000} s`, {
          room: address,
          retry_ms: wait,
        });
        await clock.sleep(wait, both).catch(() => undefined);
      }
    },
  };
}

function roomDestination(session: ChatSession, room: Room, clock: Clock, log: Log): Destination {
  let knownArchive = true;
  return {
    deliver(entry) {
      const { body, kind } = decodeSpoken(entry.payload);
      room.say({ id: entry.id, body, kind });
    },
    async position() {
      const page = await orNone(() => session.archive(room.room, { before: '', max: 1 }));
      return page?.last ?? page?.lines.at(-1)?.id ?? '';
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
      return await ask();
    } catch (error) {
      const condition = (error as { condition?: string }).condition;
      if (condition !== 'feature-not-implemented' && condition !== 'service-unavailable') throw error;
      if (knownArchive)
        log.warn('no-archive', `the room ${room.room} has no archive: after a crash its last lines may be said twice`, {
          condition,
        });
      knownArchive = false;
      return undefined;
    }
  }
}
