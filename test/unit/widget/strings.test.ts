import { expect, it } from 'vitest';
import { strings, stringsFor } from '../../../widget/src/strings.ts';

it('speaks the language of the page, and English where it knows no better', () => {
  expect(stringsFor('de-AT')).toEqual({ ...strings.en, ...strings.de });
  expect(stringsFor('en')).toEqual(strings.en);
  expect(stringsFor('fr')).toEqual(strings.en);
  expect(stringsFor('')).toEqual(strings.en);
});

it('says in German everything that is another word there', () => {
  const missing = Object.keys(strings.en).filter((key) => !(key in strings.de));
  expect(missing).toEqual(['title', 'offline']);
  expect(Object.keys(strings.de).filter((key) => !(key in strings.en))).toEqual([]);
});
