import { BACKOFF, type BackoffOptions } from '../core/backoff.ts';
import { EXIT, reasonOf, SaxError } from '../core/errors.ts';
import { failed, newRotation, nextTarget, succeeded } from '../core/rotation.ts';
import type { Disconnect } from './ports/chat.ts';
import type { Clock } from './ports/clock.ts';
import type { Log } from './ports/log.ts';

/** What the loop must be able to do with any connection, XMPP or IRC. */
export type Connection = {
  /** Settles once, never rejects. */
  readonly closed: Promise<Disconnect>;
  /** Rejects when the peer did not answer in time. */
  ping(): Promise<void>;
  /** Ends it properly, soon. */
  close(): Promise<void>;
  /** Gives it up at once. */
  abandon(why: Disconnect): void;
};

export type KeepConnected<T, S extends Connection> = {
  /** For logs: `xmpp`, `irc`. */
  readonly name: string;
  /** Servers in the operator's order; the loop takes the next one when one fails. */
  readonly targets: readonly T[];
  readonly describe: (target: T) => string;
  /** One attempt. Must settle soon after the signal is aborted. */
  readonly attempt: (target: T, signal: AbortSignal) => Promise<S>;
  /** Called for each connection; its work must end with the connection (`session.closed`) and must not throw. */
  readonly connected: (session: S, target: T) => void;
  /** Called after each end of a connection or failed attempt, for status and metrics. */
  readonly down?: (reason: string, retryInMs: number) => void;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly backoff?: BackoffOptions;
  /** Each attempt ends within this time. */
  readonly deadlineMs?: number;
  /** A ping is sent this often; a peer that misses one is given up. */
  readonly pingMs?: number;
  /** A connection that held this long has earned a reset of its server's backoff. */
  readonly stableMs?: number;
  /** How long to leave a server alone because of what it said (K-line, throttle). 0 or undefined: the backoff. */
  readonly penaltyMs?: (why: Disconnect) => number | undefined;
};

/**
 * The one reconnection loop. Resolves when `signal` is aborted (the connection is closed properly first); rejects with a
 * SaxError when going on is pointless: conflict with a twin (EXIT.temporary), or refused (EXIT.refused, EXIT.config) before
 * any login of this run worked. A refusal later is a server in trouble more often than a changed password (ejabberd answers
 * "not-authorized" while its authentication is down), so then it goes on trying and says so each time.
 */
export async function keepConnected<T, S extends Connection>(options: KeepConnected<T, S>): Promise<void> {
  const { name, targets, clock, log, signal, random } = options;
  const limits = options.backoff ?? BACKOFF;
  let rotation = newRotation(targets.length);
  let everConnected = false;
  while (!signal.aborted) {
    const { index, at } = nextTarget(rotation, clock.monotonic());
    const wait = at - clock.monotonic();
    if (wait > 0 && !(await slept(clock, wait, signal))) return;
    const target = targets[index] as T;
    const where = options.describe(target);
    log.debug('connecting', `${name}: connecting to ${where}`, { server: where });
    const outcome = await attemptOnce(options, target);
    let why: Disconnect;
    if ('session' in outcome) {
      everConnected = true;
      const since = clock.monotonic();
      log.info('connected', `${name}: connected to ${where}`, { server: where });
      const { session } = outcome;
      options.connected(session, target);
      why = await watched(options, session);
      if (signal.aborted) {
        await session.close();
        return;
      }
      if (clock.monotonic() - since >= (options.stableMs ?? 5_000)) rotation = succeeded(rotation, index);
    } else why = outcome.why;
    if (signal.aborted) return;
    if (why.kind === 'conflict')
      throw new SaxError(EXIT.temporary, `${name}: ${why.reason}`, { hint: 'is another one running?' });
    if (why.permanent && !everConnected) throw 'error' in outcome ? outcome.error : permanent(name, why);
    rotation = failed(rotation, index, clock.monotonic(), random(), limits, options.penaltyMs?.(why));
    const retry = Math.max(0, nextTarget(rotation, clock.monotonic()).at - clock.monotonic());
    const level = why.permanent ? 'error' : 'warn';
    log[level]('disconnected', `${name}: ${where}: ${why.reason}; next attempt in ${(retry / 1000).toFixed(1)} s`, {
      server: where,
      kind: why.kind,
      retry_ms: Math.round(retry),
    });
    options.down?.(why.reason, retry);
  }
}

type Outcome<S> = { readonly session: S } | { readonly why: Disconnect; readonly error: unknown };

async function attemptOnce<T, S extends Connection>(options: KeepConnected<T, S>, target: T): Promise<Outcome<S>> {
  const { clock, signal, deadlineMs = 30_000 } = options;
  const attempt = new AbortController();
  const timer = new AbortController();
  const stop = (): void => attempt.abort(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  const late = clock.sleep(deadlineMs, timer.signal).then(
    () => attempt.abort(new SaxError(EXIT.unavailable, `no connection within ${deadlineMs / 1000} s`)),
    () => {},
  );
  try {
    return { session: await options.attempt(target, attempt.signal) };
  } catch (error) {
    return { why: whyFailed(error), error };
  } finally {
    signal.removeEventListener('abort', stop);
    timer.abort();
    await late;
  }
}

function whyFailed(error: unknown): Disconnect {
  const permanent = error instanceof SaxError && (error.exit === EXIT.refused || error.exit === EXIT.config);
  return { kind: permanent ? 'refused' : 'network', reason: reasonOf(error), permanent };
}

/** Waits for the end of a connection, asking the peer every now and then whether it lives. */
async function watched<T, S extends Connection>(options: KeepConnected<T, S>, session: S): Promise<Disconnect> {
  const { clock, signal, name, pingMs = 15_000 } = options;
  const over = new AbortController();
  const stop = (): void => over.abort();
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  const watchdog = (async () => {
    while (await slept(clock, pingMs, over.signal)) {
      try {
        await session.ping();
      } catch (error) {
        if (!over.signal.aborted)
          session.abandon({
            kind: 'network',
            reason: `the peer is silent (${name}): ${reasonOf(error)}`,
            permanent: false,
          });
        return;
      }
    }
  })();
  const aborted = new Promise<Disconnect>((resolve) => {
    over.signal.addEventListener('abort', () => resolve({ kind: 'closed', reason: 'stopping', permanent: false }), {
      once: true,
    });
    if (over.signal.aborted) resolve({ kind: 'closed', reason: 'stopping', permanent: false });
  });
  const why = await Promise.race([session.closed, aborted]);
  stop();
  signal.removeEventListener('abort', stop);
  await Promise.race([watchdog, session.closed, aborted]);
  return why;
}

function permanent(name: string, why: Disconnect): SaxError {
  return new SaxError(EXIT.refused, `${name}: ${why.reason}`, { hint: 'check account and password' });
}

/** False when the signal was aborted before the time was over. */
async function slept(clock: Clock, ms: number, signal: AbortSignal): Promise<boolean> {
  try {
    await clock.sleep(ms, signal);
    return !signal.aborted;
  } catch {
    return false;
  }
}
