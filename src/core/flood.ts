/**
 * Flood control: a token bucket. IRC servers allow a burst and then about one line a second; who sends more is killed.
 */

export type Bucket = {
  /** Lines that may be sent at once after a pause. */
  readonly burst: number;
  /** Milliseconds per line after that; 0: no limit. */
  readonly everyMs: number;
};

/** What is known of a bucket: how many lines it held at a time (milliseconds, monotonic). */
export type Level = { readonly tokens: number; readonly at: number };

export function fullBucket({ burst }: Bucket, now: number): Level {
  return { tokens: burst, at: now };
}

/** The level at `now`, filled up by the time that has passed. */
export function refill(level: Level, bucket: Bucket, now: number): Level {
  if (bucket.everyMs <= 0) return { tokens: bucket.burst, at: now };
  const tokens = Math.min(bucket.burst, level.tokens + Math.max(0, now - level.at) / bucket.everyMs);
  return { tokens, at: now };
}

/** Takes one line out that cannot wait: what comes behind it waits longer. */
export function owe(level: Level, bucket: Bucket, now: number): Level {
  const filled = refill(level, bucket, now);
  return { tokens: filled.tokens - 1, at: now };
}

/** Takes one line out; `waitMs` is 0 when it may go now, else the milliseconds until it may. */
export function take(level: Level, bucket: Bucket, now: number): { readonly level: Level; readonly waitMs: number } {
  const filled = refill(level, bucket, now);
  if (bucket.everyMs <= 0) return { level: filled, waitMs: 0 };
  if (filled.tokens >= 1) return { level: { tokens: filled.tokens - 1, at: now }, waitMs: 0 };
  return { level: filled, waitMs: Math.ceil((1 - filled.tokens) * bucket.everyMs) };
}
