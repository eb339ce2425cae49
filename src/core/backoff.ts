/**
 * How long to wait before the next attempt. Pure: the caller counts failures and brings the random number.
 */

export type BackoffOptions = {
  /** Milliseconds before the second attempt. */
  readonly minMs: number;
  /** No wait is longer than this. */
  readonly maxMs: number;
  /** Share of the wait that is random, 0 to 1: many clients of one dead server must not come back at once. */
  readonly jitter: number;
};

export const BACKOFF: BackoffOptions = { minMs: 1000, maxMs: 60_000, jitter: 0.3 };

/**
 * Milliseconds to wait after `failures` failures in a row (0: none yet, no wait). Grows by half from `minMs` to `maxMs`, so
 * that a server that comes back after an outage is found again within half of its length;
 * `random` is a number from 0 to 1 that takes up to `jitter` of the wait away, so the limits hold.
 */
export function backoff(failures: number, random: number, options: BackoffOptions = BACKOFF): number {
  if (failures <= 0) return 0;
  const full = Math.min(options.maxMs, options.minMs * 1.5 ** Math.min(failures - 1, 40));
  return Math.max(options.minMs, Math.round(full * (1 - options.jitter * random)));
}
