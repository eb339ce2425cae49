import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseWhen } from '../../../../src/core/history/when.ts';

const NOW = Date.UTC(2026, 2, 1, 12, 0, 0);

describe('parseWhen', () => {
  it.each([
    ['30s', NOW - 30_000],
    ['2h', NOW - 7_200_000],
    ['3d', NOW - 259_200_000],
    ['1h30m', NOW - 5_400_000],
    ['1w', NOW - 604_800_000],
    ['999999999w', 0],
    ['2026-02-28T18:00:00Z', Date.UTC(2026, 1, 28, 18)],
    ['2026-02-28 18:00z', Date.UTC(2026, 1, 28, 18)],
    ['2026-02-28T18:00:00.25+02:00', Date.UTC(2026, 1, 28, 16, 0, 0, 250)],
    ['2026-02-28T18:00-0330', Date.UTC(2026, 1, 28, 21, 30)],
    ['2026-02-28', new Date(2026, 1, 28).getTime()],
    ['2026-02-28T18:30', new Date(2026, 1, 28, 18, 30).getTime()],
  ])('%s', (text, at) => {
    expect(parseWhen(text, NOW)).toBe(at);
  });

  it.each([
    '',
    'now',
    '2',
    '2 h',
    '-2h',
    '2026-02-30',
    '2026-13-01',
    '2026-02-28T24:00',
    '2026-02-28T10:60',
    '10:00',
    'h',
  ])('refuses %j with exit 64', (text) => {
    expect(() => parseWhen(text, NOW)).toThrow(expect.objectContaining({ exit: 64 }));
  });

  it('reads back every instant that a date can write', () => {
    fc.assert(
      fc.property(fc.date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true }), (date) => {
        expect(parseWhen(date.toISOString(), NOW)).toBe(date.getTime());
      }),
    );
  });
});
