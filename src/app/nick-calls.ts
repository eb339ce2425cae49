import { EXIT, SaxError } from '../core/errors.ts';
import type { Clock } from './ports/clock.ts';
import type { NickOutcome } from './ports/nicks.ts';

/** Pauses before another attempt of a call that got no proper answer. None here: where many fail, a run would take hours. */
const RETRIES = [0];
/** The same for a server that is not there: a moment is waited for, an outage is not. */
const AWAY_RETRIES = [500, 2000];
/** So many failed calls with no good one in between are an outage, not bad luck. */
const HOPELESS = 30;
/** Who did not answer for so long, milliseconds, is not asked again at once. */
const LONG = 5000;

export type NickCalls = {
  /**
   * Asks again where that can help. Rejects with SaxError (69) when the service is away.
   * @param known this call failed before: many of them in a row are no news.
   */
  call(ask: () => Promise<NickOutcome>, known?: boolean): Promise<NickOutcome>;
  /** Throws SaxError (69) when there were calls and none of them was answered, however few they were. */
  check(): void;
  /** Works on all items, a few at once; when one rejects, waits for those under way and rejects likewise. */
  each<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void>;
};

/** How the registry is called: bounded concurrency, patience, and the difference between a failed call and an outage. */
export function createNickCalls(options: {
  readonly concurrency: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}): NickCalls {
  const { clock, signal } = options;
  let failures = 0;
  let answered = false;
  let silence: string | undefined;

  const unavailable = (what: string, reason: string): SaxError =>
    new SaxError(EXIT.unavailable, `ejabberd ${what}: ${reason}`, {
      hint: 'what was done is remembered; run again when it is back',
    });

  return {
    async call(ask, known = false) {
      for (let round = 0; ; round++) {
        signal.throwIfAborted();
        const began = clock.monotonic();
        const outcome = await ask();
        if (outcome.kind === 'failed' && outcome.silent) silence = outcome.reason;
        else if (outcome.kind !== 'away') answered = true;
        if (outcome.kind !== 'failed' && outcome.kind !== 'away') {
          failures = 0;
          return outcome;
        }
        const pause = (outcome.kind === 'away' ? AWAY_RETRIES : RETRIES)[round];
        if (pause !== undefined && clock.monotonic() - began < LONG) {
          if (pause > 0) await clock.sleep(pause, signal);
          continue;
        }
        failures += 1;
        if (outcome.kind === 'away') throw unavailable('is not there', outcome.reason);
        if (failures >= HOPELESS && !known)
          throw unavailable(`fails every call (${failures} in a row)`, outcome.reason);
        return outcome;
      }
    },
    check() {
      if (!answered && silence !== undefined) throw unavailable('does not answer', silence);
    },
    async each(items, work) {
      const queue = items.values();
      let broken: { readonly error: unknown } | undefined;
      const worker = async (): Promise<void> => {
        for (const item of queue) {
          if (broken !== undefined) return;
          await work(item).catch((error: unknown) => {
            broken ??= { error };
          });
        }
      };
      await Promise.all(Array.from({ length: Math.min(options.concurrency, items.length) }, worker));
      if (broken !== undefined) throw (broken as { error: unknown }).error;
    },
  };
}
