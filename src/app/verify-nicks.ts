import type { HeldRecord } from '../core/nick-record.ts';
import { addFailure, type NickSummary } from '../core/nick-summary.ts';
import type { NickLog, NickRegistry } from './ports/nicks.ts';

export type VerifyNicks = {
  readonly registry: NickRegistry;
  readonly memory: NickLog;
  /** An account name that nobody has. */
  readonly canary: string;
  readonly sample: number;
  readonly random: () => number;
};

/**
 * Tries to take a sample of registered nicknames for an account that does not exist. What it gets was not protected: that is
 * a failure, told in the summary, and given back to its owner at once. Resolves to how many were tried.
 */
export async function verifyNicks(options: VerifyNicks, summary: NickSummary): Promise<number> {
  const { registry, canary } = options;
  const chosen = sampleOf(options);
  for (const { id, nick, localpart } of chosen) {
    const outcome = await registry.register(nick, canary);
    if (outcome.kind === 'taken') continue;
    if (outcome.kind === 'done') {
      await registry.unregister(canary);
      await registry.register(nick, localpart);
    }
    const reason =
      outcome.kind === 'done'
        ? 'the nickname was free although it had been registered; it is registered again'
        : `could not be verified: ${outcome.reason}`;
    addFailure(summary, id, nick, reason);
  }
  return chosen.length;
}

/** Evenly drawn from what was ever confirmed (reservoir sampling), then only what still counts: two passes, small memory. */
function sampleOf({ memory, sample, random }: VerifyNicks): readonly HeldRecord[] {
  const drawn: HeldRecord[] = [];
  let seen = 0;
  for (const { record } of memory.records()) {
    if (record.kind !== 'held') continue;
    seen += 1;
    const at = seen <= sample * 2 ? drawn.length : Math.floor(random() * seen);
    if (at < sample * 2) drawn[at] = record;
  }
  const latest = new Map<number, HeldRecord | undefined>(drawn.map(({ id }) => [id, undefined]));
  for (const { record } of memory.records())
    if ('id' in record && latest.has(record.id)) latest.set(record.id, record.kind === 'held' ? record : undefined);
  return [...latest.values()].filter((record) => record !== undefined).slice(0, sample);
}
