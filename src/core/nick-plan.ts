/**
 * What must be done for each member so that exactly the right nicknames are registered: pure, one member at a time by
 * ascending id, in memory that holds a few numbers per member.
 */
import { hash53 } from './hash53.ts';
import { localpartOf, nicknameOf } from './member-name.ts';
import type { HeldRecord, NickRecord } from './nick-record.ts';
import { createNumberTable, type NumberTable } from './number-table.ts';

export type PlannedMember = {
  readonly id: number;
  readonly username: string;
  readonly active: boolean;
  readonly banned: boolean;
};

/** Why a member gets no nickname. `other` is the member with the lower id who owns the name. */
export type NameProblem =
  | { readonly kind: 'localpart' | 'nickname'; readonly other: number; readonly name: string }
  | { readonly kind: 'unusable'; readonly what: 'localpart' | 'nickname' };

export type Names = { readonly localpart: string; readonly nick: string };

export type Registration = Names & {
  /** Somebody else still holds the nickname: wait until all that must go is gone. */
  readonly wait: boolean;
  /** Another name was registered for this member before. */
  readonly renamed: boolean;
};

export type Step = {
  readonly member: PlannedMember;
  /** What is registered now and must go first. */
  readonly unregister?: HeldRecord;
  readonly register?: Registration;
  readonly unchanged?: true;
  readonly problem?: NameProblem;
};

/** Columns of the table of members that we know of: hashes of the names of their record, where it stands, and more. */
const NICK = 0;
const LOCALPART = 1;
const POSITION = 2;
/** 1: confirmed; 0: only asked for. */
const SURE = 3;
/** 1: came in this run. */
const SEEN = 4;

/** Columns of the tables of names: who has it by his record and who by his coming, 0 for nobody; and of localparts: whether the latter is to have a nickname. */
const HOLDER = 0;
const OWNER = 1;
const CLAIMED = 2;

export type NickPlan = {
  /** A record of the file, oldest first, with its position; `now`: written by this run. */
  remember(record: NickRecord, position: number, now?: boolean): void;
  /** The step of one member. Of two with one name the one who comes first owns it. `recall` reads a record back. */
  next(member: PlannedMember, recall: (position: number) => NickRecord | undefined): Step;
  /** Positions of the records of those who did not come: deleted or deactivated. */
  unseen(): IterableIterator<number>;
  /** Localpart and nickname of what was left registered under names that nobody has any more. */
  strays(): ReadonlyMap<string, string>;
  /** The member who came and has, by his record, a nickname for this localpart: what is registered for it is his. */
  claimant(localpart: string): number | undefined;
  /** The member whose registration for this localpart was confirmed last, as far as the file knows. */
  holder(localpart: string): number | undefined;
  /** Members who hold this nickname, or have this localpart, as far as the file knows. */
  holders(names: Names): readonly number[];
  positionOf(id: number): number | undefined;
  /** Members with a record that counts. */
  size(): number;
};

/** @param seed random, so that nobody can prepare names that fall together. @param full register also what is registered. */
export function createNickPlan(seed: number, options: { readonly full?: boolean } = {}): NickPlan {
  const known = createNumberTable(3, 2);
  const nicks = createNumberTable(2);
  const localparts = createNumberTable(2, 1);
  const strays = new Map<string, string>();

  const hash = (name: string): number => hash53(name, seed);
  /** The member who holds a name by his latest record. */
  const holder = (table: NumberTable, column: number, name: string): number | undefined => {
    const slot = table.find(hash(name));
    const id = slot < 0 ? 0 : table.value(slot, HOLDER);
    const of = id === 0 ? -1 : known.find(id);
    return of >= 0 && known.value(of, column) === hash(name) ? id : undefined;
  };

  /** Who only asked for a name does not take it from whom it was confirmed for. */
  const hold = (table: NumberTable, column: number, name: string, { kind, id }: HeldRecord): void => {
    if (kind === 'held' || holder(table, column, name) === undefined) table.setValue(table.put(hash(name)), id, HOLDER);
  };
  const holdersOf = (names: Names): readonly number[] => {
    const ids = [holder(nicks, NICK, names.nick), holder(localparts, LOCALPART, names.localpart)];
    return [...new Set(ids.filter((id) => id !== undefined))];
  };

  /** The owner of a name among those who came; this member when there was none. */
  const claim = (names: NumberTable, name: string, id: number): number => {
    const slot = names.put(hash(name));
    if (names.value(slot, OWNER) === 0) names.setValue(slot, id, OWNER);
    return names.value(slot, OWNER);
  };

  const namesOf = (member: PlannedMember): Names | NameProblem => {
    const localpart = localpartOf(member.username);
    if (localpart === undefined) return { kind: 'unusable', what: 'localpart' };
    const nick = nicknameOf(member.username);
    if (nick === undefined) return { kind: 'unusable', what: 'nickname' };
    const account = claim(localparts, localpart, member.id);
    if (account !== member.id) return { kind: 'localpart', other: account, name: localpart };
    const owner = claim(nicks, nick, member.id);
    return owner === member.id ? { localpart, nick } : { kind: 'nickname', other: owner, name: nick };
  };

  const heldAt = (slot: number, recall: (position: number) => NickRecord | undefined): HeldRecord | undefined => {
    const record = slot < 0 ? undefined : recall(known.value(slot, POSITION));
    return record?.kind === 'held' || record?.kind === 'asked' ? record : undefined;
  };

  return {
    remember(record, position, now = false) {
      if (record.kind === 'stray') strays.set(record.localpart, record.nick);
      else if (record.kind === 'stray-gone') strays.delete(record.localpart);
      else if (record.kind === 'gone') known.remove(record.id);
      else if (record.kind === 'held' || record.kind === 'asked') {
        const slot = known.put(record.id);
        // Asked for another's account (without --prune he keeps it): whether his nickname is still there is no longer sure.
        const before = holder(localparts, LOCALPART, record.localpart);
        if (record.kind === 'asked' && before !== undefined && before !== record.id)
          known.setValue(known.find(before), 0, SURE);
        hold(nicks, NICK, record.nick, record);
        hold(localparts, LOCALPART, record.localpart, record);
        known.setValue(slot, hash(record.nick), NICK);
        known.setValue(slot, hash(record.localpart), LOCALPART);
        known.setValue(slot, position, POSITION);
        known.setValue(slot, record.kind === 'held' ? 1 : 0, SURE);
        if (now) known.setValue(slot, 1, SEEN);
      }
    },
    next(member, recall) {
      const slot = known.find(member.id);
      if (slot >= 0) known.setValue(slot, 1, SEEN);
      const names = member.active ? namesOf(member) : undefined;
      if (names === undefined || !('nick' in names) || member.banned) {
        const before = heldAt(slot, recall);
        const problem = names !== undefined && !('nick' in names) && !member.banned ? { problem: names } : {};
        return { member, ...problem, ...(before === undefined ? {} : { unregister: before }) };
      }
      localparts.setValue(localparts.find(hash(names.localpart)), 1, CLAIMED);
      const same =
        slot >= 0 &&
        known.value(slot, NICK) === hash(names.nick) &&
        known.value(slot, LOCALPART) === hash(names.localpart);
      if (same && known.value(slot, SURE) === 1) {
        if (options.full !== true) return { member, unchanged: true };
        return { member, register: { ...names, wait: false, renamed: false } };
      }
      // Registering for an account that another still holds would silently replace what he has.
      const wait = holdersOf(names).some((id) => id !== member.id);
      const before = heldAt(slot, recall);
      if (before === undefined) return { member, register: { ...names, wait, renamed: false } };
      const moved = before.localpart !== names.localpart;
      const register = { ...names, wait, renamed: moved || before.nick !== names.nick };
      // A JID holds one nickname: registering another frees the first in the same moment, without a gap.
      return { member, register, ...(wait || moved ? { unregister: before } : {}) };
    },
    *unseen() {
      for (const slot of known.slots()) if (known.value(slot, SEEN) === 0) yield known.value(slot, POSITION);
    },
    size: known.size,
    strays: () => strays,
    claimant(localpart) {
      const slot = localparts.find(hash(localpart));
      if (slot < 0 || localparts.value(slot, CLAIMED) === 0) return undefined;
      const owner = localparts.value(slot, OWNER);
      const of = known.find(owner);
      return of >= 0 && known.value(of, LOCALPART) === hash(localpart) ? owner : undefined;
    },
    holder: (localpart) => holder(localparts, LOCALPART, localpart),
    holders: holdersOf,
    positionOf(id) {
      const slot = known.find(id);
      return slot < 0 ? undefined : known.value(slot, POSITION);
    },
  };
}
