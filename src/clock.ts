import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from './app/ports/clock.ts';

/** Milliseconds since boot, as CLOCK_MONOTONIC counts them. */
export const monotonic = (): number => Number(process.hrtime.bigint() / 1000n) / 1000;

export const systemClock: Clock = {
  now: Date.now,
  monotonic,
  sleep: async (ms, signal) => {
    await delay(ms, undefined, signal === undefined ? {} : { signal });
  },
};
