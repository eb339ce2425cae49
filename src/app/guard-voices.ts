import { reasonOf } from '../core/errors.ts';
import { printable } from '../core/escape.ts';
import type { GuardPolicy } from '../core/guard-rules.ts';
import type { Occupant, Room } from './ports/chat.ts';
import type { Log } from './ports/log.ts';

export type GuardVoices = {
  /** We are in the room anew: who has voice is seen again. */
  clear(): void;
  /** Somebody waits for his voice: the room is moderated. */
  waits(): void;
  /** An occupant as he is now. */
  saw(occupant: Occupant): void;
  /** He was not here before. Warns of a room that lets people speak before the guard has looked. */
  came(room: Room, occupant: Occupant): void;
  /**
   * He left. ejabberd (22.05 on) remembers the voice of who leaves and gives it back when he comes in again, under whatever
   * nickname. A change of affiliation makes it forget: to member and back, in one breath.
   */
  takeBack(room: Room, occupant: Occupant): void;
};

const bareOf = (jid: string): string => jid.split('/', 1)[0] ?? '';

/** Who has voice in the guarded room: it belongs to a person there, not to his nickname. */
export function watchVoices(options: {
  readonly policy: () => GuardPolicy;
  readonly isCurrent: (room: Room) => boolean;
  readonly log: Log;
}): GuardVoices {
  const { policy, isCurrent, log } = options;
  /** Bare JIDs that are here with voice. */
  const speaking = new Set<string>();
  /** Bare JIDs of those who came with voice, until three are a warning: one may have it from before the guard came. */
  const outspoken = new Set<string>();
  let moderated = false;

  return {
    clear: () => speaking.clear(),
    waits() {
      moderated = true;
    },
    saw({ jid, role }) {
      if (role === 'participant' && jid !== undefined) speaking.add(bareOf(jid));
    },
    came(room, { jid, role, affiliation }) {
      if (moderated || role !== 'participant' || affiliation !== 'none') return;
      if (outspoken.size >= 3 || outspoken.add(bareOf(jid ?? '')).size < 3) return;
      log.warn(
        'not-moderated',
        `${room.room} lets people speak before the guard has looked: set moderated to true and members_by_default to false`,
      );
    },
    takeBack(room, { jid, affiliation }) {
      if (jid === undefined || affiliation !== 'none') return;
      const bare = bareOf(jid);
      // Who never had voice must not get it for the moment between the two.
      if (!speaking.has(bare)) return;
      if (policy().bots.has(bare) || room.occupants().some((one) => bareOf(one.jid ?? '') === bare)) return;
      speaking.delete(bare);
      const done = [room.setAffiliation(bare, 'member'), room.setAffiliation(bare, 'none')];
      Promise.all(done).catch((error: unknown) => {
        if (isCurrent(room))
          log.warn('voice-kept', `cannot take back the voice of ${printable(bare)}: ${reasonOf(error)}`);
      });
    },
  };
}
