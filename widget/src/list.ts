import { h } from './dom.ts';
import type { Line } from './line.ts';
import { makeRow, type RowContext, saidBy } from './rows.ts';

/** Lines by the same person within this time (ms) stand together under one name. */
const TOGETHER = 300_000;

type Shown = { readonly row: HTMLElement; readonly who: string; readonly day: string; mark?: HTMLElement | undefined };

/** Keeps the rows of an element equal to the list of lines; touches only what changed. */
export function createList(log: HTMLElement, context: () => RowContext, dayOf: (ts: number) => string) {
  const shown = new Map<Line, Shown>();

  function drop(line: Line): void {
    const entry = shown.get(line);
    entry?.mark?.remove();
    entry?.row.remove();
    shown.delete(line);
  }

  /** Draws the changed lines, removes rows whose lines are gone, then sets day lines and the names that begin a group. */
  return (lines: readonly Line[], changed: ReadonlySet<Line>): void => {
    const all = context();
    const kept = new Set(lines);
    for (const line of shown.keys()) if (!kept.has(line) || changed.has(line)) drop(line);
    let next: Shown | undefined;
    for (const line of [...lines].reverse()) {
      let entry = shown.get(line);
      if (!entry) {
        const { nick, kind } = saidBy(line, all.bots);
        entry = { row: makeRow(line, all), who: nick + kind, day: dayOf(line.ts) };
        shown.set(line, entry);
        log.insertBefore(entry.row, next?.mark ?? next?.row ?? null);
      }
      next = entry;
    }
    let before: Shown | undefined;
    let last = 0;
    for (const line of lines) {
      const entry = shown.get(line) as Shown;
      const isNewDay = entry.day !== before?.day;
      if (!isNewDay) {
        entry.mark?.remove();
        entry.mark = undefined;
      } else if (!entry.mark) {
        entry.mark = h('div', 'day', entry.day);
        entry.row.before(entry.mark);
      }
      entry.row.classList.toggle('head', isNewDay || entry.who !== before?.who || line.ts - last > TOGETHER);
      before = entry;
      last = line.ts;
    }
  };
}
