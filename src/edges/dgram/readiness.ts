import { check, closeDescriptor, eventfd, poll, writeDescriptor } from '../state/libc.ts';

const POLLIN = 1;
const EFD_CLOEXEC = 0o2000000;
const EFD_NONBLOCK = 0o4000;

export type Waiter = {
  /** Resolves with true when the descriptor can be read, false once closed. */
  wait(): Promise<boolean>;
  /** Whether it can be read now. */
  pending(): boolean;
  /** Ends a wait under way, then calls `done`: the descriptor must not be closed (and its number used again) under poll(2). */
  close(done: () => void): void;
};

/**
 * Waits for a descriptor that libuv does not know how to watch: poll(2) on a thread of its pool, beside an eventfd that wakes
 * it. Without the wake-up the process could not end (the thread would hold it), and shutdown(2) would break a socket that
 * the supervisor keeps for our successor.
 */
export function makeWaiter(fd: number): Waiter {
  const wake = check(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), 'eventfd');
  const set = pollSet([fd, wake]);
  const now = pollSet([fd]);
  let closed = false;
  let waiting: Promise<boolean> | undefined;
  const ring = (): void => {
    writeDescriptor(wake, new Uint8Array([1, 0, 0, 0, 0, 0, 0, 0]), 8);
  };
  process.on('exit', ring);

  return {
    wait() {
      if (closed) return Promise.resolve(false);
      waiting ??= new Promise<boolean>((resolve, reject) => {
        poll.async(set, 2, -1, (error: unknown, _count: number) => {
          waiting = undefined;
          if (error) reject(error);
          else resolve(!closed);
        });
      });
      return waiting;
    },
    pending: () => poll(now, 1, 0) > 0,
    close(done) {
      closed = true;
      process.off('exit', ring);
      const end = (): void => {
        closeDescriptor(wake);
        done();
      };
      if (waiting === undefined) return end();
      ring();
      waiting.then(end, end);
    },
  };
}

function pollSet(fds: readonly number[]): Uint8Array {
  const set = Buffer.alloc(fds.length * 8);
  fds.forEach((fd, index) => {
    set.writeInt32LE(fd, index * 8);
    set.writeInt16LE(POLLIN, index * 8 + 4);
  });
  return set;
}
