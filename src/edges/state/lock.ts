import { closeSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { EXIT, reasonOf, SaxError } from '../../core/errors.ts';
import { makeDirectory } from './directory.ts';
import { ERRNO, flock, lastErrno, systemError } from './libc.ts';

const LOCK_EX = 2;
const LOCK_NB = 4;

export type Lock = {
  /** Gives the lock back. The file stays: removing it would let two processes hold locks on two files of one name. */
  release(): void;
};

/**
 * Takes an exclusive lock on a file, made when it is missing. The kernel holds it (flock(2)) and drops it when the process
 * ends, however it ends, so there are no stale locks. Children do not inherit it. Throws SaxError with exit 75 when another process
 * has it (naming the process), 73 when the file cannot be made.
 */
export function acquireLock(path: string): Lock {
  let fd: number;
  try {
    makeDirectory(dirname(path), 0o750);
    fd = openSync(path, 'a+', 0o640);
  } catch (cause) {
    throw new SaxError(EXIT.cannotCreate, `cannot make the lock file: ${reasonOf(cause)}`, {
      hint: `make ${dirname(path)} writable for this user, or set [state] dir`,
      cause,
    });
  }
  if (flock(fd, LOCK_EX | LOCK_NB) !== 0) {
    const busy = lastErrno() === ERRNO['EAGAIN'];
    const error = systemError('flock', path);
    const holder = ownerOf(fd);
    closeSync(fd);
    if (!busy) throw new SaxError(EXIT.cannotCreate, `cannot lock: ${error.message}`, { cause: error });
    throw new SaxError(
      EXIT.temporary,
      `already running${holder === '' ? '' : ` as process ${holder}`}: ${path} is locked`,
      {
        hint: 'wait for it to end, or stop it',
      },
    );
  }
  try {
    ftruncateSync(fd);
    writeSync(fd, `${process.pid}\n`);
  } catch {
    // The number is for people; a full disk must not keep us from working.
  }
  let held = true;
  return {
    release() {
      if (held) closeSync(fd);
      held = false;
    },
  };
}

/** The process number that the holder wrote, '' when unreadable. */
function ownerOf(fd: number): string {
  const bytes = Buffer.alloc(16);
  try {
    const text = bytes.toString('latin1', 0, readSync(fd, bytes, 0, 16, 0)).trim();
    return /^\d+$/.test(text) ? text : '';
  } catch {
    return '';
  }
}
