import { hash53 } from '../core/hash53.ts';
import { localpartOf, nicknameOf } from '../core/member-name.ts';
import { createNickPlan, type NickPlan, type PlannedMember, type Step } from '../core/nick-plan.ts';
import type { HeldRecord, NickRecord } from '../core/nick-record.ts';
import { addFailure, type NickSummary } from '../core/nick-summary.ts';
import { createNickCalls } from './nick-calls.ts';
import { nameOthers, nameSquatters, tellNameProblem } from './nick-problems.ts';
import { type Leaving, type NickWork, registerAll, remember, removeAll, type Wanted } from './nick-work.ts';
import type { Clock } from './ports/clock.ts';
import type { Members } from './ports/forum.ts';
import type { Log } from './ports/log.ts';
import type { NickLog, NickRegistry } from './ports/nicks.ts';

export type SyncNicks = {
  readonly members: Members;
  readonly registry: NickRegistry;
  readonly memory: NickLog;
  readonly service: string;
  readonly domain: string;
  /** Random (core/hash53). */
  readonly seed: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** Register also what is registered already. */
  readonly full: boolean;
  /** Unregister those gone, renamed or deactivated. */
  readonly prune: boolean;
  /** Only these members, by name; empty: all. */
  readonly users: readonly string[];
  readonly concurrency: number;
  /** Given: nothing is done, each step is told instead. */
  readonly dryRun?: ((step: PlannedStep) => void) | undefined;
  /** Members looked at so far. */
  readonly progress?: ((done: number) => void) | undefined;
};

export type PlannedStep = {
  readonly do: 'register' | 'rename' | 'remove';
  readonly id: number;
  readonly username: string;
  readonly nick: string;
  readonly localpart: string;
};

type Run = NickWork & { readonly options: SyncNicks };

/**
 * Registers what must be registered (DESIGN 5). `summary` is filled while it goes, so that it is true also when the run
 * ends early. What must go goes first, page by page; a name that another still holds waits until all of that is done.
 * Rejects with SaxError: 69 when a server is away, 73 when nothing can be remembered, 77, 78.
 */
export async function syncNicks(options: SyncNicks, summary: NickSummary): Promise<void> {
  const { memory, members, registry, signal } = options;
  if (await nothingToDo(options, summary)) return;
  const plan = createNickPlan(options.seed, { full: options.full });
  const written = load(options, plan);
  const calls = createNickCalls({ concurrency: options.concurrency, clock: options.clock, signal });
  const digest = newDigest(options.seed);
  let done = 0;
  const step = (members: number): void => {
    done += members;
    options.progress?.(done);
  };
  const run: Run = { options, registry, memory, plan, calls, summary, waiting: [], squatted: [], step, written };
  try {
    if (options.users.length > 0) await takePage(run, await namedMembers(run));
    else {
      for await (const page of ahead(members.pages({ signal }))) {
        await takePage(run, page);
        digest.add(page);
      }
      if (options.prune) await removeUnseen(run);
    }
    if (options.dryRun === undefined) {
      if (options.prune) await removeStrays(run);
      await registerAll(run, run.waiting, true);
      calls.check();
      await nameSquatters(run, members);
    }
  } finally {
    await nameOthers(members, summary).catch(() => {});
  }
  if (options.dryRun !== undefined) return;
  const complete = options.prune && options.users.length === 0 && summary.conflicts + summary.failed === 0;
  await tidy(run, complete);
  if (complete) memory.append([{ kind: 'done', held: plan.size(), ...digest.value() }]);
}

type Digest = {
  add(page: readonly PlannedMember[]): void;
  value(): { readonly members: number; readonly seed: number; readonly digest: number };
};

/** One number for all members as they are now. The seed is random: nobody can choose a name that leaves it as it was. */
function newDigest(seed: number): Digest {
  let digest = 0;
  let members = 0;
  return {
    add(page) {
      members += page.length;
      for (const { id, username, active, banned } of page)
        digest = hash53(`${digest} ${id} ${active ? 1 : 0}${banned ? 1 : 0} ${username}`, seed);
    },
    value: () => ({ members, seed, digest }),
  };
}

/**
 * Most runs of cron: the members are what they were when all was done last. That is found out by reading them once, without
 * what is remembered of each. Where something is to be done they are read once more.
 */
async function nothingToDo(options: SyncNicks, summary: NickSummary): Promise<boolean> {
  const { memory, members, signal, service, domain } = options;
  if (options.full || !options.prune || options.users.length > 0 || options.dryRun !== undefined) return false;
  const { first, last } = memory.ends();
  if (last?.kind !== 'done' || first?.kind !== 'for' || first.service !== service || first.domain !== domain)
    return false;
  const digest = newDigest(last.seed);
  for await (const page of ahead(members.pages({ signal }))) {
    digest.add(page);
    options.progress?.(digest.value().members);
  }
  const now = digest.value();
  if (now.members !== last.members || now.digest !== last.digest) return false;
  summary.unchanged = last.held;
  return true;
}

/** Reads what earlier runs did; returns how many records that are. Those about another service or domain count for nothing. */
function load({ memory, service, domain, log, dryRun }: SyncNicks, plan: NickPlan): NickWork['written'] {
  let ours = false;
  let others = 0;
  let records = 0;
  for (const { record, position } of memory.records()) {
    records += 1;
    if (record.kind === 'for') ours = record.service === service && record.domain === domain;
    else if (ours) plan.remember(record, position);
    else others += 1;
  }
  if (others > 0)
    log.warn('state-of-another', `some of what is remembered is not about ${domain} at ${service}; passed over`, {
      others,
    });
  if (!ours && dryRun === undefined) memory.append([{ kind: 'for', service, domain }]);
  return { records, others };
}

/** One page of members: problems, then what must go, then what can come. */
async function takePage(run: Run, page: readonly PlannedMember[]): Promise<void> {
  const { options, plan, summary } = run;
  const leaving: Leaving[] = [];
  const coming: Wanted[] = [];
  for (const member of page) {
    const step = plan.next(member, options.memory.read);
    const { register, unregister: record } = step;
    if (step.unchanged) summary.unchanged += 1;
    if (step.problem !== undefined) tellNameProblem(summary, member, step.problem);
    if (record !== undefined) leaving.push({ record, member, register });
    if (register !== undefined) (register.wait ? run.waiting : coming).push({ member, register });
    if (options.dryRun !== undefined) tellStep(run, step, options.dryRun);
  }
  run.step(page.length - (options.dryRun === undefined ? coming.length : 0));
  if (options.dryRun !== undefined) return;
  if (options.prune) await removeAll(run, leaving);
  else keepStrays(run, leaving);
  await registerAll(run, coming, false);
}

/** Without --prune the old name of somebody who was renamed stays registered; a later run with it must find it. */
function keepStrays(run: Run, leaving: readonly Leaving[]): void {
  const left = leaving.filter(
    ({ record, register }) => register !== undefined && register.localpart !== record.localpart,
  );
  remember(
    run,
    left.map(({ record: { localpart, nick } }): NickRecord => ({ kind: 'stray', localpart, nick })),
  );
}

/** Members whom the forum no longer counts: deleted or deactivated. Only after all pages came. */
async function removeUnseen(run: Run): Promise<void> {
  const { options, plan, summary } = run;
  const leaving: Leaving[] = [];
  for (const position of plan.unseen()) {
    const record = options.memory.read(position);
    if (!isHeld(record)) continue;
    if (options.dryRun === undefined) leaving.push({ record, member: undefined, register: undefined });
    else {
      summary.removed += 1;
      const { id, nick, localpart } = record;
      options.dryRun({ do: 'remove', id, username: nick, nick, localpart });
    }
  }
  await removeAll(run, leaving);
}

const isHeld = (record: NickRecord | undefined): record is HeldRecord =>
  record?.kind === 'held' || record?.kind === 'asked';

async function removeStrays(run: Run): Promise<void> {
  const { plan, calls, summary, registry } = run;
  await calls.each([...plan.strays().keys()], async (localpart) => {
    // By now this account name may be somebody else's: what is registered for it is his.
    if ((plan.claimant(localpart) ?? plan.holder(localpart)) === undefined) {
      const outcome = await calls.call(() => registry.unregister(localpart));
      if (outcome.kind !== 'done') return;
      summary.removed += 1;
    }
    remember(run, [{ kind: 'stray-gone', localpart }]);
  });
}

/** The named members, and with them those who hold their names: of two with one name the older one comes first. */
async function namedMembers({ options, plan, summary }: Run): Promise<readonly PlannedMember[]> {
  const found = new Map<number, PlannedMember>();
  for (const name of options.users) {
    const member = await options.members.named(name);
    const username = member?.username ?? name;
    const names = { localpart: localpartOf(username) ?? '', nick: nicknameOf(username) ?? '' };
    const others = plan.holders(names).filter((id) => id !== member?.id);
    // Nobody is called that, and nobody was: else whoever has it registered was renamed or deleted, and is looked at.
    if (member === undefined && others.length === 0) addFailure(summary, null, name, 'no such member');
    if (member !== undefined) found.set(member.id, member);
    const standing = await options.members.standing(others);
    for (const id of others) found.set(id, standing.get(id) ?? { id, username: '', active: false, banned: false });
  }
  return [...found.values()].sort((a, b) => a.id - b.id);
}

/**
 * Replaces the file when two thirds of it are outdated: a first run leaves an intention and a result for each member. What is
 * about another domain goes when all went well: after a slip in the configuration it is ours again.
 */
async function tidy({ options, plan, written }: Run, complete: boolean): Promise<void> {
  const { memory, service, domain } = options;
  const foreign = complete && written.others > 0;
  if (!foreign && (written.records < 200 || plan.size() * 3 > written.records)) return;
  const counts = (record: NickRecord, position: number): boolean =>
    isHeld(record)
      ? plan.positionOf(record.id) === position
      : record.kind === 'stray' && plan.strays().has(record.localpart);
  await memory.rewrite(
    (function* () {
      yield { kind: 'for', service, domain } as const;
      for (const { record, position } of memory.records()) if (counts(record, position)) yield record;
    })(),
  );
}

function tellStep(
  { options, summary }: Run,
  { member, register, unregister }: Step,
  tell: (step: PlannedStep) => void,
): void {
  const { id, username } = member;
  if (register !== undefined) {
    const { nick, localpart, renamed } = register;
    summary[renamed ? 'renamed' : 'registered'] += 1;
    tell({ do: renamed ? 'rename' : 'register', id, username, nick, localpart });
  } else if (unregister !== undefined && options.prune) {
    summary.removed += 1;
    tell({ do: 'remove', id, username, nick: unregister.nick, localpart: unregister.localpart });
  }
}

/** The next page is fetched while one is worked on. */
async function* ahead<T>(pages: AsyncIterable<T>): AsyncGenerator<T> {
  const iterator = pages[Symbol.asyncIterator]();
  try {
    let next = iterator.next();
    for (;;) {
      const page = await next;
      if (page.done) return;
      next = iterator.next();
      next.catch(() => {});
      yield page.value;
    }
  } finally {
    await iterator.return?.();
  }
}
