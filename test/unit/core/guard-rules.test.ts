import { describe, expect, test } from 'vitest';
import { looksOf } from '../../../src/core/confusables.ts';
import { type GuardPolicy, judge, type Removal, reasonFor } from '../../../src/core/guard-rules.ts';
import { createMemberDirectory } from '../../../src/core/member-directory.ts';
import { localpartOf, nicknameOf } from '../../../src/core/member-name.ts';
import { variantsOf } from '../../helpers/impostors.ts';
import { ordinaryGuests, ordinaryMembers } from '../../helpers/ordinary-names.ts';

const policy: GuardPolicy = {
  domain: 'chat.test',
  bots: new Set(['webridge@chat.test']),
  guestDomain: 'guest.test',
};

function directoryOf(names: readonly string[]) {
  const directory = createMemberDirectory(7, { looks: true });
  names.forEach((username, index) => {
    directory.add({ id: index + 2, username, active: true, banned: false });
  });
  return directory;
}

const seated = (username: string) => ({
  nick: nicknameOf(username) ?? '?',
  jid: `${localpartOf(username)}@chat.test/widget`,
});
const guest = (nick: string) => ({ nick: nicknameOf(nick) ?? '?', jid: 'x7f3@guest.test/widget' });

describe('innocents', () => {
  // In scripts from right to left a name may not end in a digit or hold a Latin letter (RFC 3454, section 6).
  const usable = (name: string): boolean => nicknameOf(name) !== undefined && localpartOf(name) !== undefined;
  const members = ordinaryMembers().filter(usable);
  const directory = directoryOf(members);

  test('a thousand ordinary members under their own names are all welcome', () => {
    expect(new Set(members.map(localpartOf)).size).toBe(members.length);
    expect(members.length).toBeGreaterThan(1000);
    expect(members.filter((name) => judge(seated(name), policy, directory).is !== 'welcome')).toEqual([]);
  });

  test('a thousand guests with ordinary names, none of them a member’s, are all welcome', () => {
    const guests = ordinaryGuests(1200).filter(usable).slice(0, 1000);
    expect(new Set(guests.map(nicknameOf)).size).toBe(1000);
    expect(guests.filter((name) => judge(guest(name), policy, directory).is !== 'welcome')).toEqual([]);
  });

  test('bots may be called anything, also like a member', () => {
    expect(judge({ nick: 'Anna', jid: 'webridge@chat.test/saxctl-webridge' }, policy, directory)).toEqual({
      is: 'welcome',
    });
  });
});

describe('impostors', () => {
  const directory = directoryOf(['Tari', 'alice', 'Bob Smith', 'Jürgen Müßig', 'Пётр', 'Mallory']);
  const names = ['Tari', 'alice', 'Bob Smith', 'Jürgen Müßig', 'Пётр'];

  test.each(names)('a member takes none of the variants of %s', (name) => {
    for (const variant of variantsOf(name)) {
      const nick = nicknameOf(variant);
      // What cannot be a nickname never reaches the room.
      if (nick === undefined) continue;
      expect([variant, judge({ nick, jid: 'mallory@chat.test/x' }, policy, directory)]).toEqual([
        variant,
        { is: 'removed', why: 'wrong-name', id: 7, nick: 'Mallory' },
      ]);
    }
  });

  test.each(names)('a guest takes none that looks like %s', (name) => {
    const [doubled, behindAnother] = [`${name}${name.slice(-1)}`, `\u{1d413}${name}`];
    for (const variant of variantsOf(name)) {
      const nick = nicknameOf(variant);
      if (nick === undefined || variant === doubled || variant === behindAnother) continue;
      expect([variant, judge(guest(variant), policy, directory)]).toEqual([
        variant,
        { is: 'removed', why: 'look-alike' },
      ]);
    }
  });

  test('strangers, the banned, the hidden and the unknown', () => {
    const one = createMemberDirectory(7, { looks: true });
    one.add({ id: 2, username: 'Tari', active: true, banned: true });
    expect(judge({ nick: 'x', jid: 'x@elsewhere.test' }, policy, one)).toEqual({ is: 'removed', why: 'stranger' });
    expect(judge({ nick: 'x', jid: 'x@guest.test' }, { ...policy, guestDomain: undefined }, one)).toMatchObject({
      why: 'stranger',
    });
    expect(judge({ nick: 'Tari', jid: 'tari@chat.test' }, policy, one)).toEqual({
      is: 'removed',
      why: 'banned',
      id: 2,
    });
    expect(judge({ nick: 'x', jid: undefined }, policy, one)).toEqual({ is: 'hidden' });
    expect(judge({ nick: 'New', jid: 'new@chat.test' }, policy, one)).toEqual({ is: 'unknown', localpart: 'new' });
  });

  test('every reason is a sentence for people; the right name is in it', () => {
    const all: Removal[] = ['wrong-name', 'banned', 'logged-out', 'not-a-member', 'look-alike', 'stranger'];
    for (const why of all) expect(reasonFor(why)).toMatch(/^[A-Z].{20,}\.$/);
    expect(reasonFor('wrong-name', 'Tari')).toContain('come back as Tari.');
  });
});

const alike = (one: string, other: string): boolean => [...looksOf(one)].some((look) => looksOf(other).has(look));

describe('looksOf', () => {
  test.each([
    ['Tari', 'tarі'],
    ['Tari', 'T.A.R.1'],
    ['Bob', 'ВОВ'],
    ['Bob', 'B0b'],
    ['Mila', 'MiIa'],
    ['barn', 'bam'],
    ['Jürgen', 'jurgen'],
    ['राम', 'रा\u200dम'],
    ['Пётр', 'ПЕТР'],
    ['Νίκος', 'ΝΙΚΟΣ'],
    ['Müßig', 'MÜSSIG'],
  ])('%j looks like %j', (one, other) => expect(alike(one, other)).toBe(true));

  test.each([
    ['Anna', 'Ana'],
    ['Jana', 'Lana'],
    ['Tari', 'Taro'],
    ['राम', 'रीमा'],
    ['ぱぱ', 'はは'],
    ['ガス', 'カス'],
    ['민준', '만준'],
    ['สมชาย', 'สมชัย'],
    ['דוד', 'דור'],
    ['王', '玉'],
    ['...', '!!!'],
  ])('%j does not look like %j', (one, other) => expect(alike(one, other)).toBe(false));
});
