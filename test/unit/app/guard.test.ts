import { expect, test } from 'vitest';
import { makeGuard } from '../../../src/app/guard.ts';
import type { Occupant } from '../../../src/app/ports/chat.ts';
import type { Member, Members, Standing } from '../../../src/app/ports/forum.ts';
import { EXIT } from '../../../src/core/errors.ts';
import { createMemberDirectory } from '../../../src/core/member-directory.ts';
import { localpartOf } from '../../../src/core/member-name.ts';
import { Refusal } from '../../../src/core/refusal.ts';
import { fakeClock } from '../../helpers/fake-clock.ts';
import { fakeLog } from '../../helpers/fake-log.ts';
import { type FakeRoom, fakeSession } from '../../helpers/fake-session.ts';

const MINUTE = 60_000;

/** A guard in a room that the test plays, over a forum that the test plays. */
async function guarded(
  names: readonly string[],
  { affiliation = 'owner', endWithSession = true }: { affiliation?: string; endWithSession?: boolean } = {},
) {
  const clock = fakeClock();
  const log = fakeLog();
  const session = fakeSession();
  const over = new AbortController();
  const forum = new Map<number, Standing>();
  const set = (id: number, username: string, more: Partial<Standing> = {}): void => {
    const before = { active: true, banned: false, loggedIn: true, keptUntil: clock.now() + 60 * MINUTE };
    forum.set(id, { id, username, ...before, ...more });
  };
  names.forEach((name, index) => {
    set(index + 2, name);
  });
  const world = { away: false, obeys: true };
  const ask = (): Standing[] => {
    if (world.away) throw new Error('gone');
    return [...forum.values()].sort((a, b) => a.id - b.id);
  };
  const members: Members = {
    async *pages({ afterId = 0 } = {}) {
      const page = ask().filter(({ id, active }) => active && id > afterId);
      if (page.length > 0) yield page;
    },
    count: async () => ask().length,
    named: async (name): Promise<Member | undefined> => ask().find(({ username }) => username === name),
    standing: async (ids) => new Map(ask().flatMap((one) => (ids.includes(one.id) ? [[one.id, one]] : []))),
    close: async () => {},
  };
  const calls: string[] = [];
  const removed: string[] = [];
  const decided: number[] = [];
  const states: string[] = [];
  const guard = makeGuard({
    room: 'sax@muc.test',
    nick: 'guard',
    policy: () => ({ domain: 'chat.test', bots: new Set(['relay@chat.test']), guestDomain: 'guest.test' }),
    endWithSession: () => endWithSession,
    members,
    newDirectory: () => createMemberDirectory(7, { looks: true }),
    async connect(connected, _down, stop) {
      connected(session);
      await new Promise((resolve) => stop.addEventListener('abort', resolve));
    },
    count: { removed: (why) => removed.push(why), voiced() {}, decided: (ms) => decided.push(ms) },
    inside: (status) => states.push(status),
    outside: (reason) => states.push(`not: ${reason}`),
    clock,
    random: () => 0.5,
    log,
    signal: over.signal,
  });
  const running = guard.run();
  await clock.advance(1);
  const room = session.rooms[0] as FakeRoom;
  const inside = room.occupants() as Occupant[];
  room.setRole = async (nick, role, reason) => {
    // The room answers later, never in the same breath.
    await Promise.resolve();
    if (!world.obeys) throw new Refusal(EXIT.refused, 'forbidden', 'forbidden');
    calls.push(`${nick} ${role}${reason === undefined ? '' : `: ${reason}`}`);
    const at = inside.findIndex((one) => one.nick === nick);
    const [before] = inside.splice(at, 1);
    if (before === undefined) return;
    const now = { ...before, role };
    if (role === 'none') room.events.absent?.(now, { codes: ['307'] });
    else {
      inside.push(now);
      room.events.present?.(now, false);
    }
  };
  let left = 0;
  room.leave = async () => {
    left += 1;
  };
  room.setAffiliation = async (jid, to) => void calls.push(`${jid} ${to}`);
  const come = async (nick: string, jid: string | undefined, more: Partial<Occupant> = {}): Promise<void> => {
    const occupant = { nick, jid, affiliation: 'none', role: 'visitor', show: '', ...more };
    inside.push(occupant);
    room.events.present?.(occupant, true);
    await clock.advance(1);
  };
  const go = async (nick: string): Promise<void> => {
    const [gone] = inside.splice(
      inside.findIndex((one) => one.nick === nick),
      1,
    );
    if (gone !== undefined) room.events.absent?.(gone, { codes: [] });
    await clock.advance(1);
  };
  /** The guard's own affiliation changes. */
  const become = async (next: string): Promise<void> => {
    const at = inside.findIndex(({ nick }) => nick === 'guard');
    const self = { ...(inside[at] as Occupant), affiliation: next };
    inside[at] = self;
    room.events.present?.(self, false);
    await clock.advance(1);
  };
  await come('guard', 'guard@chat.test/x', { affiliation, role: 'moderator' });
  return {
    ...{ clock, log, set, forum, world, calls, removed, decided, states, come, go, become },
    leaves: () => left,
    comeAs: (name: string, nick = name) => come(nick, `${localpartOf(name)}@chat.test/x`),
    async end() {
      over.abort();
      await running;
    },
  };
}

test('a member under his own name gets voice, under another he is told his own', async () => {
  const { comeAs, calls, removed, decided, states, end } = await guarded(['Tari', 'Mary']);
  expect(states.at(-1)).toBe('guarding sax@muc.test as guard, 2 members known');
  await comeAs('Tari');
  await comeAs('Mary', 'tari');
  expect(calls).toEqual([
    'Tari participant',
    'tari none: Members are called here as on the site. Please come back as Mary.',
  ]);
  expect(removed).toEqual(['wrong-name']);
  expect(decided.length).toBeGreaterThanOrEqual(2);
  await end();
});

test('who was renamed or registered since the members were read is looked up before he is judged', async () => {
  const { comeAs, come, set, calls, end } = await guarded(['Tari', 'Mary']);
  set(3, 'mary');
  set(9, 'Newcomer');
  await comeAs('mary');
  await comeAs('Newcomer');
  expect(calls).toEqual(['mary participant', 'Newcomer participant']);
  await come('Nobody', 'nobody@chat.test/x');
  expect(calls.at(-1)).toBe('Nobody none: There is no active account with this name on the site.');
  await end();
});

test('without the forum those who are known are judged, others wait without voice', async () => {
  const { comeAs, set, world, calls, clock, end } = await guarded(['Tari', 'Mary']);
  set(9, 'Newcomer');
  world.away = true;
  await comeAs('Tari');
  await comeAs('Newcomer');
  await comeAs('Mary', 'Tаri');
  expect(calls).toEqual(['Tari participant', expect.stringMatching(/^Tаri none/)]);
  world.away = false;
  await clock.advance(30_000);
  expect(calls.at(-1)).toBe('Newcomer participant');
  await end();
});

test.each([
  ['banned', { banned: true, loggedIn: false }, ['banned']],
  ['deactivated', { active: false }, ['not-a-member']],
  ['logged out', { loggedIn: false, keptUntil: 0 }, ['logged-out']],
  ['renamed', { username: 'Mary' }, ['wrong-name']],
])('who is %s while he is here goes within a quarter of a minute', async (_what, change, why) => {
  const { comeAs, set, removed, clock, end } = await guarded(['Tari']);
  await comeAs('Tari');
  await clock.advance(10_000);
  set(2, 'Tari', change);
  await clock.advance(15_000);
  expect(removed).toEqual(why);
  await end();
});

test('who merely has an old session stays, and with end_with_session off also who logged out', async () => {
  const aged = await guarded(['Tari']);
  await aged.comeAs('Tari');
  await aged.clock.advance(10_000);
  aged.set(2, 'Tari', { keptUntil: aged.clock.now() + 30_000 });
  await aged.clock.advance(10_000);
  aged.set(2, 'Tari', { loggedIn: false, keptUntil: 0 });
  await aged.clock.advance(60_000);
  expect(aged.removed).toEqual([]);
  await aged.end();

  const off = await guarded(['Tari'], { endWithSession: false });
  await off.comeAs('Tari');
  await off.clock.advance(10_000);
  off.set(2, 'Tari', { loggedIn: false, keptUntil: 0 });
  await off.clock.advance(60_000);
  expect(off.removed).toEqual([]);
  off.set(2, 'Tari', { banned: true });
  await off.clock.advance(15_000);
  expect(off.removed).toEqual(['banned']);
  await off.end();
});

test('the voice of who leaves is taken back, unless he is a bot or here by another device', async () => {
  const { comeAs, come, go, calls, end } = await guarded(['Tari']);
  await comeAs('Tari');
  await come('Tari', 'tari@chat.test/phone');
  await come('relay', 'relay@chat.test/x');
  calls.length = 0;
  await go('Tari');
  await go('relay');
  expect(calls).toEqual([]);
  await go('Tari');
  expect(calls).toEqual(['tari@chat.test member', 'tari@chat.test none']);
  await end();
});

test('made an admin again it judges at once who came meanwhile, and what was not obeyed soon', async () => {
  const { comeAs, come, become, world, calls, states, clock, end } = await guarded(['Tari'], { affiliation: 'member' });
  world.obeys = false;
  await comeAs('Tari');
  await come('Tari ', 'visitor@guest.test/x');
  expect(calls).toEqual([]);
  world.obeys = true;
  await become('admin');
  expect(states.at(-1)).toContain('guarding');
  expect(calls).toEqual(['Tari participant', expect.stringMatching(/^Tari {2}none/)]);
  world.obeys = false;
  await come('TARI', 'visitor@guest.test/x');
  world.obeys = true;
  await clock.advance(15_000);
  expect(calls.at(-1)).toMatch(/^TARI none/);
  await end();
});

test('made an admin again it comes in anew when it was not told who came meanwhile', async () => {
  const { come, become, leaves, log, states, end } = await guarded(['Tari']);
  await become('member');
  expect(states.at(-1)).toContain('must be owner or admin');
  expect(log.entries.filter(({ event }) => event === 'powerless')).toHaveLength(1);
  await come('Tari', undefined);
  expect(leaves()).toBe(0);
  await become('owner');
  expect(leaves()).toBe(1);
  await end();
});

test('says that it is of no use: not an admin, no real JIDs, a room where everybody may speak', async () => {
  const helpless = await guarded([], { affiliation: 'member' });
  expect(helpless.states.at(-1)).toContain('the guard is member here and must be owner or admin');
  await helpless.end();

  const blind = await guarded([]);
  await blind.come('Tari', undefined);
  expect(blind.states.at(-1)).toContain('does not show the guard who people are');
  await blind.end();

  const open = await guarded(['a', 'b', 'c', 'd']);
  for (const name of ['a', 'b', 'c', 'd']) await open.come(name, `${name}@chat.test/x`, { role: 'participant' });
  expect(open.log.entries.filter(({ event }) => event === 'not-moderated')).toHaveLength(1);
  await open.end();
});
