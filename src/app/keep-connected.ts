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
  ping(deadlineMs?: number): Promise<void>;
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
  /** One attempt. Must settle soon after the signal is aborted. Rejects with EXIT.temporary when a twin took its place meanwhile. */
  readonly attempt: (target: T, signal: AbortSignal) => Promise<S>;
  /** Called for each connection; its work must end with the connection (`session.closed`) and must not throw. */
  readonly connected: (session: S, target: T) => void;
  /**
   * A silent connection is kept until another one stands, and taken back if it speaks first: a server that was frozen then hands over
   * all that was said. Told when it falls silent and when it speaks again. Without this a silent connection is given up.
   */
  readonly silent?: (session: S, silent: boolean) => void;
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

/** How often a silent peer is asked again. */
const SILENT_ASK_MS = 60_000;

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
  let silent: Silent<S> | undefined;
  while (!signal.aborted) {
    const { index, at } = nextTarget(rotation, clock.monotonic());
    const target = targets[index] as T;
    const next = await attemptOrBack(options, target, at, silent?.speaks);
    if (next === undefined || signal.aborted) {
      if (next !== undefined && 'session' in next) await next.session.close();
      break;
    }
    let tried: Tried = { index, where: options.describe(target) };
    let why: Disconnect;
    if ('why' in next) why = next.why;
    else {
      let standing: Standing<S>;
      if ('back' in next) {
        if (silent === undefined) continue;
        ({ standing } = silent);
        log.info('heard-again', `${name}: ${standing.where} speaks again`, { server: standing.where });
        options.silent?.(standing.session, false);
      } else {
        everConnected = true;
        standing = { ...tried, session: next.session, since: clock.monotonic() };
        if (silent !== undefined) {
          silent.standing.session.abandon({ kind: 'network', reason: 'silent, and replaced', permanent: false });
          // Whoever works with the old one hears of its end first.
          await slept(clock, 0, signal);
        }
        log.info('connected', `${name}: connected to ${tried.where}`, { server: tried.where });
        options.connected(standing.session, target);
      }
      silent = undefined;
      tried = standing;
      const end = await watched(options, standing.session);
      if (signal.aborted) {
        await standing.session.close();
        return;
      }
      ({ why } = end);
      if (end.silent) {
        silent = { standing, speaks: speaksAgain(standing.session, clock, signal) };
        options.silent?.(standing.session, true);
      }
      if (clock.monotonic() - standing.since >= (options.stableMs ?? 5_000))
        rotation = succeeded(rotation, tried.index);
    }
    if (why.kind === 'conflict')
      throw new SaxError(EXIT.temporary, `${name}: ${why.reason}`, { hint: 'is another one running?' });
    if (why.permanent && !everConnected) throw 'error' in next ? next.error : permanent(name, why);
    rotation = failed(rotation, tried.index, clock.monotonic(), random(), limits, options.penaltyMs?.(why));
    const retry = Math.max(0, nextTarget(rotation, clock.monotonic()).at - clock.monotonic());
    const level = why.permanent ? 'error' : 'warn';
    const server = tried.where;
    log[level]('disconnected', `${name}: ${server}: ${why.reason}; next attempt in ${(retry / 1000).toFixed(1)} s`, {
      server,
      kind: why.kind,
      retry_ms: Math.round(retry),
    });
    options.down?.(why.reason, retry);
  }
  await silent?.standing.session.close();
}

type Tried = { readonly index: number; readonly where: string };
type Standing<S> = Tried & { readonly session: S; readonly since: number };
type Silent<S> = { readonly standing: Standing<S>; readonly speaks: Promise<Back> };
type Back = { readonly back: true };

/**
 * Waits until the server may be tried, and tries it; if the silent connection speaks before that is done, the attempt is given up.
 * Undefined: the signal was aborted.
 */
async function attemptOrBack<T, S extends Connection>(
  options: KeepConnected<T, S>,
  target: T,
  at: number,
  speaks: Promise<Back> | undefined,
): Promise<Outcome<S> | Back | undefined> {
  const { clock, name, log } = options;
  const turn = new AbortController();
  const stop = (): void => turn.abort(options.signal.reason);
  options.signal.addEventListener('abort', stop, { once: true });
  const attempt = (async () => {
    const wait = at - clock.monotonic();
    if (wait > 0 && !(await slept(clock, wait, turn.signal))) return undefined;
    const where = options.describe(target);
    log.debug('connecting', `${name}: connecting to ${where}`, { server: where });
    return await attemptOnce({ ...options, signal: turn.signal }, target);
  })();
  try {
    const first = speaks === undefined ? await attempt : await Promise.race([attempt, speaks]);
    if (first === undefined || !('back' in first)) return first;
    turn.abort(new SaxError(EXIT.unavailable, 'the old connection speaks again'));
    const late = await attempt;
    if (late !== undefined && 'session' in late) await late.session.close();
    return first;
  } finally {
    options.signal.removeEventListener('abort', stop);
  }
}

/** Asks a silent peer until it answers; settles only then. */
function speaksAgain(session: Connection, clock: Clock, signal: AbortSignal): Promise<Back> {
  return new Promise((resolve) => {
    let over = false;
    void session.closed.then(() => {
      over = true;
    });
    void (async () => {
      while (!over && !signal.aborted) {
        try {
          await session.ping(SILENT_ASK_MS);
          if (!over) resolve({ back: true });
          return;
        } catch {
          await slept(clock, 1000, signal);
        }
      }
    })();
  });
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
  // A twin logged in while we did: it is the newer one.
  if (error instanceof SaxError && error.exit === EXIT.temporary)
    return { kind: 'conflict', reason: error.message, permanent: true };
  const permanent = error instanceof SaxError && (error.exit === EXIT.refused || error.exit === EXIT.config);
  return { kind: permanent ? 'refused' : 'network', reason: reasonOf(error), permanent };
}

/** Waits for the end of a connection, or for its silence, asking the peer every now and then whether it lives. */
async function watched<T, S extends Connection>(
  options: KeepConnected<T, S>,
  session: S,
): Promise<{ readonly why: Disconnect; readonly silent: boolean }> {
  const { clock, signal, name, pingMs = 15_000 } = options;
  const over = new AbortController();
  const stop = (): void => over.abort();
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  let tellSilence: (why: Disconnect) => void = () => {};
  const silence = new Promise<Disconnect>((resolve) => {
    tellSilence = resolve;
  });
  let unheard: Disconnect | undefined;
  const watchdog = (async () => {
    while (await slept(clock, pingMs, over.signal)) {
      try {
        await session.ping();
      } catch (error) {
        if (over.signal.aborted) return;
        const reason = `the peer is silent (${name}): ${reasonOf(error)}`;
        const why = { kind: 'network', reason, permanent: false } as const;
        if (options.silent === undefined) session.abandon(why);
        else {
          unheard = why;
          tellSilence(why);
        }
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
  const why = await Promise.race([session.closed, aborted, silence]);
  stop();
  signal.removeEventListener('abort', stop);
  await Promise.race([watchdog, session.closed, aborted]);
  return { why, silent: why === unheard };
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
