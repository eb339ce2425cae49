/** So many at once and so many a second on average. Time is given by the caller, in milliseconds that never jump. */
export type Bucket = { take(now: number): boolean };

export function createBucket({ burst, perSecond }: { burst: number; perSecond: number }): Bucket {
  let level = burst;
  let at: number | undefined;
  return {
    take(now) {
      level = Math.min(burst, level + ((now - (at ?? now)) / 1000) * perSecond);
      at = now;
      if (level < 1) return false;
      level--;
      return true;
    },
  };
}
