import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { looksOf } from '../../src/core/confusables.ts';
import { localpartOf, nicknameOf } from '../../src/core/member-name.ts';
import { nickModulePath } from '../../src/edges/files/nick-module.ts';
import type { Stack } from '../../src/edges/stack/types.ts';
import { variantsOf } from '../helpers/impostors.ts';
import { ordinaryGuests, ordinaryMembers } from '../helpers/ordinary-names.ts';
import { enterRoom, type Person } from '../helpers/person.ts';
import { PROGRAM, type RunningSaxctl, runSaxctl, startSaxctl, startTestStack } from '../helpers/stack.ts';
import { until } from '../helpers/until.ts';

// Guard and mod_sax_nick together, as `saxctl init` sets them up and the demo runs them.

const VICTIMS = ['Tari', 'alice', 'Bob Smith', 'Jürgen Müßig', 'Пётр'];
const GUESTS = 'guest.test';
const LONG = process.env['SAXCTL_LONG'] !== undefined;
const usable = (name: string): boolean => localpartOf(name) !== undefined && nicknameOf(name) !== undefined;

/** Ordinary names among the members, and others among the guests; in the long form a thousand of each. */
const ORDINARY_MEMBERS = ordinaryMembers()
  .filter(usable)
  .filter((name, index) => (LONG || index % 34 === 7) && !VICTIMS.includes(name));
const ORDINARY_GUESTS = ordinaryGuests(1200)
  .filter(usable)
  .slice(0, LONG ? 1000 : 40);

let stack: Stack;
let guard: RunningSaxctl;
let witness: Person;

beforeAll(async () => {
  stack = await startTestStack({
    parts: ['mariadb', 'ejabberd'],
    moderated: true,
    nickModule: nickModulePath(PROGRAM),
    members: ['Mallory', 'Fresh', ...ORDINARY_MEMBERS].map((name) => ({ name })),
    config: { ejabberd: { via: 'http' }, guard: { guest_domain: GUESTS } },
  });
  await letGuestsIn();
  expect((await runSaxctl(stack, ['sync-nicks'])).stdout).toContain('conflicts 0, failed 0');
  // A member of a minute ago: sync-nicks has not been there since.
  await stack.api('muc_unregister_nick', { jid: `fresh@${stack.domain}`, service: stack.mucService });
  guard = startSaxctl(stack, ['--log-level', 'debug', 'guard']);
  await guard.logged(/"event":"ready"/);
  witness = await enterRoom(stack, 'ÄRGER');
  await voiced(witness);
});
afterAll(async () => {
  await guard?.stop();
  await stack?.stop();
});

/** A virtual host where everybody may log in under any name. */
async function letGuestsIn(): Promise<void> {
  const path = join(stack.directory, 'ejabberd/conf/ejabberd.yml');
  const yml = readFileSync(path, 'utf8').replace('hosts:\n', `hosts:\n  - ${GUESTS}\n`);
  const options = 'auth_method: [anonymous]\n    anonymous_protocol: login_anon\n    modules: {}';
  writeFileSync(path, `${yml}\nhost_config:\n  ${GUESTS}:\n    ${options}\n`);
  await stack.ejabberd.restart();
}

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll("'", '&apos;').replaceAll('"', '&quot;');

const joining = (nick: string): string =>
  `<presence to='${escaped(stack.room)}/${escaped(nick)}'><x xmlns='http://jabber.org/protocol/muc'><history maxstanzas='0'/></x></presence>`;

/** Until a line of his is heard, by himself and by the witness: whatever he said before was heard by then, or never will be. Comes in again if need be. */
async function voiced(person: Person): Promise<void> {
  const word = `here ${Math.random()}`;
  const errors = (): number => [...person.received().matchAll(/<message\b[^>]*\btype='error'/g)].length;
  await until(
    async () => {
      // Once for each refusal: ejabberd's shaper counts every byte.
      const before = errors();
      if (/Only occupants are allowed[^<]*<\/text><\/error><body>[^<]*<\/body><\/message>$/.test(person.received()))
        person.send(joining(person.nick));
      person.say(word);
      await until(() => person.lines.some(({ body }) => body === word) || errors() > before);
      return person.lines.some(({ body }) => body === word);
    },
    () => `${person.nick} has no voice: ${person.received().slice(-1500)}`,
  );
  await witness.heard(({ body }) => body === word);
}

/** Changes the nickname and speaks in one packet; leaves, comes back under it and speaks in one packet; comes back as himself. */
async function attack(person: Person, nick: string, body: string): Promise<void> {
  const room = escaped(stack.room);
  const [own, other] = [`${room}/${escaped(person.nick)}`, `${room}/${escaped(nick)}`];
  const said = `<message type='groupchat' to='${room}'><body>${body}</body></message>`;
  person.send(`<presence to='${other}'/>${said}`);
  person.send(`<presence to='${own}' type='unavailable'/>${joining(nick)}${said}${joining(person.nick)}`);
  await voiced(person);
}

async function nothingSeen(): Promise<void> {
  await voiced(witness);
  // Who is called as himself may say what he wants, even this.
  expect(witness.lines.filter(({ nick, body }) => body.startsWith('evil') && !OWN.has(nick))).toEqual([]);
  const archived = await stack.sql("SELECT nick, txt FROM archive.archive WHERE txt LIKE 'evil%'");
  expect(archived.filter(({ nick }) => !OWN.has(String(nick)))).toEqual([]);
}
const OWN = new Set(['Mallory', 'Fresh', 'visitor', 'tester']);

describe('guard and mod_sax_nick', () => {
  test('a member with voice gets no line seen under 120 variants of five names, also when nickname and line are one packet', async () => {
    expect(new Set(VICTIMS.flatMap(variantsOf)).size).toBeGreaterThanOrEqual(60);
    for (const victim of VICTIMS) {
      // A connection for each: ejabberd's shaper would take minutes for all on one.
      const mallory = await until(() => enterRoom(stack, 'Mallory').catch(() => undefined), 'admission');
      await voiced(mallory);
      for (const nick of variantsOf(victim)) await attack(mallory, nick, `evil ${victim}`);
      mallory.leave();
    }
    await nothingSeen();
  });

  test('nor does a member whom sync-nicks has not seen yet, with a second device either', async () => {
    const fresh = await enterRoom(stack, 'Fresh');
    await voiced(fresh);
    for (const [index, nick] of variantsOf('Tari').entries()) await attack(fresh, nick, `evil fresh ${index}`);
    await expect(enterRoom(stack, 'Fresh', { nick: 'tari' })).rejects.toThrow('not-acceptable');
    await nothingSeen();
    fresh.leave();
    await until(() => !witness.occupants.has('Fresh'));
    // His voice was taken back meanwhile: he may come under any name, and is looked at.
    const again = await until(() => enterRoom(stack, 'Fresh', { nick: 'tari' }).catch(() => undefined), 'admission');
    again.say('evil again');
    await until(() => /<status code='307'/.test(again.received()));
    await nothingSeen();
    again.leave();
  });

  const enterAsGuest = (nick: string, account = 'visitor'): Promise<Person> =>
    enterRoom({ ejabberd: stack.ejabberd, domain: GUESTS, room: stack.room, member: stack.member }, account, {
      nick,
      secret: 'any',
    });

  test(`of ${ORDINARY_GUESTS.length} guests with ordinary names, none of them a member’s, nobody is removed, and everybody is heard`, async () => {
    expect(ORDINARY_GUESTS).toHaveLength(LONG ? 1000 : 40);
    const removed = (): number => (guard.stderr().match(/"event":"removed"/g) ?? []).length;
    const before = removed();
    for (let at = 0; at < ORDINARY_GUESTS.length; at += 10) {
      const some = ORDINARY_GUESTS.slice(at, at + 10);
      const people = await Promise.all(some.map((nick, index) => enterAsGuest(nick, `guest${at + index}`)));
      for (const person of people) await voiced(person);
      for (const person of people) person.leave();
    }
    const heard = new Set(witness.lines.map(({ nick }) => nick));
    expect(ORDINARY_GUESTS.filter((name) => !heard.has(nicknameOf(name) ?? ''))).toEqual([]);
    expect(removed()).toBe(before);
  }, 900_000);

  test('a nickname that was only tried, before the voice came or with a second device, is not kept for later', async () => {
    const said = `<message type='groupchat' to='${escaped(stack.room)}'><body>evil tried</body></message>`;
    const other = `${escaped(stack.room)}/tarі`;
    const leaving = `<presence to='${escaped(stack.room)}/tester' type='unavailable'/>`;
    const guest = await enterAsGuest('tester', 'tester');
    await voiced(guest);
    // Comes in anew and asks for the other name in the same breath, while he has no voice.
    guest.send(leaving);
    await until(() => !witness.occupants.has('tester'));
    await voiced(witness);
    guest.send(`${joining('tester')}<presence to='${other}'/>`);
    await voiced(guest);
    guest.send(`${leaving}${joining('tarі')}${said}${joining('tester')}`);
    await voiced(guest);
    await nothingSeen();
    guest.leave();
  });

  test('guests may be called what they like, but like no member, and not anew while they have voice', async () => {
    const enter = (nick: string) => enterAsGuest(nick);
    const guest = await enter('visitor');
    await voiced(guest);
    // Tarii is no Tari: a guest whose voice was just taken back may come as that, and speak.
    const looks = looksOf('Tari');
    const alike = variantsOf('Tari').filter((nick) => [...looksOf(nick)].some((look) => looks.has(look)));
    expect(alike.length).toBeGreaterThanOrEqual(20);
    for (const [index, nick] of alike.entries()) await attack(guest, nick, `evil guest ${index}`);
    await nothingSeen();
    guest.leave();
    await until(() => !witness.occupants.has('visitor'));
    for (const nick of ['tarі', 'T a r i', 'Bob-Smith', 'AIice', '_пётр_', 'Jurgen Mussig']) {
      const impostor = await until(() => enter(nick).catch(() => undefined), 'admission');
      impostor.say('evil look-alike');
      await until(
        () => /<status code='307'/.test(impostor.received()),
        () => `${nick} is still in`,
      );
      impostor.leave();
    }
    expect(guard.stderr()).toContain('"why":"look-alike"');
    await nothingSeen();
    const other = await until(() => enter('Somebody Else').catch(() => undefined), 'admission');
    await voiced(other);
    other.leave();
  });
});
