/**
 * The outbox: what was accepted and is not yet confirmed by its destination. It decides what may be sent when, so that every
 * entry arrives exactly once and in order whatever dies. Pure: time, ids and the disk are the caller's (app/outbox.ts).
 *
 * An entry goes through these states:
 *   fresh      pushed; its record is not yet on the disk. Never sent. Write failed: forgotten, as if never pushed.
 *   waiting    on the disk, not at the destination: known for sure.
 *   flying     handed to the connection, neither confirmed nor refused yet. At most `window` of them.
 *   doubtful   was flying when the connection (or the process) ended: said or not, nobody here knows.
 *   gone       confirmed by the destination, or given up aloud. Leaves the list; one record says so.
 *
 * The outbox as a whole is in one of three phases:
 *   away       no destination. Nothing is sent. Entering it makes every flying entry doubtful; so does loading the journal
 *              after a crash, for every entry, since "handed over" is not recorded (that would cost a disk write per entry).
 *   asking     the destination is there and its archive is being read for the doubtful ones. Nothing is sent: a resend
 *              before the answer might double, skipping might lose. No answer, no sending: it waits and asks again.
 *   open       nothing is doubtful; entries fly in order.
 *
 * Why this keeps order and count:
 *   - One stream to one room is processed in order, so flying entries are confirmed in order, and a cut loses a tail of
 *     them, never the middle. The archive read after the new session is in the room says where the cut was.
 *   - A room may refuse single messages, though. ejabberd holds one message of an occupant who is too fast and refuses those
 *     that come while it is held: with two flying, the refused one is always the last, so nothing overtakes it. That is why the window is 2
 *     by default and not more (it already keeps the room busy). After a refusal the window is 1 until `CALM` confirmations.
 *   - A confirmation may be lost with a power cut (it is written without waiting): the archive confirms again.
 *   - `base` is the destination's id of the last confirmed entry before which none is left: all doubt lies after it, so the archive is
 *     read from there. A confirmation that a full disk did not take leaves its entry in the journal, and those behind it do not
 *     move `base` past it when the journal is read back.
 *
 * Sources: an entry may carry a key (one that the source never uses twice) and a cursor (how far the source was read). Both go
 * into the record of the entry itself, so "read" and "remembered" are one write: a source that is read again after a crash
 * brings nothing in twice. The newest `KEYS` keys are kept, through compaction too.
 */

export type EntryState = 'fresh' | 'waiting' | 'flying' | 'doubtful';

export type Entry = {
  readonly seq: number;
  /** The message id at the destination: unique for ever and not to be guessed. */
  readonly id: string;
  readonly payload: string;
  /** When it was accepted, milliseconds since 1970. */
  readonly at: number;
  readonly state: EntryState;
  /** How often it was handed over. */
  readonly attempts: number;
};

export type Origin = {
  /** Something that the source never uses twice: a second push with it is a duplicate. */
  readonly key?: string | undefined;
  /** Name of a source and how far it has been read with this entry. */
  readonly cursor?: readonly [source: string, position: string] | undefined;
};

export type Limits = { readonly entries: number; readonly bytes: number; readonly window: number };
export const DEFAULT_LIMITS: Limits = { entries: 100_000, bytes: 64 * 1024 * 1024, window: 2 };

const KEYS = 8192;
/** Confirmations without a refusal until the full window is used again. */
const CALM = 100;

type Mutable = {
  seq: number;
  id: string;
  payload: string;
  at: number;
  state: EntryState;
  attempts: number;
  key?: string | undefined;
  cursor?: Origin['cursor'];
};

type StoredRecord = {
  /** head, push, done, given up, cursor */
  t: 'h' | 'p' | 'd' | 'x' | 'c';
  s?: number;
  i?: string;
  p?: string;
  at?: number;
  k?: string;
  c?: readonly [string, string];
  /** proof of delivery, or the reason for giving up */
  r?: string;
  next?: number;
  base?: string;
  pace?: number;
  cursors?: Record<string, string>;
  keys?: readonly string[];
};

export type Pushed =
  | { readonly outcome: 'taken'; readonly entry: Entry; readonly record: string }
  | { readonly outcome: 'duplicate' | 'full' };

export type Outbox = ReturnType<typeof makeOutbox>;

/** Makes an outbox from the records of its journal (none for a new one). Everything restored is doubtful. */
export function makeOutbox(limits: Limits, restored: Iterable<string> = []) {
  const entries = new Map<number, Mutable>();
  const byId = new Map<string, Mutable>();
  const keys = new Set<string>();
  const cursors = new Map<string, string>();
  let next = 1;
  let base: string | undefined;
  let pace = 0;
  let bytes = 0;
  let flying = 0;
  let calm = CALM;
  let phase: 'away' | 'asking' | 'open' = 'away';

  const rememberKey = (key: string): void => {
    keys.add(key);
    if (keys.size > KEYS) for (const oldest of keys.values()) return void keys.delete(oldest);
  };
  const insert = (entry: Mutable): void => {
    entries.set(entry.seq, entry);
    byId.set(entry.id, entry);
    bytes += entry.payload.length;
    if (entry.key !== undefined) rememberKey(entry.key);
  };
  const remove = (entry: Mutable): void => {
    if (entry.state === 'flying') flying -= 1;
    entries.delete(entry.seq);
    byId.delete(entry.id);
    bytes -= entry.payload.length;
  };
  /** All doubt lies after this confirmation, unless something older is left. */
  const moveBase = (seq: number, proof: string | undefined): void => {
    const oldest = entries.keys().next().value ?? seq;
    if (oldest >= seq) base = proof ?? base;
  };
  const setState = (entry: Mutable, state: EntryState): void => {
    if (entry.state === 'flying') flying -= 1;
    if (state === 'flying') flying += 1;
    entry.state = state;
  };

  const restore = (record: StoredRecord): void => {
    if (record.c !== undefined) cursors.set(record.c[0], record.c[1]);
    const known = record.s === undefined ? undefined : entries.get(record.s);
    switch (record.t) {
      case 'h':
        next = Math.max(next, record.next ?? 1);
        base = record.base ?? base;
        pace = record.pace ?? pace;
        for (const [source, position] of Object.entries(record.cursors ?? {})) cursors.set(source, position);
        for (const key of record.keys ?? []) rememberKey(key);
        return;
      case 'p':
        if (known !== undefined || record.s === undefined || record.i === undefined) return;
        next = Math.max(next, record.s + 1);
        insert({
          seq: record.s,
          id: record.i,
          payload: record.p ?? '',
          at: record.at ?? 0,
          state: 'doubtful',
          attempts: 1,
          key: record.k,
        });
        return;
      case 'd':
        if (known !== undefined) remove(known);
        if (record.s !== undefined) moveBase(record.s, record.r);
        return;
      case 'x':
        if (known !== undefined) remove(known);
        return;
      case 'c':
        return;
    }
  };
  for (const line of restored) restore(JSON.parse(line));

  const pushRecord = (entry: Mutable, origin: Origin): string =>
    JSON.stringify({
      t: 'p',
      s: entry.seq,
      i: entry.id,
      p: entry.payload,
      at: entry.at,
      k: origin.key,
      c: origin.cursor,
    } satisfies Undefinable<StoredRecord>);

  const hasRoom = (payloads: readonly string[]): boolean =>
    entries.size + payloads.length <= limits.entries &&
    bytes + payloads.reduce((sum, { length }) => sum + length, 0) <= limits.bytes;

  const all = (state: EntryState): Mutable[] => [...entries.values()].filter((entry) => entry.state === state);

  return {
    get phase() {
      return phase;
    },
    get base() {
      return base;
    },
    get size() {
      return entries.size;
    },
    get bytes() {
      return bytes;
    },
    get flying() {
      return flying;
    },
    /** The oldest entry that is not confirmed. */
    get oldest(): Entry | undefined {
      for (const entry of entries.values()) return entry;
      return undefined;
    },
    cursor: (source: string): string | undefined => cursors.get(source),
    knows: (key: string): boolean => keys.has(key),
    /** Whether these would be taken in together. */
    hasRoom,

    /** Takes an entry in, as `fresh`; the record is to be made durable, then `durable` or `forget` called. */
    push(id: string, payload: string, at: number, origin: Origin = {}): Pushed {
      if (origin.key !== undefined && keys.has(origin.key)) return { outcome: 'duplicate' };
      if (!hasRoom([payload])) return { outcome: 'full' };
      const entry: Mutable = {
        seq: next,
        id,
        payload,
        at,
        state: 'fresh',
        attempts: 0,
        key: origin.key,
        cursor: origin.cursor,
      };
      next += 1;
      insert(entry);
      return { outcome: 'taken', entry, record: pushRecord(entry, origin) };
    },

    durable(seq: number): void {
      const entry = entries.get(seq);
      if (entry?.state !== 'fresh') return;
      entry.state = 'waiting';
      if (entry.cursor !== undefined) cursors.set(entry.cursor[0], entry.cursor[1]);
    },

    forget(seq: number): void {
      const entry = entries.get(seq);
      if (entry?.state !== 'fresh') return;
      remove(entry);
      if (entry.key !== undefined) keys.delete(entry.key);
    },

    /** The record that tells how far a source was read without an entry (lines that are not relayed); `advanced` when it is written. */
    advanceRecord: (source: string, position: string): string =>
      JSON.stringify({ t: 'c', c: [source, position] } satisfies StoredRecord),
    advanced(source: string, position: string): void {
      cursors.set(source, position);
    },

    /** The destination's newest id before anything was ever sent to it: doubt can only lie after it. Returns the record. */
    startAt(position: string): string {
      base = position;
      return JSON.stringify({ t: 'h', base } satisfies StoredRecord);
    },

    /** The longest that a confirmation took, milliseconds, as last noted: after a crash too. */
    get pace() {
      return pace;
    },
    notePace(ms: number): string {
      pace = ms;
      return JSON.stringify({ t: 'h', pace } satisfies StoredRecord);
    },

    /** The destination is gone. */
    away(): void {
      phase = 'away';
      for (const entry of all('flying')) setState(entry, 'doubtful');
    },

    /** The destination is there: what must it be asked for? Empty: `open` may follow at once. */
    ask(): readonly Entry[] {
      phase = 'asking';
      return all('doubtful');
    },

    /** The destination was asked and what is still doubtful is not there: it is sent again. */
    open(): void {
      phase = 'open';
      for (const entry of all('doubtful')) setState(entry, 'waiting');
    },

    /** The next entry to hand over, now flying; undefined when nothing may be sent. `window`: how many may fly at once. */
    next(window = limits.window): Entry | undefined {
      if (phase !== 'open' || flying >= (calm < CALM ? 1 : window)) return undefined;
      for (const entry of entries.values()) {
        if (entry.state === 'flying') continue;
        // Only the first that does not fly may fly: an entry whose write is under way holds those behind it back.
        if (entry.state !== 'waiting') return undefined;
        setState(entry, 'flying');
        entry.attempts += 1;
        return entry;
      }
      return undefined;
    },

    /** The destination has it (reflection, echo, archive). Returns the entry and the record, undefined when it is none of ours or known. */
    confirm(id: string, proof: string | undefined): { entry: Entry; record: string } | undefined {
      const entry = byId.get(id);
      if (entry === undefined) return undefined;
      remove(entry);
      calm += 1;
      moveBase(entry.seq, proof);
      return { entry, record: JSON.stringify({ t: 'd', s: entry.seq, r: proof } satisfies Undefinable<StoredRecord>) };
    },

    /** The destination refused it for now: it waits, and the window is 1 for a while. */
    refused(id: string): Entry | undefined {
      const entry = byId.get(id);
      if (entry?.state !== 'flying') return undefined;
      setState(entry, 'waiting');
      calm = 0;
      return entry;
    },

    /** Sends one at a time for a while: to find out which of those flying ends the stream. */
    careful(): void {
      calm = 0;
    },

    /** The destination will never take it: it leaves the list, aloud. */
    giveUp(id: string, reason: string): { entry: Entry; record: string } | undefined {
      const entry = byId.get(id);
      if (entry === undefined) return undefined;
      remove(entry);
      return { entry, record: JSON.stringify({ t: 'x', s: entry.seq, r: reason } satisfies StoredRecord) };
    },

    /**
     * Everything that a new journal must hold, entries that are not durable yet excepted: their own record follows. So does their key:
     * a key without its entry would make a source that is read again skip what nobody remembers.
     */
    *records(): Generator<string> {
      const coming = new Set(all('fresh').map(({ key }) => key));
      yield JSON.stringify({
        t: 'h',
        next,
        base,
        pace,
        cursors: Object.fromEntries(cursors),
        keys: [...keys].filter((key) => !coming.has(key)),
      } satisfies Undefinable<StoredRecord>);
      for (const entry of entries.values()) if (entry.state !== 'fresh') yield pushRecord(entry, { key: entry.key });
    },
  };
}

type Undefinable<T> = { [K in keyof T]: T[K] | undefined };
