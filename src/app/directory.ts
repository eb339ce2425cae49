import { unescapeLocalpart } from '../core/jid.ts';
import { localpartOf } from '../core/member-name.ts';
import { isPlain } from '../core/phpbb/names.ts';
import { isActive, type MemberRow } from '../core/phpbb/rules.ts';
import { createMemberIndex } from './member-index.ts';
import type { Forum, MemberName } from './ports/forum.ts';
import type { Log } from './ports/log.ts';
import { createBucket } from './token-bucket.ts';

/** Members of one page of the scan: a page takes the event loop for a millisecond or two. */
const PAGE = 500;
/** Room that is made at once, for ids may have gaps. */
const EXPECTED = 200_000;
/** Everything is read again this often: names change, and the forum has no mark for it. */
const FULL_SCAN = 600_000;
/** New members are looked for this often, and whenever somebody is asked for whom we do not know. */
const TAIL_SCAN = 60_000;
/** In a flood of unknown names, new members are looked for at most this often, milliseconds. */
const TAIL_FRESH = 100;
const SCAN_WITHIN = 20_000;
const RETRY = 1000;
/** Collisions that are named in the log, per scan. */
const NAMED_COLLISIONS = 20;

/**
 * Which member owns a localpart (the lowest id of the active ones). Reads all names once in the background, in pages by id,
 * then new ones each minute and all again each ten. Until the first scan has passed a member, a question about him waits
 * for it, so the answer is right from the first one on.
 */
export type Directory = {
  /**
   * The member whose localpart this is, as `read` finds him; undefined when it is nobody's.
   * Rejects with ForumError or NotYet.
   * @param within milliseconds.
   */
  find<T extends MemberRow>(localpart: string, within: number, read: Reader<T>): Promise<T | undefined>;
  /**
   * Whether this member, whose row was just read, owns his localpart. The other one's id if not.
   * Rejects with ForumError, or NotYet when it cannot be told in time.
   */
  rival(localpart: string, member: MemberRow, within: number): undefined | Promise<number | undefined>;
  /** The id that the index has for a localpart; not checked. */
  known(localpart: string): number | undefined;
  /** The same after a look for new members. */
  lookAgain(localpart: string): Promise<number | undefined>;
  size(): number;
  collisions(): number;
};

/** Reads a member by his id; `within`: milliseconds. */
export type Reader<T extends MemberRow> = (id: number, within: number) => Promise<T | undefined>;

export type DirectoryOptions = {
  readonly forum: Forum;
  readonly log: Log;
  readonly seed: number;
  readonly now: () => number;
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  readonly signal: AbortSignal;
};

export function openDirectory(options: DirectoryOptions): Directory {
  const { forum, log, now, sleep, signal } = options;
  const index = createMemberIndex(options.seed);
  /** Every member up to this id is in the index; Infinity after the first whole scan. */
  let covered = 0;
  let highest = 0;
  let collisions = 0;
  /** Until then: the localparts of members with unusual names, by their lowest id. */
  let early: Promise<ReadonlyMap<string, number> | undefined> | undefined;
  let waiting: { id: number; go: () => void }[] = [];
  let tail: Promise<void> | undefined;
  let tailAt = 0;
  const tailBucket = createBucket({ burst: 20, perSecond: 5 });
  const probeBucket = createBucket({ burst: 10, perSecond: 2 });

  const cover = (id: number): void => {
    covered = id;
    const ready = waiting.filter((waiter) => waiter.id <= covered);
    waiting = waiting.filter((waiter) => waiter.id > covered);
    for (const { go } of ready) go();
  };

  const take = (members: readonly MemberName[], onCollision: (a: number, b: number) => void): void => {
    for (const { id, username } of members) {
      const localpart = localpartOf(username);
      if (localpart === undefined) continue;
      const other = index.add(localpart, id);
      if (other !== undefined && other !== id) onCollision(other, id);
    }
  };

  const scan = async (): Promise<void> => {
    index.renew();
    index.expect(Math.min(await forum.highest(SCAN_WITHIN), EXPECTED));
    let found = 0;
    let last = 0;
    for (;;) {
      signal.throwIfAborted();
      const page = await forum.page(last, PAGE, SCAN_WITHIN);
      if (page.length === 0) break;
      take(page, (a, b) => {
        if (found++ < NAMED_COLLISIONS)
          log.warn(
            'collision',
            'two members have names with one localpart: the lower id owns it, the other cannot log in',
            {
              owner: Math.min(a, b),
              refused: Math.max(a, b),
            },
          );
      });
      last = page.at(-1)?.id ?? last;
      if (covered !== Number.POSITIVE_INFINITY) cover(last);
    }
    highest = Math.max(highest, last);
    collisions = found;
    cover(Number.POSITIVE_INFINITY);
  };

  /** At once for single questions; for a flood of them so often that only a member of this instant may be missed. */
  const tailIsDue = (): boolean => tailBucket.take(now()) || now() - tailAt > TAIL_FRESH;
  const tailScan = (): Promise<void> => {
    tailAt = now();
    tail ??= (async () => {
      for (;;) {
        const page = await forum.page(highest, PAGE, SCAN_WITHIN);
        take(page, () => collisions++);
        highest = page.at(-1)?.id ?? highest;
        if (page.length < PAGE) return;
      }
    })().finally(() => {
      tail = undefined;
    });
    return tail;
  };

  const readUnusual = async (): Promise<ReadonlyMap<string, number> | undefined> => {
    const owners = new Map<string, number>();
    const members = await forum.unusual(SCAN_WITHIN);
    for (const { id, username } of members ?? []) {
      const localpart = localpartOf(username);
      // They come by ascending id.
      if (localpart !== undefined && !owners.has(localpart)) owners.set(localpart, id);
    }
    return members === undefined ? undefined : owners;
  };

  const run = async (): Promise<void> => {
    while (!signal.aborted) {
      try {
        // First of all, since the first login waits for it: to have the database look through the names is faster than to read them.
        if (covered !== Number.POSITIVE_INFINITY) {
          early = readUnusual();
          // Without it, whoever is asked for waits for the scan.
          await early.catch(() => {});
        }
        await scan();
        early = undefined;
        const until = now() + FULL_SCAN;
        while (now() < until) {
          await sleep(TAIL_SCAN, signal);
          await tailScan();
        }
      } catch {
        // The login itself says that the database is away; here it only means to try again.
        await sleep(RETRY, signal).catch(() => {});
      }
    }
  };
  run().catch(() => {});

  /** Rejects with NotYet when it takes longer, milliseconds. */
  const inTime = <T>(promise: Promise<T>, within: number): Promise<T> =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new NotYet()), Math.max(0, within));
      promise.then(resolve, reject).finally(() => clearTimeout(timer));
    });

  const coveredUpTo = (id: number, within: number): Promise<boolean> => {
    if (id <= covered) return Promise.resolve(true);
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(id <= covered), Math.max(0, within));
      waiting.push({
        id,
        go: () => {
          clearTimeout(timer);
          resolve(true);
        },
      });
    });
  };

  /** The member with this id if he is active and has this localpart now. */
  const holder = async <T extends MemberRow>(
    id: number,
    localpart: string,
    within: number,
    read: Reader<T>,
  ): Promise<T | undefined> => {
    const member = await read(id, within);
    return member !== undefined && isActive(member) && localpartOf(member.username) === localpart ? member : undefined;
  };

  const findRival = async (localpart: string, member: MemberRow, within: number): Promise<number | undefined> => {
    const since = now();
    const left = (): number => within - (now() - since);
    if (member.id > covered && early !== undefined && isPlain(member.username)) {
      // The scan has not come so far.
      const unusual = await inTime(
        early.catch(() => undefined),
        within,
      );
      const other = unusual?.get(localpart);
      if (unusual !== undefined)
        return other !== undefined && other < member.id && (await holder(other, localpart, left(), forum.member))
          ? other
          : undefined;
    }
    if (!(await coveredUpTo(member.id, left()))) throw new NotYet();
    const owner = index.owner(localpart);
    if (owner === member.id) return undefined;
    if (owner !== undefined && owner < member.id && (await holder(owner, localpart, left(), forum.member)))
      return owner;
    // New, renamed, or a lower id than the one we knew of.
    index.settle(localpart, member.id);
    return undefined;
  };

  return {
    rival: (localpart, member, within) =>
      member.id <= covered && index.owner(localpart) === member.id ? undefined : findRival(localpart, member, within),

    async find(localpart, within, read) {
      const since = now();
      const left = (): number => within - (now() - since);
      if (covered !== Number.POSITIVE_INFINITY && !(await coveredUpTo(Number.POSITIVE_INFINITY, within)))
        throw new NotYet();
      const known = index.owner(localpart);
      const account = known === undefined ? undefined : await holder(known, localpart, left(), read);
      if (account !== undefined) return account;
      if (tailIsDue()) {
        await tailScan();
        const fresh = index.owner(localpart);
        const found = fresh === undefined || fresh === known ? undefined : await holder(fresh, localpart, left(), read);
        if (found !== undefined) return found;
      }
      // Renamed or activated since the last scan: asked by name, which finds him unless nodeprep changed more than the case.
      if (!probeBucket.take(now())) return undefined;
      const renamed = (await forum.called(unescapeLocalpart(localpart), left())).find(
        ({ username }) => localpartOf(username) === localpart,
      );
      if (renamed === undefined) return undefined;
      index.settle(localpart, renamed.id);
      return holder(renamed.id, localpart, left(), read);
    },

    known: (localpart) => index.owner(localpart),
    async lookAgain(localpart) {
      if (tailIsDue()) await tailScan();
      return index.owner(localpart);
    },

    size: () => index.size(),
    collisions: () => collisions,
  };
}

/** The first scan has not come far enough to tell. */
export class NotYet extends Error {
  override name = 'NotYet';
  constructor() {
    super('the members’ names are still being read');
  }
}
