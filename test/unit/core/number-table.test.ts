import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hash53 } from '../../../src/core/hash53.ts';
import { createNumberTable } from '../../../src/core/number-table.ts';

test('does what a Map does', () => {
  const key = fc.oneof(fc.nat(20), fc.maxSafeNat());
  const action = fc.record({ key, value: fc.nat(255), remove: fc.boolean() });
  fc.assert(
    fc.property(fc.array(action, { maxLength: 300 }), (actions) => {
      const table = createNumberTable(1, 1, 16);
      const map = new Map<number, number>();
      for (const { key: at, value, remove } of actions) {
        if (remove) table.remove(at);
        else table.setValue(table.put(at), value, 1);
        if (remove) map.delete(at);
        else map.set(at, value);
      }
      const entries = [...table.slots()].map((slot): [number, number] => [table.key(slot), table.value(slot, 1)]);
      expect(new Map(entries)).toEqual(map);
      expect(table.size()).toBe(map.size);
      for (const { key: at } of actions) expect(table.find(at) >= 0).toBe(map.has(at));
    }),
  );
});

test('holds a hundred thousand', () => {
  const table = createNumberTable();
  for (let id = 1; id <= 100_000; id++) table.setValue(table.put(id * 7919), id);
  for (let id = 1; id <= 100_000; id += 997) expect(table.value(table.find(id * 7919))).toBe(id);
  expect(table.size()).toBe(100_000);
});

test('hashes are different for a hundred thousand names, and for every seed', () => {
  const names = Array.from({ length: 100_000 }, (_, index) => `member${index}`);
  const hashes = new Set(names.map((name) => hash53(name, 5)));
  expect(hashes.size).toBe(100_000);
  expect(names.slice(0, 1000).filter((name) => hashes.has(hash53(name, 6)))).toEqual([]);
  expect([...hashes].every((hash) => Number.isSafeInteger(hash) && hash >= 0)).toBe(true);
});
