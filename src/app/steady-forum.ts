import { ForumError } from '../core/phpbb/failure.ts';
import type { Clock } from './ports/clock.ts';
import type { Forum } from './ports/forum.ts';
import type { Log } from './ports/log.ts';

/** A loss as short as this is waited out by whoever asks; after that, questions are refused at once. Milliseconds. */
const BLIP = 1000;
/** How often a lost database is tried, and how long one try may take: it must be found again within 2 s. */
const PROBE_EVERY = 200;
const PROBE_EVERY_MISCONFIGURED = 1000;
const PROBE_WITHIN = 2000;

export type Outage = { readonly reason: string; readonly kind: ForumError['kind'] };

/**
 * The forum's database with its outages. While it is away it is tried in the background, and questions are refused without
 * waiting: ejabberd asks one thing at a time and gives up at 30 s, so five seconds for each would knock out the whole chat.
 */
export function steadyForum(
  forum: Forum,
  {
    clock,
    log,
    signal,
    changed,
  }: { clock: Clock; log: Log; signal: AbortSignal; changed: (outage: Outage | undefined) => void },
): Forum {
  let outage: { since: number; error: ForumError; over: Promise<void> } | undefined;

  /** @param lost what failed: a table that is missing is found again by whoever needs it, not by another question. */
  const lose = (error: ForumError, since: number, lost: (within: number) => Promise<unknown>): void => {
    if (outage !== undefined || signal.aborted) return;
    // Closed while away (`--check`): nobody waits for the end any more, and nothing went wrong.
    const over = probe(error, error.kind === 'schema' ? lost : (within) => forum.account(0, within)).catch(
      (reason: unknown) => {
        if (!signal.aborted) throw reason;
      },
    );
    outage = { since, error, over };
    log.error('forum-away', `${error.message}; logins of members are refused until it is back`, { hint: error.hint });
    changed({ reason: error.message, kind: error.kind });
  };

  const probe = async (first: ForumError, question: (within: number) => Promise<unknown>): Promise<void> => {
    let kind = first.kind;
    let said = first.message;
    for (;;) {
      await clock.sleep(kind === 'down' ? PROBE_EVERY : PROBE_EVERY_MISCONFIGURED, signal);
      try {
        await question(PROBE_WITHIN);
        outage = undefined;
        log.info('forum-back', 'the forum’s database answers again');
        changed(undefined);
        return;
      } catch (error) {
        if (!(error instanceof ForumError)) throw error;
        kind = error.kind;
        // What is wrong may change on the way: starting, then refusing the password.
        if (outage !== undefined) outage.error = error;
        if (error.message !== said && kind !== 'down') log.error('forum-away', error.message, { hint: error.hint });
        said = error.message;
        changed({ reason: error.message, kind });
      }
    }
  };

  /** Waits until the outage is over, at most `ms`. */
  const over = async (ms: number): Promise<boolean> => {
    if (outage === undefined) return true;
    if (ms <= 0) return false;
    const timer = new AbortController();
    const { over: end } = outage;
    await Promise.race([end, clock.sleep(ms, timer.signal)]).catch(() => {});
    timer.abort();
    return outage === undefined;
  };

  const ask = <T>(question: (within: number) => Promise<T>, within: number): Promise<T> => {
    if (outage !== undefined) return askInOutage(question, within);
    const since = clock.monotonic();
    return question(within).catch((error: unknown) => {
      if (!(error instanceof ForumError)) throw error;
      lose(error, since, question);
      return error.kind === 'down'
        ? askInOutage(question, within - (clock.monotonic() - since), error)
        : Promise.reject(error);
    });
  };

  /** Waits for the end of a short outage and asks; refuses at once in a longer one. */
  const askInOutage = async <T>(
    question: (within: number) => Promise<T>,
    within: number,
    reason?: ForumError,
  ): Promise<T> => {
    const since = clock.monotonic();
    const patience = (outage?.since ?? 0) + BLIP - since;
    if (!(await over(Math.min(within, patience)))) throw reason ?? outage?.error ?? new ForumError('down', 'away');
    return question(within - (clock.monotonic() - since));
  };

  return {
    session: (id, within) => ask((left) => forum.session(id, left), within),
    account: (id, within) => ask((left) => forum.account(id, left), within),
    member: (id, within) => ask((left) => forum.member(id, left), within),
    sessionsOf: (memberId, within) => ask((left) => forum.sessionsOf(memberId, left), within),
    rules: (within) => ask((left) => forum.rules(left), within),
    page: (afterId, limit, within) => ask((left) => forum.page(afterId, limit, left), within),
    unusual: (within) => ask((left) => forum.unusual(left), within),
    highest: (within) => ask((left) => forum.highest(left), within),
    called: (name, within) => ask((left) => forum.called(name, left), within),
    close: () => forum.close(),
  };
}
