import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeEntities } from '../../../src/core/entities.ts';
import { escapeLocalpart, splitJid, unescapeLocalpart } from '../../../src/core/jid.ts';
import { localpartOf, nicknameOf } from '../../../src/core/member-name.ts';

describe('decodeEntities', () => {
  test.each([
    ['Tom &amp; Jerry', 'Tom & Jerry'],
    ['&lt;b&gt;&quot;', '<b>"'],
    ['O&#039;Neil &#39; &#x27;', "O'Neil ' '"],
    ['&amp;lt; &amp;amp;', '&lt; &amp;'],
    ['cut in half &am', 'cut in half &am'],
    ['&nbsp; &euro; &; &#; &#x;', '&nbsp; &euro; &; &#; &#x;'],
    ['&#0; &#xD800; &#1114112; &#x110000;', '&#0; &#xD800; &#1114112; &#x110000;'],
    ['&#128578;', '🙂'],
    ['R&D', 'R&D'],
  ])('%j becomes %j', (stored, name) => expect(decodeEntities(stored)).toBe(name));
});

describe('XEP-0106', () => {
  test.each([
    ['space cadet', 'space\\20cadet'],
    ['call me "ishmael"', 'call\\20me\\20\\22ishmael\\22'],
    ['at&t guy', 'at\\26t\\20guy'],
    ["d'artagnan", 'd\\27artagnan'],
    ['/.fanboy', '\\2f.fanboy'],
    ['::foo::', '\\3a\\3afoo\\3a\\3a'],
    ['<foo>', '\\3cfoo\\3e'],
    ['user@host', 'user\\40host'],
    ['c:\\net', 'c\\3a\\net'],
    ['c:\\cool stuff', 'c\\3a\\cool\\20stuff'],
    ['c:\\5commas', 'c\\3a\\5c5commas'],
    ['a\\2Fb', 'a\\2Fb'],
    ['\\20', '\\5c20'],
  ])('%j is written %j', (name, escaped) => {
    expect(escapeLocalpart(name)).toBe(escaped);
    expect(unescapeLocalpart(escaped)).toBe(name);
  });

  test('a space at either end has no form', () => {
    expect(escapeLocalpart(' a')).toBeUndefined();
    expect(escapeLocalpart('a ')).toBeUndefined();
    expect(unescapeLocalpart('\\20a\\20b\\20')).toBe('\\20a b\\20');
  });

  test('what was escaped comes back', () => {
    const names = fc.string({ unit: fc.constantFrom(...' "&\'/:<>@\\2067fac35é'), maxLength: 12 });
    fc.assert(
      fc.property(names, (name) => {
        const escaped = escapeLocalpart(name);
        fc.pre(escaped !== undefined);
        expect(escaped).not.toMatch(/[ "&'/:<>@]/);
        expect(unescapeLocalpart(escaped ?? '')).toBe(name);
      }),
    );
  });

  test.each([
    ['a@b/c', 'a', 'b', 'c'],
    ['b', '', 'b', ''],
    ['a@b/c@d/e', 'a', 'b', 'c@d/e'],
    ['b/c@d', '', 'b', 'c@d'],
  ])('%s is split', (jid, local, domain, resource) => expect(splitJid(jid)).toEqual({ local, domain, resource }));
});

describe('a member’s names in the chat', () => {
  test.each([
    ['Tari', 'tari', 'Tari'],
    ['Tom &amp; Jerry', 'tom\\20\\26\\20jerry', 'Tom & Jerry'],
    ['O&#039;Neil', 'o\\27neil', "O'Neil"],
    ['ﬁ', 'fi', 'fi'],
    ['Ελλάς', 'ελλάσ', 'Ελλάς'],
    ['a／b', undefined, 'a/b'],
    ['🙂', undefined, undefined],
    ['\u00ad', undefined, undefined],
    ['', undefined, undefined],
    [' Tari', undefined, ' Tari'],
    ['x'.repeat(1023), 'x'.repeat(1023), 'x'.repeat(1023)],
    ['x'.repeat(1024), undefined, undefined],
    ['й'.repeat(511), 'й'.repeat(511), 'й'.repeat(511)],
    ['й'.repeat(512), undefined, undefined],
    // 342 spaces are within the limit, their escapes are not.
    [`a${' '.repeat(342)}b`, undefined, `a${' '.repeat(342)}b`],
  ])('%j has the localpart %j and the nickname %j', (username, localpart, nickname) => {
    expect(localpartOf(username)).toBe(localpart);
    expect(nicknameOf(username)).toBe(nickname);
  });
});
