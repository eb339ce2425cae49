import { describe, expect, it } from 'vitest';
import { boundedTester } from '../../../src/edges/regexp/bounded.ts';

describe('boundedTester', () => {
  it('tells which texts match', () => {
    expect(boundedTester('^h.*o$', 'iu')(['hello', 'HELLO', 'help'])).toEqual([true, true, false]);
  });

  it.each(['(', '[', 'a{2,1}', '\\'])('refuses %j with exit 64', (pattern) => {
    expect(() => boundedTester(pattern, 'u')).toThrow(expect.objectContaining({ exit: 64 }));
  });

  it('gives up a pattern that would run for ever, and works afterwards', () => {
    const test = boundedTester('^(a+)+$', 'u', 100);
    expect(() => test([`${'a'.repeat(50)}b`])).toThrow(/takes too long/);
    expect(test(['aaa'])).toEqual([true]);
  });
});
