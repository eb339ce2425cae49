import { type DecodeOptions, decodeDatagram } from '../core/datagram.ts';
import type { SpoolRecord } from '../core/spool.ts';
import { type IntakeCounts, makeIntake } from './intake.ts';
import type { Submission } from './outbox.ts';
import type { ChatSession, RoomLine } from './ports/chat.ts';
import type { Clock } from './ports/clock.ts';
import type { DatagramSocket, Spool } from './ports/datagram.ts';
import type { Journal } from './ports/journal.ts';
import type { Log } from './ports/log.ts';
import type { SnapshotWriter } from './snapshot.ts';
import { decodeSpoken, encodeSpoken, keepSpeaking, makeSpeaker } from './speaker.ts';
import { sweepSpool } from './spool.ts';

/** How long a stop may take for what is on its way to be said; the rest waits in the journal. */
const DRAIN_MS = 3500;

export type WebridgeOptions = {
  readonly room: string;
  readonly nick: string;
  readonly socket: DatagramSocket;
  readonly journal: Journal;
  readonly spool: Spool | undefined;
  readonly snapshot: SnapshotWriter | undefined;
  /** Connects and hands every session over until the signal; the commands wire keepConnected to it. */
  readonly connect: (
    connected: (session: ChatSession) => void,
    down: (reason: string) => void,
    signal: AbortSignal,
  ) => Promise<void>;
  /** As configured now: a reload changes it. */
  readonly decoding: () => DecodeOptions;
  readonly count: Omit<IntakeCounts, 'blocked'> & { said(ms: number): void; givenUp(): void };
  readonly inside: (status: string) => void;
  readonly outside: (reason: string) => void;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly signal: AbortSignal;
};

export type Webridge = {
  /** Until the signal, or a connection error that is for ever. */
  run(): Promise<void>;
  /** Accepted and not yet confirmed. */
  readonly waiting: () => { readonly entries: number; readonly oldestMs: number };
};

/** Datagrams and spool → journal → room → answers; the snapshot beside it. */
export function makeWebridge(options: WebridgeOptions): Webridge {
  const { room, socket, clock, log, count, snapshot } = options;
  const speaker = makeSpeaker({
    room,
    journal: options.journal,
    clock,
    log,
    events: {
      said(entry, proof, ms) {
        count.said(ms);
        const to = decodeSpoken(entry.payload).extra;
        if (typeof to === 'string') intake.answer(to, { ok: true, id: proof, ms: Math.round(ms) });
      },
      givenUp(entry, reason) {
        count.givenUp();
        const to = decodeSpoken(entry.payload).extra;
        if (typeof to === 'string') intake.answer(to, { ok: false, error: reason });
      },
    },
  });
  const { outbox } = speaker;
  // We do our job when we are in the room and can remember what comes in.
  const state: { inside: string | undefined; why: string; blocked: string | undefined } = {
    inside: undefined,
    why: 'not connected',
    blocked: undefined,
  };
  const tellState = (): void => {
    if (state.inside !== undefined && state.blocked === undefined) options.inside(state.inside);
    else options.outside(state.blocked ?? state.why);
  };
  const outside = (why: string): void => {
    Object.assign(state, { inside: undefined, why });
    tellState();
  };
  const intake = makeIntake({
    socket,
    decode: ({ bytes, truncated }) => decodeDatagram(bytes, truncated, options.decoding()),
    outbox,
    clock,
    log,
    count: {
      ...count,
      blocked(reason) {
        state.blocked = reason;
        tellState();
      },
    },
  });

  const fromSpool = ({ bytes, at }: SpoolRecord): Submission | undefined => {
    count.received();
    const decoded = decodeDatagram(bytes, false, options.decoding());
    if (decoded.ok) return { payload: encodeSpoken({ body: decoded.announcement.text, kind: 'announcement' }), at };
    count.dropped(decoded.reason);
    return undefined;
  };

  const talk = (session: ChatSession): void => {
    void keepSpeaking({
      speaker,
      session,
      room,
      nick: options.nick,
      clock,
      random: options.random,
      log,
      listener: { line: (line: RoomLine) => snapshot?.heard(line) },
      joined(inside) {
        snapshot?.joined(session);
        state.inside = `saying announcements in ${room} as ${inside.nick}`;
        tellState();
      },
      out: (why) => outside(`not in ${room}: ${why.reason}`),
    });
  };

  return {
    waiting: () => ({
      entries: outbox.size + intake.pending,
      oldestMs: outbox.oldest === undefined ? 0 : Math.max(0, clock.now() - outbox.oldest.at),
    }),
    async run() {
      // Ends the reading: asked from outside, or because the connection cannot work.
      const work = new AbortController();
      const signal = AbortSignal.any([options.signal, work.signal]);
      // Ends the connection, after what is on its way was confirmed.
      const line = new AbortController();
      const reading = intake.run(signal);
      const sweeping =
        options.spool === undefined
          ? undefined
          : sweepSpool({ spool: options.spool, intake, read: fromSpool, cursor: outbox.cursor, clock, log, signal });
      if (outbox.size > 0) log.info('outbox', `${outbox.size} announcements wait from before`, { count: outbox.size });
      const connected = options.connect(talk, outside, line.signal);
      try {
        await Promise.race([reading, connected]);
        if (outbox.phase === 'open') await outbox.drain(DRAIN_MS);
      } finally {
        work.abort();
        line.abort();
        await Promise.allSettled([reading, connected, sweeping]);
        await snapshot?.flush();
        await outbox.close();
      }
    },
  };
}
