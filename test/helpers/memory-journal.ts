import type { Journal } from '../../src/app/ports/journal.ts';

/** A disk that a test can kill: what was not synced may be lost, what was synced never is. */
export type MemoryDisk = {
  lines: string[];
  synced: number;
  full: boolean;
  /** Journals look so large that they are worth compacting whenever an entry ends. */
  large: boolean;
  /** Writes take a turn of the event loop, so that a crash may come in between. */
  slow: boolean;
  /** Crashes so far: a journal of an earlier life writes nothing any more. */
  life: number;
};

export const newDisk = (): MemoryDisk => ({ lines: [], synced: 0, full: false, large: false, slow: false, life: 0 });

/** What is left after a crash: everything synced, and of the rest a prefix of `keep` records. */
export function crash(disk: MemoryDisk, keep: number): void {
  disk.lines.length = Math.min(disk.lines.length, disk.synced + keep);
  disk.synced = disk.lines.length;
  disk.life += 1;
}

type Done = (error?: Error) => void;
type Item = { readonly record?: string; readonly durable: boolean; readonly done: Done };

/** A journal on it, in the order of the real one (edges/journal): batches between rewrites, told when they are on the disk. */
export function memoryJournal(disk: MemoryDisk): Journal {
  const { life } = disk;
  const queue: Item[] = [];
  let records: () => Iterable<string> = () => disk.lines;
  let running = false;

  const turn = async (): Promise<boolean> => {
    await (disk.slow ? new Promise((resolve) => setImmediate(resolve)) : undefined);
    return disk.life === life;
  };
  const settle = (batch: readonly Item[], error?: Error): void => {
    for (const { done } of batch) done(error);
  };
  const run = async (): Promise<void> => {
    while (queue.length > 0 && (await turn())) {
      const stop = queue.findIndex(({ record }) => record === undefined);
      const batch = queue.splice(0, stop === -1 ? queue.length : Math.max(stop, 1));
      if (stop === 0) disk.lines = [...records()];
      else if (disk.full) {
        // Those behind them too.
        const behind = queue.splice(0);
        queue.push(...behind.filter(({ record }) => record === undefined));
        batch.push(...behind.filter(({ record }) => record !== undefined));
        settle(batch, Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' }));
        continue;
      } else disk.lines.push(...batch.map(({ record = '' }) => record));
      if (stop === 0) disk.synced = disk.lines.length;
      const mark = disk.lines.length;
      if (!(await turn())) return;
      if (batch.some(({ durable }) => durable)) disk.synced = Math.max(disk.synced, mark);
      settle(batch);
    }
    running = false;
  };
  const add = (item: Item): void => {
    queue.push(item);
    if (running) return;
    running = true;
    queueMicrotask(() => void run());
  };

  return {
    restored: [...disk.lines],
    damaged: 0,
    get size() {
      return disk.large ? Number.MAX_SAFE_INTEGER : disk.lines.length * 100;
    },
    append: (record, durable, done) => add({ record, durable, done }),
    compactTo(from) {
      records = from;
    },
    compact: (done) => add({ durable: true, done }),
    close: () => Promise.resolve(),
  };
}
