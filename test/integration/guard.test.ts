import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { localpartOf, nicknameOf } from '../../src/core/member-name.ts';
import type { Stack } from '../../src/edges/stack/types.ts';
import { variantsOf } from '../helpers/impostors.ts';
import { ordinaryMembers } from '../helpers/ordinary-names.ts';
import { enterRoom, type Person } from '../helpers/person.ts';
import { type RunningSaxctl, runSaxctl, startSaxctl, startTestStack } from '../helpers/stack.ts';
import { until } from '../helpers/until.ts';

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll("'", '&apos;').replaceAll('"', '&quot;');

const VICTIMS = ['Tari', 'alice', 'Bob Smith', 'Jürgen Müßig', 'Пётр'];
const INNOCENTS = ["O'Neil", 'Tom & Jerry', 'back\\20slash', 'ÄRGER', 'Ελλάδα', 'mail@example.org', 'a:b/c'];

const LONG = process.env['SAXCTL_LONG'] !== undefined;

/** Forty of a thousand ordinary names, of every script; in the long form all. */
const ORDINARY = ordinaryMembers()
  .filter((name) => localpartOf(name) !== undefined && nicknameOf(name) !== undefined)
  .filter((name, index) => (LONG || index % 34 === 7) && !VICTIMS.includes(name));

let stack: Stack;
let guard: RunningSaxctl;

beforeAll(async () => {
  stack = await startTestStack({
    parts: ['mariadb', 'ejabberd'],
    moderated: true,
    members: [...['Mallory', 'Leaver', 'Idler'], ...ORDINARY].map((name) => ({ name })),
    config: { ejabberd: { via: 'http' }, metrics: { listen: '127.0.0.1:0' } },
  });
  expect((await runSaxctl(stack, ['sync-nicks'])).stdout).toContain('conflicts 0, failed 0');
  guard = startSaxctl(stack, ['--log-level', 'debug', 'guard']);
  await guard.logged(/"event":"ready"/);
});
afterAll(async () => {
  await guard?.stop();
  await stack?.stop();
});

const sweeps = (): number => (guard.stderr().match(/"event":"swept"/g) ?? []).length;

/** Says a line and waits until everybody has it: what was said before it has been heard, or never will be. */
async function barrier(speaker: Person, ...listeners: readonly Person[]): Promise<void> {
  const word = `barrier ${Math.random()}`;
  await until(
    () => {
      speaker.say(word);
      return speaker.lines.some(({ body }) => body === word);
    },
    () => `${speaker.nick} has no voice: ${speaker.received().slice(-1500)}`,
  );
  await Promise.all(listeners.map((one) => one.heard(({ body }) => body === word)));
}

/** Comes in under a nickname and speaks in the same breath; resolves when the room threw him out or never let him in. */
async function attack(person: Person, nick: string, body: string): Promise<void> {
  const from = person.received().length;
  const room = escaped(stack.room);
  const to = `${room}/${escaped(nick)}`;
  person.send(
    `<presence to='${to}'><x xmlns='http://jabber.org/protocol/muc'/></presence>` +
      `<message type='groupchat' to='${room}'><body>${body}</body></message>`.repeat(3),
  );
  await until(
    () => {
      const since = person.received().slice(from);
      return (
        /<presence[^>]*type='error'/.test(since) ||
        /<status code='307'/.test(since) ||
        /type='unavailable'[^>]*>[\s\S]*code='110'/.test(since)
      );
    },
    () => `${JSON.stringify(nick)} is still in: ${person.received().slice(from)}`,
  );
}

describe('the guard on a real ejabberd', () => {
  test('gives voice to members under their own names, whatever they are', async () => {
    const people = await Promise.all(INNOCENTS.map((name) => enterRoom(stack, name)));
    const [witness] = people;
    for (const person of people) await barrier(person, witness as Person);
    for (const person of people) person.leave();
    expect(guard.stderr()).not.toContain('"event":"removed"');
  });

  test(`of ${ORDINARY.length} members with ordinary names of nineteen languages nobody is removed, and everybody is heard`, async () => {
    expect(ORDINARY.length).toBeGreaterThanOrEqual(LONG ? 1000 : 40);
    const heard = new Set<string>();
    for (let from = 0; from < ORDINARY.length; from += 40) {
      const people: Person[] = [];
      for (let at = from; at < Math.min(from + 40, ORDINARY.length); at += 10) {
        const some = ORDINARY.slice(at, Math.min(at + 10, from + 40));
        people.push(
          ...(await Promise.all(some.map((name) => enterRoom(stack, name, { localpart: localpartOf(name) ?? '' })))),
        );
      }
      const [witness] = people;
      for (const person of people) await barrier(person, witness as Person);
      for (const { nick } of witness?.lines ?? []) heard.add(nick);
      for (const person of people) person.leave();
    }
    expect(heard).toEqual(new Set(ORDINARY.map(nicknameOf)));
    expect(guard.stderr()).not.toContain('"event":"removed"');
  }, 900_000);

  test('doctor says that mod_sax_nick is missing here, and how to get it', async () => {
    const { stdout } = await runSaxctl(stack, ['doctor', '--json', 'auth', 'room']);
    const { checks } = JSON.parse(stdout) as { checks: { name: string; status: string; repair?: string }[] };
    const found = checks.find(({ name }) => name === 'room.nick-module');
    expect(found).toMatchObject({ status: 'warning', repair: expect.stringContaining('erlc -o') });
  });

  test('no line of an impostor is seen, whichever of 120 variants of five names he takes', async () => {
    const witness = await enterRoom(stack, 'ÄRGER');
    await barrier(witness);
    const mallory = await enterRoom(stack, 'Mallory', { nick: 'mallory' });
    await until(() => !witness.occupants.has('mallory'));
    const variants = VICTIMS.flatMap(variantsOf);
    expect(new Set(variants).size).toBeGreaterThanOrEqual(60);
    for (const [index, nick] of variants.entries()) await attack(mallory, nick, `evil ${index}`);
    await barrier(witness);
    expect(witness.lines.filter(({ body }) => body.startsWith('evil'))).toEqual([]);
    const archived = await stack.sql("SELECT COUNT(*) AS n FROM archive.archive WHERE txt LIKE 'evil%'");
    expect(Number(archived[0]?.['n'])).toBe(0);
    expect(guard.stderr()).toContain('"why":"wrong-name"');
    expect(mallory.received()).toContain('Please come back as Mallory.');
    mallory.leave();
    witness.leave();
  });

  test('voice is taken back from who leaves: he does not bring it along under another name', async () => {
    const witness = await enterRoom(stack, 'ÄRGER');
    await barrier(witness);
    const leaver = await enterRoom(stack, 'Leaver');
    await barrier(leaver, witness);
    leaver.leave();
    await until(() => !witness.occupants.has('Leaver'));
    const guarded = guard.stderr().length;
    const again = await enterRoom(stack, 'Leaver', { nick: 'alicе' });
    again.say('evil with an old voice');
    await until(() => guard.stderr().slice(guarded).includes('"event":"removed"'));
    await barrier(witness);
    expect(witness.lines.filter(({ body }) => body.startsWith('evil'))).toEqual([]);
    for (const person of [again, witness]) person.leave();
  });

  test('a member who was renamed or registered a moment ago comes in under the right name', async () => {
    const { id } = stack.member('Idler');
    await stack.sql("UPDATE phpbb_users SET username='Renamed', username_clean='renamed' WHERE user_id=?", [id]);
    const person = await enterRoom(stack, 'Idler', { localpart: 'renamed', nick: 'Renamed' });
    await barrier(person);
    person.leave();
  });

  test('killed and started again: who is in keeps his voice, who came meanwhile is judged', async () => {
    const witness = await enterRoom(stack, 'Tari');
    await barrier(witness);
    await guard.kill();
    const mallory = await enterRoom(stack, 'Mallory', { nick: 'alicе' });
    mallory.say('evil while nobody looks');
    const alice = await enterRoom(stack, 'alice');
    await until(async () => {
      witness.say('we go on');
      return witness.lines.some(({ body }) => body === 'we go on');
    });
    guard = startSaxctl(stack, ['--log-level', 'debug', 'guard']);
    await guard.logged(/"event":"ready"/);
    await barrier(alice, witness);
    await until(() => !witness.occupants.has('alicе'));
    expect(witness.lines.filter(({ body }) => body.startsWith('evil'))).toEqual([]);
    for (const person of [witness, alice, mallory]) person.leave();
  });

  test('counts removals by reason, and tells how quickly it decides', async () => {
    const address = /metrics on (http:\S+\/metrics)/.exec(guard.stderr())?.[1] ?? '';
    const page = await fetch(address).then((answer) => answer.text());
    expect(Number(/^saxctl_guard_removed_total\{reason="wrong-name"\} (\d+)/m.exec(page)?.[1])).toBeGreaterThan(0);
    expect(Number(/^saxctl_guard_voiced_total (\d+)/m.exec(page)?.[1])).toBeGreaterThan(0);
    expect(Number(/^saxctl_guard_decision_seconds_count (\d+)/m.exec(page)?.[1])).toBeGreaterThan(0);
    expect(Number(/^saxctl_guard_members (\d+)/m.exec(page)?.[1])).toBeGreaterThan(ORDINARY.length);
  });

  test('without the forum’s database: who is known gets voice under his name and no other, and later all goes on', async () => {
    const [known, impostor] = (await Promise.all(['Leaver', 'Mallory'].map((name) => enterRoom(stack, name)))) as [
      Person,
      Person,
    ];
    for (const person of [known, impostor]) await barrier(person);
    const room = escaped(stack.room);
    for (const { send, nick } of [known, impostor]) send(`<presence to='${room}/${nick}' type='unavailable'/>`);
    for (const person of [known, impostor])
      await until(() => /type='unavailable'[^>]*>[\s\S]*code='110'/.test(person.received()));
    await stack.mariadb.stop();
    const since = known.received().length;
    known.send(`<presence to='${room}/Leaver'><x xmlns='http://jabber.org/protocol/muc'/></presence>`);
    // No line: ejabberd's archive waits for the same database.
    await until(() => /to='leaver[^>]*>[\s\S]*role='participant'/.test(known.received().slice(since)), 'voice');
    await attack(impostor, 'Leavеr', 'evil without database');
    await guard.logged(/"event":"forum-away","message":"bans and sessions/);
    await stack.mariadb.start();
    await guard.logged(/"event":"forum-back"/);
    await barrier(known);
    for (const person of [known, impostor]) person.leave();
  });

  test('goes on after ejabberd was killed', async () => {
    await stack.ejabberd.kill();
    await stack.ejabberd.start();
    await guard.logged(/"event":"disconnected"/);
    const tari = await until(() => enterRoom(stack, 'Tari').catch(() => undefined), 'a login', 30_000);
    await until(
      async () => {
        tari.say('back');
        return tari.lines.some(({ body }) => body === 'back');
      },
      'voice',
      70_000,
    );
    await attack(tari, 'tarі', 'evil again');
    tari.leave();
  });

  test('ends the chat of who is banned, and of who logs out, within a minute; not of whose session only grew old', async () => {
    const people = await Promise.all(['Tari', 'Leaver', 'alice'].map((name) => enterRoom(stack, name)));
    const [banned, leaver, old] = people as [Person, Person, Person];
    for (const person of people) await barrier(person);
    // One look at the sessions must have been before they change.
    await until(() => sweeps() >= 1, 'a sweep', 30_000);
    const now = Math.floor(Date.now() / 1000);
    await stack.sql('UPDATE phpbb_sessions SET session_time=? WHERE session_user_id=?', [
      now - 3600 + 30,
      stack.member('alice').id,
    ]);
    const before = sweeps();
    await until(() => sweeps() > before, 'a sweep', 30_000);
    await stack.sql('INSERT INTO phpbb_banlist (ban_userid, ban_end) VALUES (?, 0)', [stack.member('Tari').id]);
    await stack.sql('DELETE FROM phpbb_sessions WHERE session_user_id IN (?, ?)', [
      stack.member('Leaver').id,
      stack.member('alice').id,
    ]);
    await until(() => /account on the site is banned/.test(banned.received()), 'the ban', 60_000);
    await until(() => /You have logged out of the site/.test(leaver.received()), 'the log-out', 60_000);
    await barrier(old);
    for (const person of people) person.leave();
  });
});
