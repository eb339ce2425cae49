import { reasonOf } from '../core/errors.ts';
import { parseSpool, type SpoolRecord } from '../core/spool.ts';
import type { Intake } from './intake.ts';
import type { Submission } from './outbox.ts';
import type { Clock } from './ports/clock.ts';
import type { Spool } from './ports/datagram.ts';
import type { Log } from './ports/log.ts';

const SOURCE = 'spool';
const EVERY_MS = 250;

/**
 * Brings the spool into the outbox, in order and once. saxSay writes to the spool for as long as it holds something, so what stands in
 * it is younger than what the socket held when it was taken, and older than what the socket gets after it was removed. How far a
 * file was read is remembered with its entries: after a crash it is read again and what is known is skipped.
 */
export async function sweepSpool(options: {
  readonly spool: Spool;
  readonly intake: Pick<Intake, 'add' | 'drained'>;
  /** Undefined when a record says nothing that can be said. */
  readonly read: (record: SpoolRecord) => Submission | undefined;
  readonly cursor: (source: string) => string | undefined;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { spool, intake, clock, log, signal } = options;
  let told = '';
  while (!signal.aborted) {
    try {
      const swept = await sweepOne();
      told = '';
      if (swept) continue;
    } catch (error) {
      if (reasonOf(error) !== told && !signal.aborted)
        log.warn('spool-failed', `the spool cannot be read: ${reasonOf(error)}`);
      told = reasonOf(error);
    }
    await clock.sleep(EVERY_MS, signal).catch(() => undefined);
  }

  async function sweepOne(): Promise<boolean> {
    const file = await spool.take(signal);
    if (file === undefined) return false;
    let finished = false;
    try {
      await orStopped(intake.drained(), signal);
      if (signal.aborted) return false;
      const { records, damaged } = parseSpool(file.bytes);
      const known = records.findLastIndex(({ id }) => id === options.cursor(SOURCE));
      const submissions = records.slice(known + 1).flatMap((record) => {
        const submission = options.read(record);
        return submission === undefined ? [] : [{ ...submission, origin: { cursor: [SOURCE, record.id] as const } }];
      });
      if (submissions.length > 0) await orStopped(intake.add(submissions), signal);
      if (signal.aborted) return false;
      await file.finish();
      finished = true;
      log.debug('spool', `${submissions.length} announcements from the spool`, { count: submissions.length, damaged });
      if (damaged > 0)
        log.warn('spool-damaged', `${damaged} records of the spool were half-written and are left out`, { damaged });
      return true;
    } finally {
      if (!finished) file.release();
    }
  }
}

/** A stop does not wait for a disk that takes nothing. */
async function orStopped(work: Promise<void>, signal: AbortSignal): Promise<void> {
  let stop = (): void => undefined;
  const stopped = new Promise<void>((resolve) => {
    stop = resolve;
  });
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  await Promise.race([work, stopped]).finally(() => signal.removeEventListener('abort', stop));
}
