import type { Journal } from '../../src/app/ports/journal.ts';

/** A disk that a test can kill: what was not synced may be lost, what was synced never is. */
export type MemoryDisk = { lines: string[]; synced: number; full: boolean };

export const newDisk = (): MemoryDisk => ({ lines: [], synced: 0, full: false });

/** What is left after a crash: everything synced, and of the rest a prefix of `keep` records. */
export function crash(disk: MemoryDisk, keep: number): void {
  disk.lines.length = Math.min(disk.lines.length, disk.synced + keep);
  disk.synced = disk.lines.length;
}

/** A journal on it. `later` decides when a write is done, so that a test can crash in between. */
export function memoryJournal(disk: MemoryDisk, later: (run: () => void) => void = queueMicrotask): Journal {
  let records: () => Iterable<string> = () => disk.lines;
  /** Records that are refused and not told so yet: those behind them are refused too. */
  let refusing = 0;
  return {
    restored: [...disk.lines],
    damaged: 0,
    get size() {
      return disk.lines.length * 100;
    },
    append(record, durable, done) {
      if (disk.full || refusing > 0) {
        refusing += 1;
        later(() => {
          refusing -= 1;
          done(Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' }));
        });
        return;
      }
      disk.lines.push(record);
      const mark = disk.lines.length;
      later(() => {
        if (durable) disk.synced = Math.max(disk.synced, mark);
        done();
      });
    },
    compactTo(from) {
      records = from;
    },
    compact(done) {
      disk.lines = [...records()];
      disk.synced = disk.lines.length;
      done();
    },
    close: () => Promise.resolve(),
  };
}
