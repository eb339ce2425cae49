import type { Line } from './line.ts';

export type Store = {
  /** Oldest first. Read only; changed by the functions below. */
  readonly lines: readonly Line[];
  /** Takes a line. Answers the line that the list now holds for it, and whether it is new to the list; undefined when nothing changed. */
  add(line: Line): readonly [line: Line, fresh: boolean] | undefined;
  /** Drops what is older than `ts` (a gap lies behind it) but for what waits to be said. */
  dropBefore(ts: number): void;
  /** The archive id of the newest line that has one. */
  lastId(): string | undefined;
};

/** Two lines without a common id are one when nickname and text agree and their times are this near (ms). */
const SAME_TIME = 10_000;
/** A sloppy client may use its message ids again, but hardly within minutes (ms) and for the same text. */
const SAME_ID = 600_000;

/** What waits to be said stands last; else the server's time decides, and at the same time the archive's id. */
function isAfter(a: Line, b: Line): boolean {
  if (!a.p !== !b.p) return !!a.p;
  return a.ts !== b.ts ? a.ts > b.ts : !!a.id && !!b.id && a.id > b.id;
}

/**
 * Are these two one line? The same message has another time stamp live, in the history and in the archive, so identity
 * is in this order: the room's stanza-id; the sender's own message id; nickname + text + time.
 */
function isSame(a: Line, b: Line): boolean {
  if (a.id && a.id === b.id) return true;
  if (a.n !== b.n) return false;
  // What was typed here the room may say otherwise: without what XML cannot carry, or as a filter wants it.
  if (a.m && b.m && (a.p || b.p)) return a.m === b.m;
  if (a.t !== b.t) return false;
  const apart = Math.abs(a.ts - b.ts);
  if (a.m && b.m) return a.m === b.m && apart < SAME_ID;
  // Two ids of the archive are two lines: "ok" said twice is said twice.
  return !(a.id && b.id) && apart < SAME_TIME;
}

/** The one list of lines, ordered by the server's time, each line once however often and from wherever it comes. */
export function createStore(max: number): Store {
  const lines: Line[] = [];
  /** Ids that led to a line, also the second id of a message that was said again after a cut. */
  const ids = new Map<string, Line>();

  function place(line: Line): void {
    lines.splice(lines.findLastIndex((other) => !isAfter(other, line)) + 1, 0, line);
  }

  function drop(line: Line): void {
    lines.splice(lines.indexOf(line), 1);
    if (line.id) ids.delete(line.id);
  }

  return {
    lines,
    add(line) {
      const known = ids.get(line.id ?? '') ?? lines.findLast((other) => isSame(other, line));
      if (line.id) ids.set(line.id, known ?? line);
      if (!known) {
        place(line);
        if (lines.length > max) drop(lines[0] as Line);
        return lines.includes(line) ? [line, true] : undefined;
      }
      if (line.p === 'fail') {
        known.p = line.p;
        return [known, false];
      }
      // Typed here and now said, or had without the archive's id and now with it.
      if (known.p ? line.p : known.id || !line.id) return undefined;
      lines.splice(lines.indexOf(known), 1);
      known.id ??= line.id;
      known.k ??= line.k;
      known.p = undefined;
      known.t = line.t;
      known.ts = line.ts;
      place(known);
      return [known, false];
    },
    dropBefore(ts) {
      for (const line of lines.filter((line) => line.ts < ts && !line.p)) drop(line);
    },
    lastId: () => lines.findLast((line) => line.id)?.id,
  };
}
