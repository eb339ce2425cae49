import type { Member, Members } from '../../src/app/ports/forum.ts';
import type { NickLog, NickOutcome, NickRegistry } from '../../src/app/ports/nicks.ts';
import type { NickRecord } from '../../src/core/nick-record.ts';

/** A MUC service's registry as ejabberd keeps it: one nickname a JID, replaced in silence; a nickname has one owner. */
export function fakeRegistry(): NickRegistry & {
  readonly nicks: Map<string, string>;
  /** Called before each call; may throw (the process dies) or give another outcome. */
  before: (call: string) => Extract<NickOutcome, { kind: 'failed' | 'away' }> | undefined;
  calls: number;
  /** Whether it tells who owns a nickname. */
  telling: boolean;
} {
  const nicks = new Map<string, string>();
  const registry = {
    concurrency: 3,
    nicks,
    calls: 0,
    telling: false,
    owners: async (): Promise<ReadonlyMap<string, string> | undefined> =>
      registry.telling ? new Map([...nicks].map(([localpart, nick]) => [nick, `${localpart}@test`])) : undefined,
    before: (_call: string): Extract<NickOutcome, { kind: 'failed' | 'away' }> | undefined => undefined,
    async register(nick: string, localpart: string) {
      registry.calls += 1;
      const instead = registry.before(`register ${nick} ${localpart}`);
      if (instead !== undefined) return instead;
      for (const [owner, held] of nicks) if (held === nick && owner !== localpart) return { kind: 'taken' as const };
      nicks.set(localpart, nick);
      return { kind: 'done' as const };
    },
    async unregister(localpart: string) {
      registry.calls += 1;
      const instead = registry.before(`unregister ${localpart}`);
      if (instead !== undefined) return instead;
      nicks.delete(localpart);
      return { kind: 'done' as const };
    },
    close() {},
  };
  return registry;
}

/** A forum in memory. */
export function fakeMembers(members: readonly Member[], pageSize = 3): Members {
  const sorted = [...members].sort((a, b) => a.id - b.id);
  return {
    async *pages() {
      const active = sorted.filter((member) => member.active);
      for (let at = 0; at < active.length; at += pageSize) yield active.slice(at, at + pageSize);
    },
    async count() {
      return sorted.filter((member) => member.active).length;
    },
    async named(name) {
      return sorted.find((member) => member.username === name);
    },
    async standing(ids) {
      const found = sorted.filter(({ id }) => ids.includes(id));
      return new Map(found.map((member) => [member.id, { ...member, loggedIn: true, keptUntil: 0 }]));
    },
    async close() {},
  };
}

/** The memory of sync-nicks without a disk; `records` is what a crash leaves. */
export function fakeNickLog(kept: NickRecord[] = []): NickLog & { readonly kept: NickRecord[]; before: () => void } {
  const log = {
    kept,
    before: (): void => {},
    records: () => kept.map((record, position) => ({ record, position })),
    read: (position: number) => kept[position],
    ends: () => ({ first: kept[0], last: kept.at(-1) }),
    append(records: readonly NickRecord[]) {
      log.before();
      const first = kept.length;
      kept.push(...records);
      return records.map((_, index) => first + index);
    },
    async rewrite(records: Iterable<NickRecord>) {
      log.before();
      kept.splice(0, kept.length, ...records);
    },
    close() {},
  };
  return log;
}
