import { EXIT, reasonOf, SaxError } from '../core/errors.ts';
import { DEFAULT_LIMITS, type Entry, type Limits, makeOutbox, type Origin } from '../core/outbox.ts';
import { newIds } from './entry-ids.ts';
import type { Clock } from './ports/clock.ts';
import type { Journal } from './ports/journal.ts';
import type { Log } from './ports/log.ts';

/** Where entries go: a room, a channel. It reports back by `confirmed` and `refused` of the outbox. */
export type Destination = {
  /** How many may be on their way at once, where it is not what the outbox is used to. */
  readonly window?: number;
  /** What is handed over may wait for its turn: `sent` of the outbox tells when it left. */
  readonly paced?: boolean;
  /** Hands an entry over. No promise of anything; a throw counts as a lost connection. */
  deliver(entry: Entry): void;
  /**
   * The newest id that the destination holds, '' when it holds none; undefined when it keeps no archive. Asked whenever
   * sending begins. Rejects when the archive does not work now.
   */
  position?(): Promise<string | undefined>;
  /**
   * Which of these entries the destination holds already, by entry id, each with its id there. Complete: what is not in the
   * answer is not there. `after`: everything doubtful lies after this id ('' or undefined: unknown). Rejects when it cannot say now.
   */
  findDelivered(entries: readonly Entry[], after: string | undefined): Promise<ReadonlyMap<string, string | undefined>>;
  /** Called when an entry was handed over and nothing came back for too long, again and again: the connection must be given up. */
  stuck(): void;
};

export type OutboxEvents = {
  /** Confirmed, in order. `ms` since it was accepted. */
  said?(entry: Entry, proof: string | undefined, ms: number): void;
  /** Given up, aloud: it will never be said. */
  givenUp?(entry: Entry, reason: string): void;
};

export type OutboxOptions = {
  readonly name: string;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits?: Partial<Limits>;
  readonly events?: OutboxEvents;
  /** An entry that flies this long without an answer means a dead connection. */
  readonly stuckMs?: number;
  /** How long after a lost connection what the old one carried may still arrive; 0: the destination answers once and for all. */
  readonly settleMs?: number;
};

export type Submission = { readonly payload: string; readonly at?: number; readonly origin?: Origin };
export type Outcome = 'accepted' | 'duplicate';

/** An entry that the destination refuses for its content, or that ends the stream, is given up after this many times. */
const STRIKES = 3;
const COMPACT_AT = 4 * 1024 * 1024;

export type OutboxDriver = ReturnType<typeof runOutbox>;

/**
 * Runs an outbox: keeps it on the disk, sends while there is a destination, asks the destination's archive after every break.
 * The rules are core/outbox.ts's; here are time, the disk and the order of events.
 */
export function runOutbox(options: OutboxOptions) {
  const { journal, clock, log, name, events = {}, stuckMs = 60_000, settleMs = 300 } = options;
  const box = makeOutbox({ ...DEFAULT_LIMITS, ...options.limits }, journal.restored);
  journal.compactTo(() => box.records());
  if (journal.damaged > 0)
    log.error(
      'journal-damaged',
      `${name}: ${journal.damaged} records of the journal were unreadable and are left out`,
      {
        damaged: journal.damaged,
      },
    );

  let destination: Destination | undefined;
  /** One per attachment; aborted when it ends, so that an answer to an older question is not taken for a new one. */
  let era = new AbortController();
  let heldUntil = 0;
  let refusals = 0;
  /** The longest that a confirmation took lately: rooms may hold a message back, and it may still come after a break. */
  let slowest = box.pace;
  let compacting = false;
  const flownAt = new Map<string, number>();
  const strikes = new Map<string, number>();
  const drained = new Set<() => void>();
  const nextId = newIds();

  const full = (): SaxError => new SaxError(EXIT.temporary, `${name}: the outbox is full (${box.size} entries)`);
  const unwritten = (cause: Error): SaxError =>
    new SaxError(EXIT.cannotCreate, `${name}: cannot write the journal: ${reasonOf(cause)}`, { cause });
  const record = (text: string): void => journal.append(text, false, () => undefined);

  const compactMaybe = (): void => {
    if (compacting || journal.size < COMPACT_AT || journal.size < 4 * box.bytes) return;
    compacting = true;
    journal.compact((error) => {
      compacting = false;
      if (error !== undefined) log.warn('journal-not-compacted', `${name}: ${reasonOf(error)}`);
    });
  };

  const ended = (entry: Entry): void => {
    flownAt.delete(entry.id);
    strikes.delete(entry.id);
    compactMaybe();
    if (box.size === 0) for (const tell of [...drained]) tell();
  };

  const confirmed = (id: string, proof: string | undefined, archived = true): boolean => {
    const done = box.confirm(id, proof);
    if (done === undefined) return false;
    const flown = flownAt.get(id);
    if (flown !== undefined) slowest = Math.min(30_000, Math.max(slowest * 0.999, clock.monotonic() - flown));
    refusals = 0;
    record(done.record);
    if (slowest > 500 && slowest > 2 * box.pace) record(box.notePace(Math.round(slowest)));
    ended(done.entry);
    events.said?.(done.entry, proof, Math.max(0, clock.now() - done.entry.at));
    if (!archived) suspectArchive();
    pump();
    return true;
  };

  const giveUp = (id: string, reason: string): void => {
    const done = box.giveUp(id, reason);
    if (done === undefined) return;
    record(done.record);
    log.error('given-up', `${name}: an entry will never be said: ${reason}`, { id, reason });
    ended(done.entry);
    events.givenUp?.(done.entry, reason);
  };

  const detach = (why?: { culprit: boolean }): void => {
    era.abort();
    destination = undefined;
    if (why?.culprit === true) blame();
    box.away();
    flownAt.clear();
  };

  /** The stream died of something that we sent: after three times with the same entry alone in flight it is the culprit. */
  const blame = (): void => {
    const alone = box.flying === 1;
    box.careful();
    for (const id of flownAt.keys()) {
      const count = (strikes.get(id) ?? 0) + (alone ? 1 : 0);
      strikes.set(id, count);
      if (count >= STRIKES) {
        giveUp(id, 'the server ends the connection whenever it is sent');
        return;
      }
    }
  };

  function pump(): void {
    while (destination !== undefined) {
      const wait = heldUntil - clock.monotonic();
      if (wait > 0) return;
      const entry = box.next(destination.window);
      if (entry === undefined) return;
      flownAt.set(entry.id, destination.paced === true ? Number.POSITIVE_INFINITY : clock.monotonic());
      try {
        destination.deliver(entry);
      } catch (error) {
        log.warn('not-sent', `${name}: ${reasonOf(error)}`);
        destination?.stuck();
        return;
      }
    }
  }

  /** Gives the connection up when the oldest flying entry gets no answer. */
  const watch = async (signal: AbortSignal): Promise<void> => {
    while (await slept(stuckMs / 4, signal)) {
      for (const [id, since] of flownAt) {
        if (clock.monotonic() - since < stuckMs) break;
        log.warn('no-answer', `${name}: no confirmation within ${Math.round(stuckMs / 1000)} s`, { id });
        destination?.stuck();
        break;
      }
    }
  };

  const slept = async (ms: number, signal: AbortSignal): Promise<boolean> => {
    await clock.sleep(ms, signal).catch(() => undefined);
    return !signal.aborted;
  };

  const hold = (ms: number): void => {
    const until = clock.monotonic() + ms;
    heldUntil = Math.max(heldUntil, until);
    void slept(ms + 1, era.signal).then((still) => {
      if (still) pump();
    });
  };

  /** Settles what is doubtful, then opens. Asks until there is an answer. */
  const settle = async (where: Destination, mine: AbortSignal): Promise<void> => {
    for (let failures = 0; !mine.aborted; ) {
      try {
        // Also when nothing is doubtful: a destination whose archive does not answer would not archive what is sent now.
        const position = await where.position?.();
        if (mine.aborted) return;
        if (box.base === undefined && position !== undefined && box.ask().length === 0) record(box.startAt(position));
        if (!(await askOnce(where, mine))) continue;
        if (mine.aborted) return;
        box.open();
        pump();
        return;
      } catch (error) {
        // The end of the connection fails the question first and is told a moment later.
        await slept(1, mine);
        if (mine.aborted) return;
        failures += 1;
        const wait = Math.min(30_000, 500 * 2 ** Math.min(failures, 6));
        log.warn(
          'archive-away',
          `${name}: cannot tell yet what was said: ${reasonOf(error)}; asking again in ${wait / 1000} s`,
          {
            doubtful: box.ask().length,
          },
        );
        await slept(wait, mine);
      }
    }
  };

  const attach = (where: Destination): void => {
    era.abort();
    era = new AbortController();
    destination = where;
    heldUntil = 0;
    box.ask();
    void settle(where, era.signal);
    void watch(era.signal);
  };

  /** The destination took an entry without archiving it: its archive must answer before anything more is sent. */
  const suspectArchive = (): void => {
    if (destination === undefined || box.phase !== 'open') return;
    log.warn('not-archived', `${name}: a line was said and not archived; waiting until the archive works again`);
    attach(destination);
  };

  /** True when nothing is doubtful any more but what is known to be absent. */
  const askOnce = async (where: Destination, mine: AbortSignal): Promise<boolean> => {
    if (box.ask().length === 0) return true;
    await strike(where, mine);
    if (mine.aborted || box.ask().length === 0) return !mine.aborted;
    // A destination that tells once, at the join, tells nothing new later.
    if (settleMs === 0) return true;
    // What the old connection carried may still be on its way through the server, or held back by the room's own pace.
    await slept(Math.max(settleMs, Math.min(60_000, slowest * 2)), mine);
    if (!mine.aborted && box.ask().length > 0) await strike(where, mine);
    return !mine.aborted;
  };

  const strike = async (where: Destination, mine: AbortSignal): Promise<void> => {
    const asked = box.ask();
    const found = await where.findDelivered(asked, box.base);
    if (mine.aborted) return;
    log.debug('reconciled', `${name}: ${found.size} of ${asked.length} doubtful entries had been said`, {
      asked: asked.length,
      found: found.size,
    });
    for (const entry of asked) if (found.has(entry.id)) confirmed(entry.id, found.get(entry.id));
  };

  return {
    get size() {
      return box.size;
    },
    get bytes() {
      return box.bytes;
    },
    get phase() {
      return box.phase;
    },
    get oldest() {
      return box.oldest;
    },
    cursor: box.cursor,
    knows: box.knows,

    /**
     * Takes entries in, in order; resolves when all are on the disk, with the outcome of each. Rejects with a SaxError and takes none
     * in when the outbox is full (`exit` 75) or the disk does not take them.
     */
    submit(items: readonly Submission[]): Promise<Outcome[]> {
      const outcomes: Outcome[] = [];
      const taken: { seq: number; text: string }[] = [];
      for (const { payload, at, origin } of items) {
        const pushed = box.push(nextId(), payload, at ?? clock.now(), origin);
        if (pushed.outcome === 'full') {
          for (const { seq } of taken) box.forget(seq);
          return Promise.reject(full());
        }
        if (pushed.outcome === 'taken') taken.push({ seq: pushed.entry.seq, text: pushed.record });
        outcomes.push(pushed.outcome === 'taken' ? 'accepted' : 'duplicate');
      }
      if (taken.length === 0) return Promise.resolve(outcomes);
      return new Promise((resolve, reject) => {
        let failed: Error | undefined;
        taken.forEach(({ seq, text }, index) => {
          journal.append(text, true, (error) => {
            if (error === undefined) box.durable(seq);
            else box.forget(seq);
            failed ??= error;
            if (index < taken.length - 1) return;
            if (failed !== undefined) return reject(unwritten(failed));
            resolve(outcomes);
            pump();
          });
        });
      });
    },

    /** Resolves when `submit` would take something in now; rejects as it would. Writes a record that says nothing. */
    probe(): Promise<void> {
      if (!box.hasRoom([''])) return Promise.reject(full());
      return new Promise((resolve, reject) => {
        journal.append('{"t":"h"}', true, (error) => (error === undefined ? resolve() : reject(unwritten(error))));
      });
    },

    /** Whether `submit` would take these in now, the disk aside. */
    hasRoom: (items: readonly Submission[]): boolean => box.hasRoom(items.map(({ payload }) => payload)),

    /** Notes that a source was read up to here without anything to say: behind what was submitted before. `done`: when it is durable; else with the next entry. */
    advance(source: string, position: string, done?: (error?: Error) => void): void {
      journal.append(box.advanceRecord(source, position), done !== undefined, (error) => {
        if (error === undefined) box.advanced(source, position);
        done?.(error);
      });
    },

    /** The destination is there (we are in the room): what is doubtful is asked for, then sending begins. */
    attach,

    /** The destination is gone. `culprit`: the connection ended because of what we sent. */
    detach,

    /** The destination takes more now. */
    more: pump,

    /** A paced destination sent it: from now on an answer is expected. */
    sent(id: string): void {
      if (flownAt.has(id)) flownAt.set(id, clock.monotonic());
    },

    /** The destination shows an entry by its id: true when it was ours and new. `archived`: false when it should be in an archive and is not. */
    confirmed,

    /** The destination refused an entry. `never`: it is given up aloud at the third time; else it is tried again, slower and slower. False: not ours. */
    refused(id: string, reason: string, never = false): boolean {
      const entry = box.refused(id);
      if (entry === undefined) return false;
      flownAt.delete(id);
      const count = (strikes.get(id) ?? 0) + 1;
      if (never) strikes.set(id, count);
      if (never && count >= STRIKES) {
        giveUp(id, reason);
        pump();
        return true;
      }
      const wait = Math.min(30_000, 100 * 2 ** Math.min(refusals, 9));
      refusals += 1;
      log.warn('refused', `${name}: refused for now: ${reason}; next try in ${wait / 1000} s`, {
        id,
        reason,
        retry_ms: wait,
      });
      hold(wait);
      return true;
    },

    /** Resolves when nothing is left, or after `ms`. */
    async drain(ms: number): Promise<void> {
      if (box.size === 0) return;
      const timer = new AbortController();
      await new Promise<void>((resolve) => {
        drained.add(resolve);
        void slept(ms, timer.signal).then(() => resolve());
      });
      timer.abort();
      drained.clear();
    },

    close: () => journal.close(),
  };
}
