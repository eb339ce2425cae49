import { createBucket } from './token-bucket.ts';

/** More refusals than this are a flood, until there were fewer for a while. */
const REFUSALS = { burst: 100, perSecond: 50 };
const LASTS = 2000;
/** How old a picture of a member's sessions may be, milliseconds: nobody logs in to the chat sooner after the site. */
const FRESH = 100;
/** Members whose sessions are remembered at once. */
const PICTURES = 1000;
/** Logins under names that nobody has, which are looked up all the same: somebody may have been renamed just now. */
const STRANGERS = { burst: 20, perSecond: 10 };

/**
 * What keeps a flood of refused logins from becoming a flood of queries, without shutting anybody out: while it lasts, a
 * session id is looked for in a picture of its member's sessions, made at most ten times a second, and only one that is in it
 * is looked up with all rules. Nobody is refused for what others do.
 */
export type Flood = {
  refused(): void;
  /**
   * Whether this session id is worth the full question.
   * @param memberId whose name it is, as far as known.
   * @param sessionsOf reads the ids of a member's sessions.
   */
  worthAsking(
    memberId: number | undefined,
    sessionId: string,
    sessionsOf: (memberId: number) => Promise<readonly string[]>,
  ): boolean | Promise<boolean>;
};

export function createFlood(monotonic: () => number): Flood {
  const refusals = createBucket(REFUSALS);
  const strangers = createBucket(STRANGERS);
  const pictures = new Map<number, { readonly at: number; readonly sessions: Promise<ReadonlySet<string>> }>();
  let until = 0;
  return {
    refused() {
      const now = monotonic();
      if (!refusals.take(now)) until = now + LASTS;
    },
    worthAsking(memberId, sessionId, sessionsOf) {
      const now = monotonic();
      if (now >= until) {
        if (pictures.size > 0) pictures.clear();
        return true;
      }
      if (memberId === undefined) return strangers.take(now);
      let picture = pictures.get(memberId);
      if (picture === undefined || now - picture.at > FRESH) {
        if (pictures.size >= PICTURES) pictures.clear();
        picture = { at: now, sessions: sessionsOf(memberId).then((ids) => new Set(ids)) };
        pictures.set(memberId, picture);
      }
      return picture.sessions.then((sessions) => sessions.has(sessionId));
    },
  };
}
