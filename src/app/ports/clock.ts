/** Time and timers, so that every outage can be played in milliseconds. */
export interface Clock {
  /** Wall clock, milliseconds since 1970. For people, archives and tokens. */
  now(): number;
  /** Milliseconds that never jump. For deadlines, backoff and pacing. */
  monotonic(): number;
  /** Resolves after `ms`; rejects with the signal's reason when it is aborted first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}
