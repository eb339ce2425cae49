/**
 * A 53-bit hash of a text, different for each seed: fits a number, and a hundred thousand of them fit a megabyte. Not
 * cryptographic. With a random seed nobody can choose two names that fall together; by chance it happens to one pair in
 * about a million runs over a hundred thousand names.
 */
export function hash53(text: string, seed = 0): number {
  let low = 0x9e3779b9 ^ seed;
  let high = 0x85ebca6b ^ Math.imul(seed, 0x27d4eb2f);
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    low = Math.imul(low ^ unit, 0x01000193);
    high = Math.imul(high ^ unit, 0x5bd1e995);
    high ^= high >>> 15;
  }
  low ^= Math.imul(high ^ (high >>> 13), 0xc2b2ae35);
  low ^= low >>> 16;
  high ^= Math.imul(low ^ (low >>> 13), 0x85ebca6b);
  high ^= high >>> 16;
  return (high >>> 11) * 2 ** 32 + (low >>> 0);
}
