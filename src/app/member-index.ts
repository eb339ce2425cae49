import { hash53 } from '../core/hash53.ts';

/**
 * Which member a localpart belongs to: the lowest id of all whose name makes it. Holds hashes and ids only, twelve bytes a
 * place, as the process stays in memory beside every ejabberd. What it says of a member must be checked against his row:
 * hashes may fall together, members change their names.
 */
export type MemberIndex = {
  owner(localpart: string): number | undefined;
  /** Adds a member; the lower id stays. Returns the other member's id when both have this localpart. */
  add(localpart: string, id: number): number | undefined;
  /** Says who the owner is, whoever stood there. */
  settle(localpart: string, id: number): void;
  /** A new reading of all members, by ascending id: the first one `add`ed from now on owns his localpart, whoever did before. */
  renew(): void;
  /** Makes room for so many members at once, instead of growing on the way. */
  expect(members: number): void;
  size(): number;
};

/** Full at four fifths. */
const LOAD = 0.8;
const SMALLEST = 1024;
/** The upper word of an entry: 21 bits of hash below, the number of the reading above; 0 is an empty place. */
const HASH_BITS = 0x1fffff;
const READING = 0x200000;
const READINGS = 0x7ff;

/** @param seed random, so that nobody can choose names whose hashes fall together. */
export function createMemberIndex(seed: number): MemberIndex {
  let low = new Uint32Array(SMALLEST);
  let high = new Uint32Array(SMALLEST);
  let ids = new Uint32Array(SMALLEST);
  let size = 0;
  let reading = 1;

  /** The place of a hash, or the empty one where it belongs. */
  const place = (lowBits: number, highBits: number): number => {
    let at = lowBits % low.length;
    for (;;) {
      const word = high[at] ?? 0;
      if (word === 0 || (low[at] === lowBits && (word & HASH_BITS) === highBits)) return at;
      at = at + 1 === low.length ? 0 : at + 1;
    }
  };
  const find = (localpart: string): number => {
    const hash = hash53(localpart, seed);
    return place(hash >>> 0, Math.floor(hash / 2 ** 32));
  };
  const resize = (capacity: number): void => {
    const before = { low, high, ids };
    low = new Uint32Array(capacity);
    high = new Uint32Array(capacity);
    ids = new Uint32Array(capacity);
    for (let from = 0; from < before.high.length; from++) {
      const word = before.high[from] ?? 0;
      if (word === 0) continue;
      const at = place(before.low[from] ?? 0, word & HASH_BITS);
      low[at] = before.low[from] ?? 0;
      high[at] = word;
      ids[at] = before.ids[from] ?? 0;
    }
  };
  const put = (localpart: string, id: number): void => {
    const hash = hash53(localpart, seed);
    const highBits = Math.floor(hash / 2 ** 32);
    const at = place(hash >>> 0, highBits);
    if (high[at] === 0) size++;
    low[at] = hash >>> 0;
    high[at] = highBits + reading * READING;
    ids[at] = id;
    if (size > high.length * LOAD) resize(Math.ceil(high.length * 1.6));
  };

  return {
    owner(localpart) {
      const at = find(localpart);
      return high[at] === 0 ? undefined : ids[at];
    },
    add(localpart, id) {
      const at = find(localpart);
      const word = high[at] ?? 0;
      const known = word === 0 || Math.floor(word / READING) !== reading ? undefined : ids[at];
      if (known === undefined || id < known) put(localpart, id);
      return known === id ? undefined : known;
    },
    settle: put,
    renew() {
      reading = reading === READINGS ? 1 : reading + 1;
    },
    expect(members) {
      const capacity = Math.ceil(members / LOAD) + SMALLEST;
      if (capacity > high.length) resize(capacity);
    },
    size: () => size,
  };
}
