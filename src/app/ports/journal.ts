/** A durable list of records (one line of JSON each). Callbacks are called in the order of the calls, without a pause between records of one batch. */
export interface Journal {
  /** What it held when it was opened, oldest first; nothing any more after `compactTo`. */
  readonly restored: readonly string[];
  /** How many damaged records were left out in the middle (the disk's fault; a torn end is normal and not counted). */
  readonly damaged: number;
  /** Bytes of the file. */
  readonly size: number;
  /** Adds a record. `done` without an error: it is on the disk (`durable`), or will be with the next durable one. With: it is not there, nor is any that was added behind it before this call. */
  append(record: string, durable: boolean, done: (error?: Error) => void): void;
  /** Names what a shorter journal must hold; called for `compact`, and to recover from a failed sync. */
  compactTo(records: () => Iterable<string>): void;
  /** Replaces the file by a shorter one, atomically. On an error the old one stands. */
  compact(done: (error?: Error) => void): void;
  close(): Promise<void>;
}
