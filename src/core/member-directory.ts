/**
 * Who is who in the chat, for all members at once, in a few megabytes: from the localpart of a JID to the member, the
 * nickname that is his, and the looks of all nicknames.
 */
import { looksOf } from './confusables.ts';
import { hash53 } from './hash53.ts';
import { localpartOf, nicknameOf } from './member-name.ts';
import type { PlannedMember } from './nick-plan.ts';
import { createNumberTable } from './number-table.ts';

export type DirectoryEntry = {
  readonly id: number;
  /** undefined: the name cannot be a nickname. */
  readonly nick: string | undefined;
  readonly banned: boolean;
};

export type MemberDirectory = {
  /** Members must come by ascending id: of two with one localpart the first owns it (as for the login). */
  add(member: PlannedMember): void;
  /** Puts what was just read of one member over what was known. */
  update(localpart: string, member: PlannedMember): void;
  find(localpart: string): DirectoryEntry | undefined;
  /** Whether a nickname could be taken for a member's. */
  looksLikeMember(nick: string): boolean;
  size(): number;
  /** The highest id so far: new members come behind it. */
  lastId(): number;
};

const ID = 0;
const AT = 1;
const LENGTH = 2;
const BANNED = 3;

const utf8 = new TextEncoder();
const text = new TextDecoder();

/** @param looks also keep what names look like (only asked for guests). */
export function createMemberDirectory(seed: number, { looks }: { readonly looks: boolean }): MemberDirectory {
  const members = createNumberTable(4);
  const seen = createNumberTable();
  let pool = new Uint8Array(16_384);
  let used = 0;
  let last = 0;

  /** Where the text now stands in the pool. */
  const keep = (nick: string): readonly [number, number] => {
    const bytes = utf8.encode(nick);
    if (used + bytes.length > pool.length) {
      const larger = new Uint8Array(Math.max(pool.length * 2, used + bytes.length));
      larger.set(pool);
      pool = larger;
    }
    pool.set(bytes, used);
    used += bytes.length;
    return [used - bytes.length, bytes.length];
  };

  const put = (localpart: string, { id, username, banned }: PlannedMember): void => {
    const nick = nicknameOf(username);
    const [at, length] = nick === undefined ? [0, 0] : keep(nick);
    const slot = members.put(hash53(localpart, seed));
    members.setValue(slot, id, ID);
    members.setValue(slot, at, AT);
    members.setValue(slot, length, LENGTH);
    members.setValue(slot, banned ? 1 : 0, BANNED);
    if (looks && nick !== undefined) for (const look of looksOf(nick)) seen.put(hash53(look, seed));
  };

  return {
    add(member) {
      last = Math.max(last, member.id);
      const localpart = member.active ? localpartOf(member.username) : undefined;
      if (localpart !== undefined && members.find(hash53(localpart, seed)) < 0) put(localpart, member);
    },
    update: put,
    find(localpart) {
      const slot = members.find(hash53(localpart, seed));
      if (slot < 0) return undefined;
      const at = members.value(slot, AT);
      const length = members.value(slot, LENGTH);
      return {
        id: members.value(slot, ID),
        nick: length === 0 ? undefined : text.decode(pool.subarray(at, at + length)),
        banned: members.value(slot, BANNED) === 1,
      };
    },
    looksLikeMember: (nick) => [...looksOf(nick)].some((look) => seen.find(hash53(look, seed)) >= 0),
    size: members.size,
    lastId: () => last,
  };
}
