/** A member's name as the forum's table has it, and what becomes of it in the chat: localpart and nickname. */
import { decodeEntities } from './entities.ts';
import { escapeLocalpart } from './jid.ts';
import { nodeprep, resourceprep } from './stringprep.ts';

/** RFC 6122 section 2: no part of a JID is longer, in bytes of UTF-8. */
const MAX_BYTES = 1023;

const utf8 = new TextEncoder();

/** Printable ASCII but for what begins an entity or an escape and what a localpart may not hold. */
const SIMPLE = /^[!#-%(-.0-9;=?A-[\]-~]{1,1000}$/;

function withinLimits(prepared: string | undefined): string | undefined {
  if (prepared === undefined || prepared === '') return undefined;
  if (prepared.length * 3 <= MAX_BYTES) return prepared;
  return utf8.encode(prepared).length <= MAX_BYTES ? prepared : undefined;
}

/**
 * The localpart of a member's JID, as ejabberd hands it to external authentication. `username` is as phpBB stores it
 * (HTML-escaped). Undefined for a name that cannot have a JID.
 */
export function localpartOf(username: string): string | undefined {
  // Most names: nothing to decode or escape, and nodeprep only folds the case.
  if (SIMPLE.test(username)) return username.toLowerCase();
  const escaped = escapeLocalpart(decodeEntities(username));
  return escaped === undefined ? undefined : withinLimits(nodeprep(escaped));
}

/** The nickname that belongs to a member, as ejabberd compares it. Undefined for a name that cannot be a nickname. */
export function nicknameOf(username: string): string | undefined {
  return withinLimits(resourceprep(decodeEntities(username)));
}
