import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BACKOFF, backoff } from '../../../src/core/backoff.ts';
import { failed, newRotation, nextTarget, succeeded } from '../../../src/core/rotation.ts';

test('waits grow by half from one second to a minute', () => {
  expect([0, 1, 2, 3, 6, 7, 8, 1000].map((failures) => backoff(failures, 0))).toEqual([
    0, 1000, 1500, 2250, 7594, 11_391, 17_086, 60_000,
  ]);
});

test('jitter stays within the limits', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 10_000 }), fc.double({ min: 0, max: 1, noNaN: true }), (failures, random) => {
      const wait = backoff(failures, random);
      expect(wait).toBeGreaterThanOrEqual(BACKOFF.minMs);
      expect(wait).toBeLessThanOrEqual(BACKOFF.maxMs);
    }),
  );
});

test('the next server is the first one that may be tried, in the order of the list', () => {
  let rotation = newRotation(3);
  expect(nextTarget(rotation, 0)).toEqual({ index: 0, at: 0 });
  rotation = failed(rotation, 0, 0, 0, BACKOFF);
  expect(nextTarget(rotation, 0)).toEqual({ index: 1, at: 0 });
  rotation = failed(rotation, 1, 0, 0, BACKOFF, 600_000);
  rotation = failed(rotation, 2, 0, 0, BACKOFF);
  expect(nextTarget(rotation, 0)).toEqual({ index: 0, at: 1000 });
  rotation = failed(rotation, 0, 1000, 0, BACKOFF);
  expect(nextTarget(rotation, 1000)).toEqual({ index: 2, at: 1000 });
  rotation = succeeded(rotation, 0);
  expect(nextTarget(rotation, 1000)).toEqual({ index: 0, at: 1000 });
});
