/**
 * A hash table from numbers to a few numbers, in typed arrays: a hundred thousand entries of one column take four
 * megabytes, where a Map of objects takes twenty. Keys are whole numbers from 0 to 2^53 - 1.
 */
export type NumberTable = {
  readonly size: () => number;
  /** Where a key stands, for `value` and `setValue`; -1 when it is not there. Valid until the next `put`. */
  find(key: number): number;
  /** Where a key stands; made with zeroes when it was not there. */
  put(key: number): number;
  value(slot: number, column?: number): number;
  setValue(slot: number, value: number, column?: number): void;
  remove(key: number): void;
  /** Slots of every entry, in no order. The table must not grow meanwhile. */
  slots(): IterableIterator<number>;
  key(slot: number): number;
};

const EMPTY = -1;
const REMOVED = -2;

/** @param columns of numbers. @param flags columns after these, of small numbers from 0 to 255: a byte each. */
export function createNumberTable(columns = 1, flags = 0, capacity = 1024): NumberTable {
  const newValues = (room: number): readonly (Float64Array | Uint8Array)[] =>
    Array.from({ length: columns + flags }, (_, at) => (at < columns ? new Float64Array(room) : new Uint8Array(room)));
  let keys = new Float64Array(capacity).fill(EMPTY);
  let values = newValues(capacity);
  let mask = capacity - 1;
  let size = 0;
  let used = 0;

  const start = (key: number): number => {
    const low = key | 0;
    const mixed = Math.imul(low ^ Math.floor(key / 2 ** 32), 0x9e3779b1);
    return (mixed ^ (mixed >>> 15)) & mask;
  };
  const find = (key: number): number => {
    for (let slot = start(key); ; slot = (slot + 1) & mask) {
      if (keys[slot] === key) return slot;
      if (keys[slot] === EMPTY) return -1;
    }
  };
  const place = (key: number): number => {
    let slot = start(key);
    while (keys[slot] !== EMPTY) slot = (slot + 1) & mask;
    keys[slot] = key;
    return slot;
  };
  const grow = (): void => {
    const before = { keys, values };
    const room = size * 2 > mask ? (mask + 1) * 2 : mask + 1;
    keys = new Float64Array(room).fill(EMPTY);
    values = newValues(room);
    mask = room - 1;
    used = size;
    before.keys.forEach((key, slot) => {
      if (key < 0) return;
      const at = place(key);
      before.values.forEach((column, index) => {
        const target = values[index];
        if (target !== undefined) target[at] = column[slot] ?? 0;
      });
    });
  };

  return {
    size: () => size,
    find,
    put(key) {
      const known = find(key);
      if (known >= 0) return known;
      if (used * 10 > mask * 8) grow();
      used++;
      size++;
      const slot = place(key);
      for (const column of values) column[slot] = 0;
      return slot;
    },
    value: (slot, column = 0) => values[column]?.[slot] ?? 0,
    setValue(slot, value, column = 0) {
      const target = values[column];
      if (target !== undefined) target[slot] = value;
    },
    remove(key) {
      const slot = find(key);
      if (slot < 0) return;
      keys[slot] = REMOVED;
      size--;
    },
    *slots() {
      for (let slot = 0; slot <= mask; slot++) if ((keys[slot] ?? EMPTY) >= 0) yield slot;
    },
    key: (slot) => keys[slot] ?? EMPTY,
  };
}
