import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cleanText, closeBidi, cutLines, cutText, decodeText, oneLine, withoutBidi } from '../../../src/core/text.ts';

const bytes = (...values: number[]): Uint8Array => new Uint8Array(values);

test.each<[string, Uint8Array, boolean, string]>([
  ['UTF-8', new TextEncoder().encode('Grüße 日本 🎉'), false, 'Grüße 日本 🎉'],
  ['Windows-1252', bytes(0x47, 0x72, 0xfc, 0xdf, 0x65, 0x20, 0x80, 0x85), false, 'Grüße €…'],
  ['UTF-8 cut in a character', bytes(0x61, 0xc3, 0xa9, 0xf0, 0x9f, 0x8e), true, 'aé'],
  ['UTF-8 not cut, broken at the end', bytes(0x61, 0xc3), false, 'aÃ'],
  ['ASCII cut', bytes(0x61), true, 'a'],
  ['nothing', bytes(), true, ''],
])('%s is read as what it is', (_what, input, cut, text) => {
  expect(decodeText(input, cut)).toBe(text);
});

test.each([
  ['&lt;b&gt; &amp;quot; &#039;x&#x27; &apos;', `<b> &quot; 'x' '`],
  ['&#0;&#xFFFE;&#xD800;a', '&#0;&#xD800;a'],
  ['a\r\nb\rc\n\n', 'a\nb\nc'],
  ['a\u0000\u0007\u000b\u001fb\tc\u007f', 'ab\tc\u007f'],
  ['\ud800x\udc00\ufffe\uffff😀', 'x😀'],
])('%j is cleaned to %j', (input, output) => {
  expect(cleanText(input, 'decode')).toBe(output);
});

test('entities are kept where that is wanted', () => {
  expect(cleanText('&lt;b&gt;', 'keep')).toBe('&lt;b&gt;');
});

test('whatever comes out may stand in XML, and cleaning twice changes nothing', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const clean = cleanText(text, 'keep');
      expect(clean).not.toMatch(/[\u0000-\u0008\u000b-\u001f\ufffe\uffff]/);
      expect(() => encodeURIComponent(clean)).not.toThrow();
      expect(cleanText(clean, 'keep')).toBe(clean);
    }),
  );
});

test('one line stays one line', () => {
  expect(oneLine(' a \n\n b\u2028c ')).toBe('a b c');
});

test('bidi controls leave names and are closed in texts', () => {
  expect(withoutBidi('a\u202eb\u2066c')).toBe('abc');
  expect(closeBidi('a\u202eb')).toBe('a\u202eb\u202c');
  expect(closeBidi('a\u2066\u202bb\u2069c')).toBe('a\u2066\u202bb\u2069c');
  expect(closeBidi('a\u2067\u202ab')).toBe('a\u2067\u202ab\u202c\u2069');
  expect(closeBidi('plain')).toBe('plain');
});

test.each([
  ['short', 10, 'short'],
  ['exactly10!', 10, 'exactly10!'],
  ['eleven chars', 10, 'eleven ch…'],
  ['👩‍👩‍👧‍👦👩‍👩‍👧‍👦', 10, '👩‍👩‍👧‍👦…'],
  ['😀😀😀😀😀', 5, '😀😀😀😀😀'],
  ['e\u0301'.repeat(5), 5, 'e\u0301e\u0301…'],
])('%j cut at %i is %j', (text, limit, cut) => {
  expect(cutText(text, limit)).toBe(cut);
});

test('a cut is never longer than asked for, whatever the text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 60 }), fc.integer({ min: 2, max: 40 }), (text, limit) => {
      const cut = cutText(text, limit);
      expect([...cut].length).toBeLessThanOrEqual(limit);
      expect(cut === text || cut.endsWith('…')).toBe(true);
    }),
  );
  expect([...cutText(`a${'\u0301'.repeat(500)}`, 20)]).toHaveLength(20);
});

test('lines are counted', () => {
  expect(cutLines('a\nb\nc', 2)).toBe('a\nb…');
  expect(cutLines('a\nb', 2)).toBe('a\nb');
});
