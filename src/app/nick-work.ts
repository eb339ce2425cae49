import type { Names, NickPlan, PlannedMember, Registration } from '../core/nick-plan.ts';
import type { HeldRecord, NickRecord } from '../core/nick-record.ts';
import { addFailure, type NickSummary } from '../core/nick-summary.ts';
import type { NickCalls } from './nick-calls.ts';
import { type Squatted, tellTaken } from './nick-problems.ts';
import type { NickLog, NickOutcome, NickRegistry } from './ports/nicks.ts';

export type Wanted = { readonly member: PlannedMember; readonly register: Registration };

export type Leaving = {
  readonly record: HeldRecord;
  readonly member: PlannedMember | undefined;
  /** The new name of a renamed member; undefined: nothing follows, he counts as removed. */
  readonly register: Registration | undefined;
};

/** What one run of sync-nicks works with. */
export type NickWork = {
  readonly registry: NickRegistry;
  readonly memory: NickLog;
  readonly plan: NickPlan;
  readonly calls: NickCalls;
  readonly summary: NickSummary;
  /** Whose name is still held by another: for the end, when all that must go is gone. */
  readonly waiting: Wanted[];
  readonly squatted: Squatted[];
  /** So many more members are done with, for the progress bar. */
  readonly step: (members: number) => void;
  /** How many records the file holds by now, and how many of them it held about another service or domain. */
  readonly written: { records: number; readonly others: number };
};

/** Calls that are remembered together: few enough to be repeated after a crash, many enough that a sync to disk is nothing. */
const BATCH = 1000;

function* batches<T>(items: readonly T[]): Generator<readonly T[]> {
  for (let at = 0; at < items.length; at += BATCH) yield items.slice(at, at + BATCH);
}

/** Writes records down and plans on with them. */
export function remember(
  { memory, plan, written }: NickWork,
  records: readonly NickRecord[],
  when: 'now' | 'later' = 'now',
): void {
  if (records.length === 0) return;
  written.records += records.length;
  const positions = memory.append(records, when);
  records.forEach((record, index) => {
    plan.remember(record, positions[index] ?? 0, true);
  });
}

/** Two runs that died half-way may have left one account with two members: it stays with whom it is for now. */
const isTheirs = ({ plan }: NickWork, { id, localpart }: HeldRecord): boolean =>
  (plan.claimant(localpart) ?? plan.holder(localpart) ?? id) === id;

/** Unregisters, and forgets what is gone. */
export async function removeAll(work: NickWork, leaving: readonly Leaving[]): Promise<void> {
  const { registry, calls, summary } = work;
  for (const batch of batches(leaving)) {
    // From now on it may be gone: should we die before we know, the next run must not believe that it is there.
    remember(
      work,
      batch.filter(({ record }) => isTheirs(work, record)).map(({ record }) => ({ ...record, kind: 'asked' })),
    );
    const gone: NickRecord[] = [];
    try {
      await calls.each(batch, async ({ record, member, register }) => {
        const outcome: NickOutcome = isTheirs(work, record)
          ? await calls.call(() => registry.unregister(record.localpart))
          : { kind: 'done' };
        if (outcome.kind === 'done') {
          gone.push({ kind: 'gone', id: record.id });
          if (register === undefined) summary.removed += 1;
        } else
          addFailure(
            summary,
            record.id,
            member?.username ?? record.nick,
            `cannot unregister: ${outcome.kind === 'taken' ? 'taken' : outcome.reason}`,
          );
      });
    } finally {
      // Without it the next run asks once more; a sync to disk holds up everything, and the next intention brings one.
      remember(work, gone, 'later');
    }
  }
}

/**
 * Registers. Before the calls of a batch their intention is remembered, and durable; after them the results: whenever the
 * process or the machine dies, the next run knows of every nickname that may be registered.
 * @param last nobody gives anything up any more, and nothing is tried again: what fails now is told.
 */
export async function registerAll(work: NickWork, wanted: readonly Wanted[], last: boolean): Promise<void> {
  const { registry, calls, summary } = work;
  for (const batch of batches(wanted)) {
    const intended = batch.map(({ member, register }) => recordOf('asked', member.id, register));
    remember(work, intended);
    const results: NickRecord[] = [];
    try {
      await calls.each(batch, async (one) => {
        const { member, register } = one;
        const outcome = await calls.call(() => registry.register(register.nick, register.localpart), last);
        if (!last) work.step(1);
        if (outcome.kind === 'done') {
          results.push(recordOf('held', member.id, register));
          summary[register.renamed ? 'renamed' : 'registered'] += 1;
        } else if (!last && outcome.kind !== 'refused') {
          // Given up by another until then, or ejabberd's bad moment over: once more at the end.
          work.waiting.push(one);
        } else if (outcome.kind === 'taken') tellTaken(work, one);
        else addFailure(summary, member.id, member.username, `cannot register: ${outcome.reason}`);
      });
    } finally {
      remember(work, results, 'later');
    }
  }
}

const recordOf = (kind: 'asked' | 'held', id: number, { localpart, nick }: Names): HeldRecord => ({
  kind,
  id,
  localpart,
  nick,
});
