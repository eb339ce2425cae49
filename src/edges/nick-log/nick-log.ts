import { closeSync, constants, fdatasyncSync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { NickLog } from '../../app/ports/nicks.ts';
import { EXIT, reasonOf, SaxError } from '../../core/errors.ts';
import { decodeLines, encodeLine } from '../../core/journal-line.ts';
import { decodeRecord, encodeRecord, type NickRecord } from '../../core/nick-record.ts';
import { syncDirectory } from '../state/atomic.ts';
import { makeDirectory } from '../state/directory.ts';

const CHUNK = 256 * 1024;

/**
 * The memory of sync-nicks: an append-only file of checksummed lines that is read once at start and replaced as a whole
 * when too much of it is outdated. A crash at any byte loses at most the line that was being written; what follows a torn
 * line in the same file was written after it was cut off. Synchronous: one run does nothing else meanwhile.
 *
 * @param readOnly nothing is made or changed; a missing file is an empty one.
 * @throws SaxError (exit 73) when the file cannot be made or written.
 */
export async function openNickLog(path: string, { readOnly = false } = {}): Promise<NickLog> {
  if (!readOnly)
    try {
      makeDirectory(dirname(path), 0o750);
    } catch (error) {
      refuse(path)(error);
    }
  let fd = opened(path, readOnly);
  let end = 0;

  const append: NickLog['append'] = (records, when = 'now') => {
    const positions: number[] = [];
    let text = '';
    for (const record of records) {
      positions.push(end + text.length);
      text += encodeLine(encodeRecord(record));
    }
    writeAll(fd, text, end, path, when === 'now');
    end += text.length;
    return positions;
  };

  return {
    *records() {
      let good = 0;
      for (const { record, at, behind } of readRecords(fd)) {
        good = behind;
        yield { record, position: at };
      }
      end = good;
      // A torn end must not be glued to what comes next.
      if (!readOnly && fstatSync(fd).size !== end) ftruncateSync(fd, end);
    },
    read(at) {
      const bytes = Buffer.alloc(8192);
      const text = bytes.toString('latin1', 0, readSync(fd, bytes, 0, bytes.length, at));
      const line = text.slice(0, text.indexOf('\n') + 1);
      return decodeRecord(decodeLines(line).records[0] ?? '');
    },
    ends() {
      const size = fstatSync(fd).size;
      const bytes = Buffer.alloc(16_384);
      const text = (at: number): string => bytes.toString('latin1', 0, readSync(fd, bytes, 0, bytes.length, at));
      const head = text(0);
      const tail = text(Math.max(0, size - bytes.length));
      const lastLine = tail.endsWith('\n') ? tail.slice(tail.lastIndexOf('\n', tail.length - 2) + 1) : '';
      const record = (line: string): NickRecord | undefined => decodeRecord(decodeLines(line).records[0] ?? '');
      return { first: record(head.slice(0, head.indexOf('\n') + 1)), last: record(lastLine) };
    },
    append,
    async rewrite(records) {
      const scratch = `${path}.new`;
      const next = openSync(scratch, 'w+', 0o640);
      try {
        let at = 0;
        let text = '';
        const flush = (): void => {
          writeAll(next, text, at, scratch, false);
          at += text.length;
          text = '';
        };
        for (const record of records) {
          text += encodeLine(encodeRecord(record));
          if (text.length > CHUNK) flush();
        }
        flush();
        fdatasyncSync(next);
        await rename(scratch, path);
        closeSync(fd);
        fd = next;
        end = at;
      } catch (error) {
        closeSync(next);
        await rm(scratch, { force: true });
        throw error;
      }
      await syncDirectory(dirname(path));
    },
    close: () => closeSync(fd),
  };
}

function refuse(path: string) {
  return (cause: unknown): never => {
    throw new SaxError(EXIT.cannotCreate, `cannot keep what is registered in ${path}: ${reasonOf(cause)}`, {
      hint: 'make the directory writable for this user, or set [state] dir',
      cause,
    });
  };
}

function opened(path: string, readOnly: boolean): number {
  try {
    if (readOnly) return openSync(path, constants.O_RDONLY);
    return openSync(path, constants.O_RDWR | constants.O_CREAT, 0o640);
  } catch (error) {
    if (readOnly && (error as NodeJS.ErrnoException).code === 'ENOENT')
      return openSync('/dev/null', constants.O_RDONLY);
    return refuse(path)(error);
  }
}

function writeAll(fd: number, text: string, position: number, path: string, durable: boolean): void {
  const bytes = Buffer.from(text, 'latin1');
  try {
    for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done, bytes.length - done, position + done);
    if (durable) fdatasyncSync(fd);
  } catch (error) {
    refuse(path)(error);
  }
}

type Found = { readonly record: NickRecord; readonly at: number; readonly behind: number };

/** Every good record with where it begins and ends, in memory of one chunk. Damaged lines are passed over. */
function* readRecords(fd: number): Generator<Found> {
  const buffer = Buffer.alloc(CHUNK);
  let rest = '';
  let base = 0;
  for (let offset = 0; ; ) {
    const count = readSync(fd, buffer, 0, CHUNK, offset);
    if (count === 0) return;
    offset += count;
    const text = rest + buffer.toString('latin1', 0, count);
    let start = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
      const [line] = decodeLines(text.slice(start, end + 1)).records;
      const record = line === undefined ? undefined : decodeRecord(line);
      if (record !== undefined) yield { record, at: base + start, behind: base + end + 1 };
      start = end + 1;
    }
    rest = text.slice(start);
    base += start;
  }
}
