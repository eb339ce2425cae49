import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from './app/ports/clock.ts';

const origin = Number(process.hrtime.bigint() / 1000n) / 1000 - performance.now();

/** Milliseconds since boot, as CLOCK_MONOTONIC counts them; the way to it that makes no garbage. */
export const monotonic = (): number => origin + performance.now();

export const systemClock: Clock = {
  now: Date.now,
  monotonic,
  sleep: async (ms, signal) => {
    await delay(ms, undefined, signal === undefined ? {} : { signal });
  },
};
