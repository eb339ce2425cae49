import { createHash } from 'node:crypto';
import { type Answer, type Decoded, encodeAnswer } from '../core/datagram.ts';
import { reasonOf } from '../core/errors.ts';
import { printable } from '../core/escape.ts';
import type { OutboxDriver, Submission } from './outbox.ts';
import type { Clock } from './ports/clock.ts';
import type { Datagram, DatagramSocket } from './ports/datagram.ts';
import type { Log } from './ports/log.ts';
import { encodeSpoken } from './speaker.ts';

/** What may wait in memory for the disk. Beyond it the socket is not read, and the kernel refuses senders aloud. */
const PENDING = 20_000;
/** How many records go into one write. */
const BATCH = 1000;
/** After so many looks everything has been seen that a kernel's queue held at the first one (16 datagrams each). */
const LOOKS = 1000;
/** A full disk is tried again this often. */
const RETRY_MS = 500;
/** Complaints about the same kind of thing are this far apart. */
const TELL_MS = 60_000;

type Item = {
  readonly submission: Submission | undefined;
  /** The address that wants to be told. */
  readonly ack: string | undefined;
  refused: boolean;
  /** It is on the disk, or was refused: the source may forget it. */
  readonly done: (() => void) | undefined;
};

export type IntakeCounts = {
  received(): void;
  dropped(reason: string): void;
  /** Nothing can be remembered, and why; undefined: again it can. */
  blocked(reason: string | undefined): void;
};

export type Intake = {
  /** Puts further items behind what came before; resolves when all are on the disk. For the spool. */
  add(submissions: readonly Submission[]): Promise<void>;
  /** Resolves when everything that the socket held at the call has been taken in ahead of what is added now. */
  drained(): Promise<void>;
  /** Answers a sender that waits. */
  answer(to: string, answer: Answer): void;
  /** Reads the socket until it is closed; then resolves when all is on the disk. */
  run(signal: AbortSignal): Promise<void>;
  readonly pending: number;
};

/**
 * From the socket to the outbox. Reading waits for nothing but the memory's bound: what is read goes into a list, a second loop
 * brings the list to the disk, many at a time. From a socket that the supervisor keeps, datagrams are looked at, remembered and
 * only then taken: one that is seen again after a crash is known by its kernel time stamp and its bytes.
 */
export function makeIntake(options: {
  readonly socket: DatagramSocket;
  readonly decode: (datagram: Datagram) => Decoded;
  readonly outbox: Pick<OutboxDriver, 'submit' | 'probe'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly count: IntakeCounts;
}): Intake {
  const { socket, outbox, clock, log, count } = options;
  const pending: Item[] = [];
  /** Why the disk or the outbox takes nothing; undefined while it does. */
  let blocked: string | undefined;
  let wake: () => void = () => undefined;
  let stopped = false;
  let rounds = 0;
  let roundOver: (() => void)[] = [];
  const told = new Map<string, number>();

  const tell = (kind: string, message: string, fields: Record<string, string | number> = {}): void => {
    const now = clock.monotonic();
    if (now - (told.get(kind) ?? Number.NEGATIVE_INFINITY) < TELL_MS) return;
    told.set(kind, now);
    log.warn(kind, message, fields);
  };
  const answer: Intake['answer'] = (to, what) => void socket.answer(to, encodeAnswer(what));
  const refuse = (item: Item, error: string): void => {
    if (item.ack === undefined || item.refused) return;
    item.refused = true;
    answer(item.ack, { ok: false, error });
  };
  const push = (item: Item): void => {
    pending.push(item);
    if (blocked !== undefined) refuse(item, blocked);
    wake();
  };

  const receive = (datagram: Datagram, done: (() => void) | undefined): void => {
    count.received();
    const decoded = options.decode(datagram);
    const wish = (ack: boolean): string | undefined => (ack ? datagram.from : undefined);
    if (!decoded.ok) {
      count.dropped(decoded.reason);
      if (decoded.reason !== 'empty')
        tell(`bad-${decoded.reason.toLowerCase().replaceAll(' ', '-')}`, `a datagram was dropped: ${decoded.reason}`, {
          begins: beginning(datagram),
        });
      const to = wish(decoded.ack);
      if (to !== undefined) answer(to, { ok: false, error: decoded.reason });
      if (done !== undefined) push({ submission: undefined, ack: undefined, refused: true, done });
      return;
    }
    const { announcement } = decoded;
    if (announcement.ignored.length > 0)
      tell('ignored', `members of a datagram were ignored: ${announcement.ignored.join(', ')}`, {
        begins: beginning(datagram),
      });
    if (announcement.cut) tell('cut', 'an announcement was too long and was cut', { begins: beginning(datagram) });
    const to = wish(announcement.ack);
    const payload = encodeSpoken({ body: announcement.text, kind: 'announcement', extra: to });
    const origin = datagram.stamp === undefined ? {} : { key: `${datagram.stamp}:${digest(datagram.bytes)}` };
    push({ submission: { payload, origin, at: clock.now() }, ack: to, refused: false, done });
  };

  const endRound = (): void => {
    rounds += 1;
    const over = roundOver;
    roundOver = [];
    for (const resolve of over) resolve();
  };

  /** Own socket: one look. False when there was nothing. */
  const takeSome = (): boolean => {
    const datagrams = socket.take();
    for (const datagram of datagrams) if (datagram.bytes.length > 0) receive(datagram, undefined);
    return datagrams.length > 0;
  };
  /** Own socket: what was sent until now, however much waits for the disk: a stop and the order towards the spool demand it. */
  const takeAll = (): void => {
    for (let looks = 0; looks < LOOKS && takeSome(); looks += 1);
  };

  /** Kept socket: look, remember, take. */
  const peekAll = async (): Promise<void> => {
    for (;;) {
      const datagrams = socket.peek();
      if (datagrams.length === 0) return;
      await new Promise<void>((resolve) => {
        let left = datagrams.length;
        const done = (): void => {
          left -= 1;
          if (left === 0) resolve();
        };
        for (const datagram of datagrams) receive(datagram, done);
      });
      socket.drop(datagrams.length);
      if (stopped) return;
      endRound();
    }
  };

  const read = async (): Promise<void> => {
    while (!stopped && (await socket.readable())) {
      if (stopped) return;
      if (socket.kept) await peekAll();
      else while (pending.length < PENDING && takeSome());
      endRound();
      if (pending.length >= PENDING) {
        tell(
          'pending',
          `${pending.length} announcements wait for the disk; the socket is not read until there is room`,
        );
        await clock.sleep(50);
      }
    }
  };

  const flush = async (): Promise<void> => {
    while (!stopped || pending.length > 0) {
      // While blocked it is tried with nothing in hand too: a quiet site is to know when there is room again.
      if (pending.length === 0 && blocked === undefined) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        continue;
      }
      const batch = pending.slice(0, BATCH);
      try {
        const items = batch.filter(({ submission, refused }) => submission !== undefined && !refused);
        if (items.length > 0) await outbox.submit(items.map(({ submission }) => submission as Submission));
        else if (blocked !== undefined) await outbox.probe();
        if (blocked !== undefined) {
          log.info('accepting', 'announcements are taken again');
          count.blocked(undefined);
        }
        blocked = undefined;
        pending.splice(0, batch.length);
        for (const { done } of batch) done?.();
      } catch (error) {
        blocked = reasonOf(error);
        count.blocked(blocked);
        for (const item of pending) refuse(item, blocked);
        tell('blocked', `announcements cannot be remembered: ${blocked}`, { pending: pending.length });
        // What was refused aloud at the head needs no disk.
        while (pending[0]?.refused === true) pending.shift()?.done?.();
        if (stopped) {
          // What a kept socket or the spool showed us is still there.
          const lost = socket.kept ? [] : pending.filter(({ submission }) => submission?.origin?.cursor === undefined);
          if (lost.length > 0)
            log.error('lost', `${lost.length} announcements were read and could not be remembered`, {
              count: lost.length,
            });
          return;
        }
        await clock.sleep(RETRY_MS);
      }
    }
  };

  return {
    answer,
    get pending() {
      return pending.length;
    },
    async add(submissions) {
      for (let start = 0; start < submissions.length; start += BATCH) {
        const slice = submissions.slice(start, start + BATCH);
        await new Promise<void>((resolve) => {
          slice.forEach((submission, index) => {
            push({
              submission,
              ack: undefined,
              refused: false,
              done: index === slice.length - 1 ? resolve : undefined,
            });
          });
        });
      }
    },
    async drained() {
      if (!socket.kept) return takeAll();
      if (socket.peek().length === 0) return;
      // Until the queue was seen empty, or longer than the kernel lets it be: what was in it at the call is through then.
      for (const target = rounds + LOOKS; rounds < target && !stopped && socket.peek().length > 0; )
        await new Promise<void>((resolve) => roundOver.push(resolve));
    },
    async run(signal) {
      const flushing = flush();
      const stop = (): void => {
        stopped = true;
        wake();
        endRound();
        socket.close(socket.kept ? undefined : takeAll);
      };
      signal.addEventListener('abort', stop, { once: true });
      if (signal.aborted) stop();
      // A disk that stays full ends the flushing at a stop, not the reading.
      await Promise.race([flushing, read().then(() => flushing)]);
    },
  };
}

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('base64url').slice(0, 16);
}

function beginning({ bytes }: Datagram): string {
  return printable(new TextDecoder().decode(bytes.subarray(0, 80)));
}
