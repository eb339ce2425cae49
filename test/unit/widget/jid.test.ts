import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { memberOf, splitJid } from '../../../widget/src/jid.ts';

describe('memberOf', () => {
  it.each([
    ['Tari', 'Tari', 'Tari'],
    ['Bob Smith', 'Bob\\20Smith', 'Bob Smith'],
    ['a:b/c', 'a\\3ab\\2fc', 'a:b/c'],
    ['O\'Neil & "x" <y> @z', 'O\\27Neil\\20\\26\\20\\22x\\22\\20\\3cy\\3e\\20\\40z', 'O\'Neil & "x" <y> @z'],
    // Already a localpart.
    ['Bob\\20Smith', 'Bob\\20Smith', 'Bob Smith'],
    ['back\\5c20slash', 'back\\5c20slash', 'back\\20slash'],
    // A backslash that begins no code stays.
    ['a\\b', 'a\\b', 'a\\b'],
  ])('%s', (user, local, nick) => {
    expect(memberOf(user)).toEqual({ local, nick });
  });

  it('gives the same for a localpart that it made itself', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('\\', '2', '0', '5', 'c', ' ', '@', 'x') }), (name) => {
        const once = memberOf(name);
        expect(memberOf(once.local)).toEqual(once);
      }),
    );
  });
});

describe('splitJid', () => {
  it.each([
    ['Room@Service/Nick', 'room@service', 'Nick'],
    ['room@service/a/b', 'room@service', 'a/b'],
    ['room@service', 'room@service', ''],
    [undefined, '', ''],
  ])('%s', (jid, bare, resource) => {
    expect(splitJid(jid)).toEqual([bare, resource]);
  });
});
