/**
 * Which line goes to the other side. Pure: the state that they need is handed in.
 */

export type RoomLineFacts = {
  readonly nick: string;
  readonly kind?: string | undefined;
};

export type RoomRules = {
  /** Nicknames that are not relayed, in lower case. */
  readonly ignore: ReadonlySet<string>;
  /** Our own nickname in the room. */
  readonly us: string;
  /** Nicknames whose announcements are believed: the site's bot. */
  readonly announcers: ReadonlySet<string>;
};

export type Verdict = 'relay' | 'announcement' | 'own' | 'ignored';

/**
 * A line of the room: our own lines and those of any other bridge carry the mark `irc` and stay where they are. Somebody who
 * marks his own lines so hides only himself. The mark `announcement` is believed of the site's bot only.
 */
export function judgeRoomLine(line: RoomLineFacts, rules: RoomRules): Verdict {
  if (line.kind === 'irc') return 'own';
  if (rules.ignore.has(line.nick.toLowerCase())) return 'ignored';
  return line.kind === 'announcement' && rules.announcers.has(line.nick) ? 'announcement' : 'relay';
}

/** A line of the channel: our own, another bridge's (it bears a bridge's id), an ignored one's, or to be relayed. */
export function judgeChannelLine(
  line: { readonly nick: string; readonly own: boolean; readonly bridgeId: string | undefined },
  ignore: ReadonlySet<string>,
): Verdict {
  if (line.own || line.bridgeId !== undefined) return 'own';
  return ignore.has(line.nick.toLowerCase()) ? 'ignored' : 'relay';
}

/** How long a line that we said may come back to us through a bridge that we do not know. */
const ECHO_MS = 30_000;
const ECHOES = 200;

/**
 * Finds lines that come back to us through a foreign bridge between the same room and channel: they quote a line that we said
 * on the other side, whole, behind our own name there. Relaying them would let them grow for ever.
 */
export type EchoGuard = {
  said(text: string, now: number): void;
  isEcho(text: string, ourNick: string, now: number): boolean;
};

export function newEchoGuard(): EchoGuard {
  let recent: { readonly text: string; readonly at: number }[] = [];
  return {
    said(text, now) {
      recent.push({ text, at: now });
      if (recent.length > 2 * ECHOES) recent = recent.slice(-ECHOES);
    },
    isEcho(text, ourNick, now) {
      if (ourNick === '' || !text.includes(ourNick)) return false;
      return recent.some(({ text: said, at }) => {
        if (now - at > ECHO_MS || !text.endsWith(said) || text.length === said.length) return false;
        // Nothing but our name, its brackets and at most the name of a network.
        const head = text.slice(0, text.length - said.length);
        return head.includes(ourNick) && head.length <= ourNick.length + 20;
      });
    },
  };
}

/** The last lines of a room, so that corrections, retractions and answers can say what they are about. */
export type Memory = {
  remember(ids: readonly (string | undefined)[], nick: string, text: string): void;
  recall(id: string | undefined): { readonly nick: string; readonly text: string } | undefined;
};

const REMEMBERED = 500;

export function newMemory(): Memory {
  const lines = new Map<string, { readonly nick: string; readonly text: string }>();
  return {
    remember(ids, nick, text) {
      for (const id of ids) if (id !== undefined) lines.set(id, { nick, text: text.slice(0, 500) });
      for (const oldest of lines.keys()) {
        if (lines.size <= REMEMBERED) break;
        lines.delete(oldest);
      }
    },
    recall: (id) => (id === undefined ? undefined : lines.get(id)),
  };
}
