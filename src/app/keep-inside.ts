import { backoff } from '../core/backoff.ts';
import { reasonOf } from '../core/errors.ts';
import { Refusal } from '../core/refusal.ts';
import type { Disconnect } from './ports/chat.ts';
import type { Clock } from './ports/clock.ts';
import type { Log, LogFields } from './ports/log.ts';

/** A room or a channel that we are in. */
export type Stay = {
  /** For the log line. */
  readonly as: string;
  readonly fields: LogFields;
  /** Begins: saying and asking make sense from now on. Must not throw or wait. */
  readonly begin: () => void;
  /** Settles when we are out. */
  readonly until: (signal: AbortSignal) => Promise<Disconnect>;
};

export type KeepInside = {
  readonly session: { readonly closed: Promise<unknown> };
  /** The room or channel. */
  readonly where: string;
  /** What it is called in log lines. */
  readonly kind: 'room' | 'channel';
  /** One attempt to get in; a rejection says why not. */
  readonly enter: (signal: AbortSignal) => Promise<Stay>;
  /** We are not in any more, or could not get in. Called once per outage and for each failed attempt. */
  readonly out: (why: Disconnect) => void;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
};

/** How long a stay counts as peaceful: after it the next removal is answered as quickly as the first. */
const PEACE_MS = 60_000;
/** Who threw us out wants us to think about it: 2 s, then twice as long each time, up to a minute. */
const PATIENCE = { minMs: 2000, maxMs: 60_000, jitter: 0.2 };

/**
 * Keeps us in one room or channel for as long as the session lives, with patience, and with one log line for each new reason why we
 * are not in. Resolves when the session closed.
 */
export async function keepInside(options: KeepInside): Promise<void> {
  const { session, where, kind, clock, log, random } = options;
  const over = new AbortController();
  const ended = session.closed.then(() => over.abort());
  let failures = 0;
  let told = '';
  while (!over.signal.aborted) {
    let why: Disconnect;
    try {
      const stay = await options.enter(over.signal);
      told = '';
      const since = clock.monotonic();
      log.info('joined', `joined ${where} ${stay.as}`, { [kind]: where, ...stay.fields });
      stay.begin();
      why = await stay.until(over.signal);
      if (clock.monotonic() - since >= PEACE_MS) failures = 0;
    } catch (error) {
      why = { kind: error instanceof Refusal ? 'refused' : 'server', reason: reasonOf(error), permanent: false };
    }
    options.out(why);
    if (over.signal.aborted) break;
    failures += 1;
    const wait = backoff(failures, random(), PATIENCE);
    // The same refusal every minute for a night is one line, not 500.
    if (why.reason !== told)
      log.warn('left', `not in ${where}: ${why.reason}; trying again`, { [kind]: where, retry_ms: wait });
    told = why.reason;
    await clock.sleep(wait, over.signal).catch(() => {});
  }
  await ended;
}
