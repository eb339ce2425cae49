import { accessSync, closeSync, constants, existsSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../app/ports/clock.ts';
import type { Spool } from '../../app/ports/datagram.ts';
import { EXIT, SaxError } from '../../core/errors.ts';
import { flock } from '../state/libc.ts';

/** These names stand in php/saxsay.php too. */
const CURRENT = 'announcements';
const SWEEPING = 'announcements.sweeping';
const LOCK_EX = 2;
const LOCK_NB = 4;

/**
 * The spool directory. Writers append to one file under a shared lock; here it is renamed, so that they begin a new one, and locked
 * exclusively, so that the last of them is done. A writer that got hold of it too late sees that it was removed.
 */
export function openSpool(directory: string, clock: Clock): Spool {
  const current = join(directory, CURRENT);
  const sweeping = join(directory, SWEEPING);
  return {
    async take(signal) {
      // A directory that we may not use looks empty, and saxSay would fill it unheard.
      accessSync(directory, constants.R_OK | constants.W_OK | constants.X_OK);
      // A file that a killed webridge left behind comes first.
      if (!existsSync(sweeping)) {
        if (!existsSync(current)) return undefined;
        await rename(current, sweeping);
      }
      // No following of links, no waiting for pipes: the directory belongs to the web server.
      const fd = openSync(sweeping, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
      try {
        if (!fstatSync(fd).isFile())
          throw new SaxError(EXIT.data, `${sweeping} is not a file`, { hint: 'remove it from the spool directory' });
        while (flock(fd, LOCK_EX | LOCK_NB) !== 0) await clock.sleep(5, signal);
        return {
          bytes: readFileSync(fd),
          async finish() {
            await unlink(sweeping);
            closeSync(fd);
          },
          release: () => closeSync(fd),
        };
      } catch (error) {
        closeSync(fd);
        throw error;
      }
    },
  };
}
