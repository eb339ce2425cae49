import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { complete, hueOf, mentionPattern, pieces, relayed, tame } from '../../../widget/src/text.ts';

const links = (text: string) => pieces(text).flatMap(({ href }) => href ?? []);

describe('pieces', () => {
  it.each([
    ['see https://example.org/a.', ['https://example.org/a']],
    ['(https://example.org/a)', ['https://example.org/a']],
    ['https://en.wikipedia.org/wiki/A_(b), really', ['https://en.wikipedia.org/wiki/A_(b)']],
    ['http://a.test/?q=1&b=2#c and https://b.test', ['http://a.test/?q=1&b=2#c', 'https://b.test/']],
    ['javascript:alert(1) data:text/html,x //evil.test ftp://x.test', []],
    ['JavaScript://example.org/%0aalert(1)', []],
    ['https://bank.test@evil.test/', []],
    ['https://user:pw@evil.test/', []],
    ['http:// https://', []],
    ['<a href="https://a.test/x">', ['https://a.test/x']],
  ])('links of %s', (text, wanted) => {
    expect(links(text)).toEqual(wanted);
  });

  it('loses and adds no character, and links http alone', () => {
    const unit = fc.constantFrom(
      'https://',
      'a',
      '.',
      '/',
      '(',
      ')',
      ' ',
      '<',
      '"',
      'Tari',
      '@',
      '\n',
      'javascript:',
      'é',
      '😀',
    );
    fc.assert(
      fc.property(fc.string({ unit }), (text) => {
        const found = pieces(text, 'Tari');
        expect(found.map((piece) => piece.text).join('')).toBe(text);
        for (const { href } of found) if (href !== undefined) expect(href).toMatch(/^https?:\/\//);
      }),
    );
  });

  it('marks the nickname as a whole word', () => {
    const marked = (text: string, nick: string) =>
      pieces(text, nick).flatMap((piece) => (piece.isMention ? piece.text : []));
    expect(marked('Tari: hi tari, Tarifa @TARI _Tari', 'Tari')).toEqual(['Tari', 'tari', 'TARI']);
    expect(marked('a.b a+b', 'a+b')).toEqual(['a+b']);
    expect(marked('anything', '')).toEqual([]);
    expect(mentionPattern('(').test('x ( y')).toBe(true);
    for (const nick of ['Jean-Luc', 'a/b', '[x]', '^_^', '-', '\\d', 'a&&b'])
      expect(pieces(`hi ${nick} there`, nick).filter(({ isMention }) => isMention)).toHaveLength(1);
  });

  it('is quick on hostile texts', () => {
    const began = performance.now();
    for (const unit of ['https://', '(', 'https://(', 'https://a(', '.'.repeat(9), 'a', '((((a))))'])
      pieces(tame(unit.repeat(200_000)), 'Tari');
    expect(performance.now() - began).toBeLessThan(5000);
  });
});

describe('tame', () => {
  it('cuts what is too long', () => expect(tame('x'.repeat(1_000_000)).length).toBeLessThan(5000));
  it('takes overrides, controls and heaps of marks away', () => {
    expect(tame('a\u202eb\u2066c\0d\u0007')).toBe('abcd');
    expect(tame(`e${'\u0301'.repeat(500)}!`).length).toBeLessThan(12);
    expect(tame('a\n\n\n\n\nb')).toBe('a\n\nb');
  });
  it('leaves honest text alone', () => {
    for (const text of ['Grüße, мир, שלום, مرحبا, 你好 👩‍👩‍👧‍👦', 'a\nb\tc', 'e\u0301']) expect(tame(text)).toBe(text);
  });
});

describe('relayed', () => {
  it.each([
    ['<bob> hi there', ['bob', 'hi there']],
    ['<bob> two\nlines', ['bob', 'two\nlines']],
    ['* bob waves', ['bob', '/me waves']],
    ['/me bob waves', ['bob', '/me waves']],
    ['just text', undefined],
    ['<> x', undefined],
  ])('%s', (text, wanted) => expect(relayed(text)).toEqual(wanted));
});

describe('complete', () => {
  const nicks = ['alice', 'Alina', 'Bob Smith'];
  it.each([
    ['al', 2, 0, ['alice: ', 7]],
    ['al', 2, 1, ['Alina: ', 7]],
    ['al', 2, 2, ['alice: ', 7]],
    ['hi @bo', 6, 0, ['hi @Bob Smith ', 14]],
    ['hi al!', 5, 0, ['hi alice !', 9]],
    ['zz', 2, 0, undefined],
    ['', 0, 0, undefined],
    ['hi ', 3, 0, undefined],
  ])('%s at %i, press %i', (text, cursor, times, wanted) => {
    expect(complete(text, cursor, nicks, times)).toEqual(wanted);
  });
});

it('gives a nickname one colour, and spreads them', () => {
  expect(hueOf('Tari')).toBe(hueOf('Tari'));
  const hues = new Set(Array.from({ length: 300 }, (_, i) => Math.floor(hueOf(`member${i}`) / 30)));
  expect(hues.size).toBe(12);
});
