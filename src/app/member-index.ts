import { hash53 } from '../core/hash53.ts';
import { createNumberTable } from '../core/number-table.ts';

/**
 * Which member a localpart belongs to: the lowest id of all whose name makes it. Holds hashes and ids only (about 40 bytes a
 * member). What it says of a member must be checked against his row: hashes may fall together, members change their names.
 */
export type MemberIndex = {
  owner(localpart: string): number | undefined;
  /** Adds a member; the lower id stays. Returns the other member's id when both have this localpart. */
  add(localpart: string, id: number): number | undefined;
  /** Says who the owner is, whoever stood there. */
  settle(localpart: string, id: number): void;
  size(): number;
};

/** @param seed random, so that nobody can choose names whose hashes fall together. */
export function createMemberIndex(seed: number): MemberIndex {
  const table = createNumberTable();
  return {
    owner(localpart) {
      const slot = table.find(hash53(localpart, seed));
      return slot < 0 ? undefined : table.value(slot);
    },
    add(localpart, id) {
      const slot = table.put(hash53(localpart, seed));
      const known = table.value(slot);
      if (known === id) return undefined;
      if (known === 0 || id < known) table.setValue(slot, id);
      return known === 0 ? undefined : known;
    },
    settle(localpart, id) {
      table.setValue(table.put(hash53(localpart, seed)), id);
    },
    size: () => table.size(),
  };
}
