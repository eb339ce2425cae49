import { randomBytes } from 'node:crypto';

/** Ids of 96 random bits, never to be guessed. Fetched many at a time: one by one each costs a system call. */
export function newIds(): () => string {
  let pool = Buffer.alloc(0);
  let at = 0;
  return () => {
    if (at === pool.length) {
      pool = randomBytes(12 * 256);
      at = 0;
    }
    at += 12;
    return pool.toString('base64url', at - 12, at);
  };
}
