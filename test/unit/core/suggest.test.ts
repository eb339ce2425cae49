import { describe, expect, it } from 'vitest';
import { didYouMean, suggest } from '../../../src/core/suggest.ts';

describe('suggest', () => {
  it.each([
    ['hystory', 'history'],
    ['hsot', 'host'],
    ['PASSWORD', 'password'],
    ['sync-nick', 'sync-nicks'],
    ['zebra', undefined],
    ['', undefined],
  ])('%s → %s', (word, meant) => {
    expect(suggest(word, ['history', 'host', 'port', 'password', 'sync-nicks'])).toBe(meant);
  });

  it('says nothing when nothing is near', () => {
    expect(didYouMean('zebra', ['host'])).toBe('');
    expect(didYouMean('hots', ['host'])).toBe('; did you mean "host"?');
  });
});
