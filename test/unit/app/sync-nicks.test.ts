import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Member } from '../../../src/app/ports/forum.ts';
import { type PlannedStep, type SyncNicks, syncNicks } from '../../../src/app/sync-nicks.ts';
import { EXIT, SaxError } from '../../../src/core/errors.ts';
import { localpartOf, nicknameOf } from '../../../src/core/member-name.ts';
import type { NickRecord } from '../../../src/core/nick-record.ts';
import { type NickSummary, newSummary, problemLine, summaryLine } from '../../../src/core/nick-summary.ts';
import { fakeLog } from '../../helpers/fake-log.ts';
import { fakeMembers, fakeNickLog, fakeRegistry } from '../../helpers/fake-nicks.ts';

const DEAD = new Error('killed');

type World = {
  registry: ReturnType<typeof fakeRegistry>;
  kept: NickRecord[];
};

const newWorld = (): World => ({ registry: fakeRegistry(), kept: [] });

const member = (id: number, username: string, more: Partial<Member> = {}): Member => ({
  id,
  username,
  active: true,
  banned: false,
  ...more,
});

/** One run over a forum; `dieAt`: the process is killed before that call or write. */
async function run(
  { registry, kept }: World,
  forum: readonly Member[],
  more: Partial<SyncNicks> & { dieAt?: number } = {},
): Promise<NickSummary> {
  const { dieAt = Number.POSITIVE_INFINITY, ...options } = more;
  const memory = fakeNickLog(kept);
  let happened = 0;
  const maybeDie = (): void => {
    happened += 1;
    if (happened >= dieAt) throw DEAD;
  };
  memory.before = maybeDie;
  const before = registry.before;
  registry.before = (call) => {
    maybeDie();
    return before(call);
  };
  const summary = newSummary();
  try {
    await syncNicks(
      {
        members: fakeMembers(forum),
        registry,
        memory,
        service: 'conference.test',
        domain: 'test',
        seed: 7,
        clock: { now: () => 0, monotonic: () => 0, sleep: async () => {} },
        log: fakeLog(),
        signal: new AbortController().signal,
        full: false,
        prune: true,
        users: [],
        concurrency: 3,
        ...options,
      },
      summary,
    );
  } finally {
    registry.before = before;
  }
  return summary;
}

/** What must be registered for a forum: of two with one name the lowest id owns it. */
function wanted(forum: readonly Member[]): Map<string, string> {
  const accounts = new Map<string, number>();
  const nicks = new Map<string, string>();
  for (const { id, username, active, banned } of [...forum].sort((a, b) => a.id - b.id)) {
    const localpart = localpartOf(username);
    const nick = nicknameOf(username);
    if (!active || localpart === undefined || nick === undefined) continue;
    if (accounts.has(localpart)) continue;
    accounts.set(localpart, id);
    if (!banned) nicks.set(localpart, nick);
  }
  return nicks;
}

const counts = ({ problems, ...rest }: NickSummary) => rest;
const none = { registered: 0, unchanged: 0, renamed: 0, removed: 0, conflicts: 0, failed: 0 };

describe('sync-nicks', () => {
  test('registers, then has nothing to do', async () => {
    const world = newWorld();
    const forum = [member(2, 'Tari'), member(3, 'Tom &amp; Jerry'), member(4, 'Off', { active: false })];
    expect(counts(await run(world, forum))).toEqual({ ...none, registered: 2 });
    expect(Object.fromEntries(world.registry.nicks)).toEqual({ tari: 'Tari', 'tom\\20\\26\\20jerry': 'Tom & Jerry' });
    const before = world.registry.calls;
    expect(counts(await run(world, forum))).toEqual({ ...none, unchanged: 2 });
    expect(world.registry.calls).toBe(before);
  });

  test('a run with nothing to do does not even read what it remembers; one with something to do does', async () => {
    const world = newWorld();
    const forum = [member(2, 'Tari'), member(3, 'Mary', { banned: true }), member(4, 'Bob')];
    await run(world, forum);
    const [last] = world.kept.slice(-1);
    expect(last).toMatchObject({ kind: 'done', members: 3, held: 2 });
    const spoiled = world.kept.map(
      (record): NickRecord => (record.kind === 'held' ? { ...record, nick: 'x' } : record),
    );
    expect(counts(await run({ ...world, kept: spoiled }, forum))).toEqual({ ...none, unchanged: 2 });
    const unbanned = forum.map((one) => ({ ...one, banned: false }));
    expect(counts(await run(world, unbanned))).toEqual({ ...none, unchanged: 2, registered: 1 });
    expect(counts(await run(world, unbanned))).toEqual({ ...none, unchanged: 3 });
    expect(counts(await run(world, [member(2, 'tari'), ...unbanned.slice(1)]))).toMatchObject({ renamed: 1 });
    expect(counts(await run(world, unbanned.slice(0, 2)))).toEqual({ ...none, unchanged: 1, renamed: 1, removed: 1 });
  });

  test('progress is told call by call, not page by page: with ejabberdctl a page takes minutes', async () => {
    const world = newWorld();
    const forum = Array.from({ length: 20 }, (_, index) => member(index + 2, `m${index}`));
    const told: number[] = [];
    await run(world, forum, { progress: (done) => told.push(done) });
    expect(told).toEqual([...told].sort((a, b) => a - b));
    expect(new Set(told).size).toBeGreaterThanOrEqual(20);
    expect(told.at(-1)).toBe(20);
    const again: number[] = [];
    await run(world, [...forum, member(90, 'new')], { progress: (done) => again.push(done) });
    expect(again.at(-1)).toBe(21);
  });

  test('--full registers again and still prunes', async () => {
    const world = newWorld();
    await run(world, [member(2, 'Tari'), member(3, 'Gone')]);
    world.registry.nicks.delete('tari');
    expect(counts(await run(world, [member(2, 'Tari')], { full: true }))).toEqual({
      ...none,
      registered: 1,
      removed: 1,
    });
    expect(Object.fromEntries(world.registry.nicks)).toEqual({ tari: 'Tari' });
  });

  test('a rename in case only leaves no gap: nothing is unregistered', async () => {
    const world = newWorld();
    await run(world, [member(2, 'tari')]);
    const calls: string[] = [];
    world.registry.before = (call) => void calls.push(call);
    expect(counts(await run(world, [member(2, 'Tari')]))).toEqual({ ...none, renamed: 1 });
    expect(calls).toEqual(['register Tari tari']);
  });

  test('two members swap their names', async () => {
    const world = newWorld();
    await run(world, [member(2, 'a'), member(9, 'b')]);
    expect(counts(await run(world, [member(2, 'b'), member(9, 'a')]))).toEqual({ ...none, renamed: 2 });
    expect(Object.fromEntries(world.registry.nicks)).toEqual({ b: 'b', a: 'a' });
  });

  test('a name given up by a late member goes to an early one', async () => {
    const world = newWorld();
    const many = Array.from({ length: 9 }, (_, index) => member(index + 10, `m${index}`));
    await run(world, [member(2, 'old'), ...many, member(90, 'Wanted')]);
    expect(counts(await run(world, [member(2, 'Wanted'), ...many]))).toEqual({
      ...none,
      unchanged: 9,
      renamed: 1,
      removed: 1,
    });
    expect(world.registry.nicks.get('wanted')).toBe('Wanted');
  });

  test('deactivated, banned and deleted are unregistered; with --no-prune they stay', async () => {
    const world = newWorld();
    await run(world, [member(2, 'a'), member(3, 'b'), member(4, 'c')]);
    const now = [member(2, 'a', { active: false }), member(3, 'b', { banned: true })];
    expect(counts(await run(world, now, { prune: false }))).toEqual(none);
    expect(world.registry.nicks.size).toBe(3);
    expect(counts(await run(world, now))).toEqual({ ...none, removed: 3 });
    expect(world.registry.nicks.size).toBe(0);
  });

  test('what --no-prune left of a renamed member is found by a later run', async () => {
    const world = newWorld();
    await run(world, [member(2, 'old')]);
    expect(counts(await run(world, [member(2, 'new')], { prune: false }))).toEqual({ ...none, renamed: 1 });
    expect([...world.registry.nicks.values()]).toEqual(['old', 'new']);
    expect(counts(await run(world, [member(2, 'new')]))).toEqual({ ...none, unchanged: 1, removed: 1 });
    expect([...world.registry.nicks.values()]).toEqual(['new']);
  });

  test('two members with one account name: the older owns it, both are named', async () => {
    const world = newWorld();
    const summary = await run(world, [member(5, 'x1'), member(17, 'x¹')]);
    expect(summaryLine(summary)).toBe('registered 1, unchanged 0, renamed 0, removed 0, conflicts 1, failed 0');
    expect(summary.problems.map(problemLine)).toEqual([
      'conflict: "x¹" (id 17): has the same account name ("x1") as an older member: that is "x1" (id 5)',
    ]);
    expect([...world.registry.nicks.values()]).toEqual(['x1']);
  });

  test('a squatted nickname is a conflict with somebody unknown', async () => {
    const world = newWorld();
    world.registry.nicks.set('evil', 'Tari');
    const summary = await run(world, [member(2, 'Tari')]);
    expect(counts(summary)).toEqual({ ...none, conflicts: 1 });
    expect(summary.problems[0]?.other).toBeNull();
    world.registry.nicks.delete('evil');
    expect(counts(await run(world, [member(2, 'Tari')]))).toEqual({ ...none, registered: 1 });
  });

  test('whoever squats a nickname is named, where the server tells', async () => {
    const world = newWorld();
    world.registry.telling = true;
    world.registry.nicks.set('evil', 'Tari').set('mallory', 'Mary');
    // A member took it in-band, and is banned now: nothing is registered for him by us.
    const forum = [member(2, 'Tari'), member(3, 'Mary'), member(9, 'mallory', { banned: true })];
    const summary = await run(world, forum);
    expect(summary.problems.map(problemLine)).toEqual([
      'conflict: "Tari" (id 2): the nickname "Tari" is registered for evil@test, and not by sync-nicks (squatted?)',
      'conflict: "Mary" (id 3): the nickname "Mary" is registered for mallory@test, and not by sync-nicks (squatted?): that is "mallory" (id 9)',
    ]);
  });

  test('a nickname that --no-prune left with another is a conflict with him', async () => {
    const world = newWorld();
    await run(world, [member(2, 'Tari')]);
    const now = [member(2, 'Tari', { active: false }), member(3, 'Tari')];
    const summary = await run(world, now, { prune: false });
    // The account name is the same, so registering again is no conflict for the service: it is the same JID.
    expect(counts(summary)).toEqual({ ...none, registered: 1 });
    expect([...world.registry.nicks]).toEqual([['tari', 'Tari']]);
  });

  test('names that the chat cannot carry are failures with a reason', async () => {
    const summary = await run(newWorld(), [member(2, '🙂'), member(3, ' lead'), member(4, 'ok')]);
    expect(counts(summary)).toEqual({ ...none, registered: 1, failed: 2 });
    expect(summary.problems.map(({ reason }) => reason)).toEqual([
      'the name cannot be an account name of XMPP, so this member cannot log in',
      'the name cannot be an account name of XMPP, so this member cannot log in',
    ]);
  });

  test('a call that fails for good is counted, and tried again by the next run', async () => {
    const world = newWorld();
    world.registry.before = (call) => (call.includes('odd') ? { kind: 'failed', reason: '500: oops' } : undefined);
    const forum = [member(2, 'odd1'), member(3, 'even2'), member(4, 'odd3'), member(5, 'even4')];
    const summary = await run(world, forum);
    expect(counts(summary)).toEqual({ ...none, registered: 2, failed: 2 });
    expect(summary.problems.map(({ reason }) => reason)).toEqual(Array(2).fill('cannot register: 500: oops'));
    world.registry.before = () => undefined;
    expect(counts(await run(world, forum))).toEqual({ ...none, registered: 2, unchanged: 2 });
  });

  test('half of many calls failing for good is no outage', async () => {
    const world = newWorld();
    const bad = (call: string) => /m\d*[13579] /.test(call);
    world.registry.before = (call) => (bad(call) ? { kind: 'failed', reason: '500' } : undefined);
    const forum = Array.from({ length: 200 }, (_, index) => member(index + 2, `m${index}`));
    expect(counts(await run(world, forum))).toEqual({ ...none, registered: 100, failed: 100 });
  });

  test('a failing call that comes right is no failure', async () => {
    const world = newWorld();
    const seen = new Set<string>();
    world.registry.before = (call) =>
      seen.size < seen.add(call).size ? { kind: 'failed', reason: 'reset' } : undefined;
    const forum = Array.from({ length: 20 }, (_, index) => member(index + 2, `m${index}`));
    expect((await run(world, forum)).failed).toBe(0);
    expect(world.registry.nicks.size).toBe(20);
  });

  test.each([
    ['away', 'ejabberd is not there: ECONNREFUSED'],
    ['failed', 'ejabberd fails every call (30 in a row): 500'],
  ] as const)('a service that is %s ends the run with 69, and what was done is kept', async (kind, message) => {
    const world = newWorld();
    const forum = Array.from({ length: 60 }, (_, index) => member(index + 2, `m${index}`));
    let good = 9;
    world.registry.before = () => (good-- > 0 ? undefined : { kind, reason: kind === 'away' ? 'ECONNREFUSED' : '500' });
    const failure = await run(world, forum).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(SaxError);
    expect((failure as SaxError).exit).toBe(EXIT.unavailable);
    expect((failure as SaxError).message).toContain(message);
    world.registry.before = () => undefined;
    const next = await run(world, forum);
    expect(next.unchanged).toBe(9);
    expect(next.registered).toBe(51);
  });

  test('a service that never says a word is away, however few are to be registered; a single word is enough to be there', async () => {
    const world = newWorld();
    const forum = [member(2, 'Tari'), member(3, 'Mary')];
    world.registry.before = () => ({ kind: 'failed', reason: 'no answer within 20 s', silent: true });
    await expect(run(world, forum)).rejects.toMatchObject({
      exit: EXIT.unavailable,
      message: 'ejabberd does not answer: no answer within 20 s',
    });
    world.registry.before = (call) =>
      call.includes('Mary') ? undefined : { kind: 'failed', reason: 'reset', silent: true };
    expect(counts(await run(world, forum))).toEqual({ ...none, registered: 1, failed: 1 });
  });

  test('who was silent for long is not asked again before all others were', async () => {
    const world = newWorld();
    let now = 0;
    const asked: string[] = [];
    world.registry.before = (call) => {
      asked.push(call);
      if (!call.includes('Tari')) return undefined;
      now += 20_000;
      return { kind: 'failed', reason: 'no answer within 20 s', silent: true };
    };
    const clock = { now: () => 0, monotonic: () => now, sleep: async () => {} };
    await run(world, [member(2, 'Tari'), member(3, 'Mary')], { clock, concurrency: 1 });
    expect(asked).toEqual(['register Tari tari', 'register Mary mary', 'register Tari tari']);
  });

  test('a database that goes away prunes nobody', async () => {
    const world = newWorld();
    const forum = Array.from({ length: 9 }, (_, index) => member(index + 2, `m${index}`));
    await run(world, forum);
    const members = fakeMembers(forum);
    const broken: SyncNicks['members'] = {
      ...members,
      async *pages(options) {
        for await (const page of members.pages(options)) {
          yield page;
          throw new SaxError(EXIT.unavailable, 'forum database: lost');
        }
      },
    };
    await expect(run(world, [], { members: broken })).rejects.toThrow('lost');
    expect(world.registry.nicks.size).toBe(9);
  });

  test('--dry-run tells each step and does nothing', async () => {
    const world = newWorld();
    await run(world, [member(2, 'Tari'), member(3, 'Gone'), member(4, 'Off')]);
    const { calls } = world.registry;
    const kept = world.kept.length;
    const steps: PlannedStep[] = [];
    const forum = [member(2, 'Mary'), member(4, 'Off', { banned: true }), member(5, 'New')];
    const summary = await run(world, forum, { dryRun: (step) => steps.push(step) });
    expect(steps.map((step) => `${step.do} ${step.nick}`)).toEqual([
      'rename Mary',
      'remove Off',
      'register New',
      'remove Gone',
    ]);
    expect(counts(summary)).toEqual({ ...none, registered: 1, renamed: 1, removed: 2 });
    expect([world.registry.calls, world.kept.length]).toEqual([calls, kept]);
  });

  test('a file about another service counts for nothing', async () => {
    const world = newWorld();
    await run(world, [member(2, 'Tari')]);
    const elsewhere = { ...world, registry: fakeRegistry() };
    expect(counts(await run(elsewhere, [member(2, 'Tari')], { domain: 'other' }))).toEqual({ ...none, registered: 1 });
  });

  test('after a slip in the configuration what was remembered is ours again', async () => {
    const world = newWorld();
    const forum = [member(2, 'Tari')];
    await run(world, forum);
    const registry = { ...world.registry, register: async () => ({ kind: 'taken' }) as const };
    expect(counts(await run(world, forum, { domain: 'slip', registry }))).toEqual({ ...none, conflicts: 1 });
    expect(counts(await run(world, []))).toEqual({ ...none, removed: 1 });
    expect(world.kept).toEqual([
      { kind: 'for', service: 'conference.test', domain: 'test' },
      expect.objectContaining({ kind: 'done', held: 0 }),
    ]);
  });

  test('what was done for one domain is not taken as done for another', async () => {
    const world = newWorld();
    await run(world, [member(2, 'Tari')]);
    const elsewhere = { ...world, registry: fakeRegistry() };
    const forum = [member(2, 'Tari'), member(3, 'Mary')];
    await run(elsewhere, forum, { domain: 'other' });
    expect((await run(world, forum)).conflicts).toBe(0);
    expect(world.registry.nicks).toEqual(wanted(forum));
  });

  describe('--user', () => {
    test('registers one, renames one, removes one who is gone, and knows nobody else', async () => {
      const world = newWorld();
      await run(world, [member(2, 'Tari'), member(3, 'Gone'), member(4, 'Other')]);
      const forum = [member(2, 'Mary'), member(4, 'Else'), member(5, 'New')];
      const summary = await run(world, forum, { users: ['Mary', 'New', 'Gone', 'Nobody'] });
      expect(counts(summary)).toEqual({ ...none, registered: 1, renamed: 1, removed: 1, failed: 1 });
      expect([...world.registry.nicks.values()].sort()).toEqual(['Mary', 'New', 'Other']);
    });

    test('does not take an account from an older member', async () => {
      const world = newWorld();
      const forum = [member(2, 'x1'), member(3, 'x¹')];
      await run(world, [member(2, 'x1')]);
      const summary = await run(world, forum, { users: ['x¹'] });
      expect(counts(summary)).toEqual({ ...none, unchanged: 1, conflicts: 1 });
      expect([...world.registry.nicks.values()]).toEqual(['x1']);
    });

    test('takes a name from who has it no more', async () => {
      const world = newWorld();
      await run(world, [member(2, 'Tari'), member(3, 'x')]);
      const forum = [member(2, 'Mary'), member(3, 'Tari')];
      expect(counts(await run(world, forum, { users: ['Tari'] }))).toEqual({ ...none, renamed: 2 });
      expect([...world.registry.nicks.values()].sort()).toEqual(['Mary', 'Tari']);
    });
  });
});

describe('killed at any moment', () => {
  const names = fc.constantFrom('a', 'A', 'b', 'B', 'c', 'ss', 'ß', 'x1', 'x¹', 'Tari', 'tari', '🙂', 'a&amp;b', 'q r');
  const forum = fc
    .uniqueArray(
      fc.record({
        id: fc.integer({ min: 2, max: 14 }),
        username: names,
        active: fc.boolean().map((off) => !off || true),
        banned: fc.integer({ min: 0, max: 9 }).map((dice) => dice === 0),
      }),
      { selector: ({ id }) => id, maxLength: 10 },
    )
    .map((members) => members.map((one, index) => ({ ...one, active: (one.id + index) % 7 !== 0 })));
  const ways = {
    concurrency: fc.integer({ min: 1, max: 8 }),
    prune: fc.integer({ min: 0, max: 3 }).map((dice) => dice > 0),
    full: fc.integer({ min: 0, max: 4 }).map((dice) => dice === 0),
    users: fc.array(names, { maxLength: 2 }).map((users) => (users.length === 1 ? users : [])),
  };
  const runs = process.env['SAXCTL_LONG'] ? 20_000 : 150;

  test('the next run ends in the state of an undisturbed one', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ forum, ...ways, dieAt: fc.integer({ min: 1, max: 25 }) }), { minLength: 1, maxLength: 5 }),
        forum,
        async (past, last) => {
          const world = newWorld();
          for (const { forum: then, ...how } of past)
            await run(world, then, how).catch((error: unknown) => expect(error).toBe(DEAD));
          const summary = await run(world, last);
          expect(summary.failed).toBe(
            last.filter(({ active, username, banned }) => active && !banned && nicknameOf(username) === undefined)
              .length,
          );
          expect(new Map([...world.registry.nicks].sort())).toEqual(new Map([...wanted(last)].sort()));
          expect((await run(world, last)).unchanged).toBe(wanted(last).size);
        },
      ),
      { numRuns: runs },
    );
  }, 900_000);
});
