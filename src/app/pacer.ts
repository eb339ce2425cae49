import { type Bucket, fullBucket, owe, take } from '../core/flood.ts';
import type { Clock } from './ports/clock.ts';

/** Lets actions through at the pace of a token bucket, in order. One for each IRC connection: all channels share its limit. */
export type Pacer = {
  /** Runs the action now or when its turn comes; never after `stop`, nor when it is not `wanted` any more by then. */
  run(action: () => void, wanted?: () => boolean): void;
  /** The same, right behind the action before it: only what follows waits for its share. */
  runBehind(action: () => void, wanted?: () => boolean): void;
  /** How many wait. */
  readonly waiting: number;
  stop(): void;
};

export function newPacer(bucket: Bucket, clock: Clock): Pacer {
  const queue: { readonly action: () => void; readonly wanted: () => boolean; readonly behind: boolean }[] = [];
  const over = new AbortController();
  let level = fullBucket(bucket, clock.monotonic());
  let sleeping = false;

  const pump = (): void => {
    while (queue.length > 0 && !sleeping && !over.signal.aborted) {
      if (queue[0]?.wanted() === false) {
        queue.shift();
        continue;
      }
      const now = clock.monotonic();
      if (queue[0]?.behind === true) level = owe(level, bucket, now);
      else {
        const taken = take(level, bucket, now);
        level = taken.level;
        if (taken.waitMs > 0) {
          sleeping = true;
          clock.sleep(taken.waitMs, over.signal).then(wake, () => {});
          return;
        }
      }
      queue.shift()?.action();
    }
  };
  const wake = (): void => {
    sleeping = false;
    pump();
  };

  return {
    run(action, wanted = always) {
      queue.push({ action, wanted, behind: false });
      pump();
    },
    runBehind(action, wanted = always) {
      queue.push({ action, wanted, behind: true });
      pump();
    },
    get waiting() {
      return queue.length;
    },
    stop() {
      queue.length = 0;
      over.abort();
    },
  };
}

const always = (): boolean => true;
