import fc from 'fast-check';
import { expect, test } from 'vitest';
import { xmlText } from '../../../src/core/xml-text.ts';

test.each([
  ['plain', 'plain'],
  ['tab\tand\nline', 'tab\tand\nline'],
  ['bold\x02 colour\x034,5 nul\x00 esc\x1b', 'bold colour4,5 nul esc'],
  ['cr\r\nlf\rcr', 'cr\nlf\ncr'],
  ['half \ud83d pair', 'half \ufffd pair'],
  ['half \ude00 pair', 'half \ufffd pair'],
  ['whole \u{1f600}', 'whole \u{1f600}'],
  ['non\ufffe\uffff', 'non\ufffd\ufffd'],
  ['del\x7f c1\x85', 'del\x7f c1\x85'],
])('%j becomes %j', (text, expected) => {
  expect(xmlText(text)).toBe(expected);
});

test('never leaves what XML forbids, and changes nothing twice', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const safe = xmlText(text);
      expect(safe).toMatch(/^[\t\n\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]*$/u);
      expect(xmlText(safe)).toBe(safe);
    }),
  );
});
