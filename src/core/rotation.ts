import { type BackoffOptions, backoff } from './backoff.ts';

/** What is known of each server of a list: how often it failed in a row, and before when it must be left alone. */
export type Rotation = readonly { readonly failures: number; readonly notBefore: number }[];

/** A fresh list of `count` servers that all may be tried now. */
export function newRotation(count: number): Rotation {
  return Array.from({ length: count }, () => ({ failures: 0, notBefore: 0 }));
}

/**
 * Which server to try and when (milliseconds, on the same clock as `now`): the one that may be tried first; among equals
 * the first of the list, since operators write the best one first.
 */
export function nextTarget(rotation: Rotation, now: number): { readonly index: number; readonly at: number } {
  let best = { index: 0, at: Number.POSITIVE_INFINITY };
  rotation.forEach((target, index) => {
    const at = Math.max(now, target.notBefore);
    if (at < best.at) best = { index, at };
  });
  return best;
}

/** A server failed or dropped us: it rests for its backoff, or for `penaltyMs` when it told us to stay away (K-line). */
export function failed(
  rotation: Rotation,
  index: number,
  now: number,
  random: number,
  options: BackoffOptions,
  penaltyMs = 0,
): Rotation {
  return rotation.map((target, at) => {
    if (at !== index) return target;
    const failures = target.failures + 1;
    return { failures, notBefore: now + Math.max(penaltyMs, backoff(failures, random, options)) };
  });
}

/** A connection held: the server's failures are forgotten. */
export function succeeded(rotation: Rotation, index: number): Rotation {
  return rotation.map((target, at) => (at === index ? { failures: 0, notBefore: 0 } : target));
}
