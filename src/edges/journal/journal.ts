import {
  closeSync,
  constants,
  fdatasync,
  ftruncateSync,
  openSync,
  readFileSync,
  renameSync,
  write,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import type { Journal } from '../../app/ports/journal.ts';
import { EXIT, reasonOf, SaxError } from '../../core/errors.ts';
import { decodeLines, encodeLine } from '../../core/journal-line.ts';
import { syncDirectory } from '../state/atomic.ts';
import { makeDirectory } from '../state/directory.ts';

const sync = promisify(fdatasync);
const writeSlowly = promisify(write);

/** Up to this size a write goes straight into the page cache (microseconds); a longer one takes a thread. */
const QUICK_BYTES = 65_536;
/** The file is lengthened by so many zeroes at a time: a sync of bytes that were there before needs no change of the file's length on the disk. */
const RESERVE_BYTES = 256 * 1024;
const OPEN = constants.O_RDWR | constants.O_CREAT;

type Append = { readonly text: string; readonly durable: boolean; readonly done: (error?: Error) => void };
type Rewrite = { readonly rewrite: true; readonly done: (error?: Error) => void };

/**
 * An append-only file of records, with zeroes behind the last one while it is open. What arrives while a sync is under way is written and synced together afterwards, so a burst costs
 * few of them. A failed write (disk full) leaves no trace: the file is cut back and the callers are told, those of the records behind it too. Mode 0600: it holds
 * what people say. Throws SaxError with exit 73 when the file cannot be opened.
 */
export async function openJournal(path: string): Promise<Journal> {
  let fd: number;
  let text: string;
  try {
    makeDirectory(dirname(path), 0o750);
    fd = openSync(path, OPEN, 0o600);
    text = readFileSync(path, 'latin1');
    await syncDirectory(dirname(path));
  } catch (cause) {
    throw new SaxError(EXIT.cannotCreate, `cannot open the journal: ${reasonOf(cause)}`, {
      hint: `make ${dirname(path)} writable for this user, or set [state] dir`,
      cause,
    });
  }
  // The file is ASCII (core/journal-line.ts): characters are bytes.
  const { records, damaged, goodLength } = decodeLines(text);
  let restored = records;
  let size = goodLength;
  ftruncateSync(fd, size);
  /** Where the zeroes behind the records end. */
  let reserved = size;
  /** The disk has no room for zeroes: records alone, until the file is written anew. */
  let narrow = false;

  const queue: (Append | Rewrite)[] = [];
  let running: Promise<void> | undefined;
  /** A sync failed: what the file holds, or whether it has its name, is unknown; so it is written anew before the next record. */
  let suspect = false;
  let everything: () => Iterable<string> = () => restored;

  const put = async (bytes: Buffer, at: number): Promise<void> => {
    for (let offset = 0; offset < bytes.length; ) {
      const left = bytes.length - offset;
      if (left <= QUICK_BYTES) offset += writeSync(fd, bytes, offset, left, at + offset);
      else offset += (await writeSlowly(fd, bytes, offset, left, at + offset)).bytesWritten;
    }
  };

  const reserve = async (end: number): Promise<void> => {
    if (narrow || end <= reserved) return;
    try {
      const zeroes = Buffer.alloc(end - reserved + RESERVE_BYTES);
      await put(zeroes, reserved);
      reserved += zeroes.length;
    } catch {
      narrow = true;
      ftruncateSync(fd, size);
      reserved = size;
    }
  };

  const appendAll = async (batch: readonly Append[]): Promise<void> => {
    const bytes = Buffer.from(batch.map(({ text: line }) => line).join(''), 'utf8');
    try {
      if (suspect) await replaceFile();
      await reserve(size + bytes.length);
      await put(bytes, size);
      reserved = Math.max(reserved, size + bytes.length);
      if (batch.some(({ durable }) => durable)) {
        try {
          await sync(fd);
        } catch (error) {
          suspect = true;
          throw error;
        }
      }
      size += bytes.length;
    } catch (error) {
      cutBack();
      // What was added behind it must not be there without it: the order of the records is the order of what they tell.
      return settle([...batch, ...takeAppends(queue)], error as Error);
    }
    settle(batch);
  };

  /** Half a record at the end would be taken for a torn one; but what was refused must not stand there whole either. */
  const cutBack = (): void => {
    try {
      ftruncateSync(fd, size);
      reserved = size;
    } catch {
      suspect = true;
    }
  };

  const replaceFile = async (): Promise<void> => {
    const scratch = `${path}.new`;
    const fresh = openSync(scratch, OPEN | constants.O_TRUNC, 0o600);
    let written = 0;
    try {
      for (const piece of pieces(everything())) {
        const bytes = Buffer.from(piece, 'utf8');
        for (let offset = 0; offset < bytes.length; ) offset += writeSync(fresh, bytes, offset);
        written += bytes.length;
      }
      await sync(fresh);
      renameSync(scratch, path);
    } catch (error) {
      closeSync(fresh);
      throw error;
    }
    // The old file has no name any more: whatever fails from here on, nothing may be written to it.
    closeSync(fd);
    fd = fresh;
    size = written;
    reserved = written;
    narrow = false;
    suspect = true;
    await syncDirectory(dirname(path));
    suspect = false;
  };

  const run = async (): Promise<void> => {
    while (queue.length > 0) {
      const [first] = queue;
      if (first !== undefined && 'rewrite' in first) {
        queue.shift();
        await replaceFile().then(
          () => first.done(),
          (error: Error) => first.done(error),
        );
        continue;
      }
      const stop = queue.findIndex((item) => 'rewrite' in item);
      await appendAll(queue.splice(0, stop === -1 ? queue.length : stop) as Append[]);
    }
    running = undefined;
  };
  const add = (item: Append | Rewrite): void => {
    queue.push(item);
    running ??= Promise.resolve().then(run);
  };

  return {
    get restored() {
      return restored;
    },
    damaged,
    get size() {
      return size;
    },
    append(record, durable, done) {
      add({ text: encodeLine(record), durable, done });
    },
    compactTo(records) {
      everything = records;
      restored = [];
    },
    compact(done) {
      add({ rewrite: true, done });
    },
    async close() {
      await running;
      ftruncateSync(fd, size);
      closeSync(fd);
    },
  };
}

function* pieces(records: Iterable<string>): Generator<string> {
  let piece = '';
  for (const record of records) {
    piece += encodeLine(record);
    if (piece.length < QUICK_BYTES) continue;
    yield piece;
    piece = '';
  }
  if (piece !== '') yield piece;
}

/** Takes the records out of a queue and leaves the rest. */
function takeAppends(queue: (Append | Rewrite)[]): Append[] {
  const all = queue.splice(0);
  queue.push(...all.filter((item) => 'rewrite' in item));
  return all.filter((item) => 'text' in item);
}

function settle(batch: readonly Append[], error?: Error): void {
  for (const { done } of batch) done(error);
}
