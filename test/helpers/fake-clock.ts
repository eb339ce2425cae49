import type { Clock } from '../../src/app/ports/clock.ts';

type Sleeper = { readonly at: number; readonly wake: () => void };

export type FakeClock = Clock & {
  /** Moves time on and lets everything that wakes up run. */
  advance(ms: number): Promise<void>;
  /** How many sleep. */
  sleepers(): number;
};

/** Time that stands still until the test moves it. */
export function fakeClock(start = 1_700_000_000_000): FakeClock {
  let elapsed = 0;
  const sleepers = new Set<Sleeper>();
  return {
    now: () => start + elapsed,
    monotonic: () => elapsed,
    sleep(ms, signal) {
      return new Promise((resolve, reject) => {
        if (signal?.aborted === true) {
          reject(signal.reason);
          return;
        }
        const abort = (): void => {
          sleepers.delete(sleeper);
          reject(signal?.reason);
        };
        const sleeper: Sleeper = {
          at: elapsed + ms,
          wake() {
            signal?.removeEventListener('abort', abort);
            resolve();
          },
        };
        sleepers.add(sleeper);
        signal?.addEventListener('abort', abort, { once: true });
      });
    },
    async advance(ms) {
      const until = elapsed + ms;
      for (;;) {
        await settle();
        const next = [...sleepers].sort((a, b) => a.at - b.at)[0];
        if (next === undefined || next.at > until) break;
        elapsed = Math.max(elapsed, next.at);
        sleepers.delete(next);
        next.wake();
      }
      elapsed = until;
      await settle();
    },
    sleepers: () => sleepers.size,
  };
}

/** Lets promises that are ready run. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await new Promise<void>((resolve) => setImmediate(resolve));
}
