import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Line } from '../../../widget/src/line.ts';
import { createStore } from '../../../widget/src/store.ts';

const line = (more: Partial<Line>): Line => ({ n: 'Tari', t: 'hi', ts: 1000, ...more });

describe('store', () => {
  it('knows a line by the room’s id, whatever else differs', () => {
    const store = createStore(100);
    store.add(line({ id: '5', m: 'a', ts: 1000 }));
    expect(store.add(line({ id: '5', m: 'a', ts: 1007 }))).toBeUndefined();
    expect(store.lines).toHaveLength(1);
  });

  it('knows a line by the sender’s id: typed here, then reflected', () => {
    const store = createStore(100);
    const typed = line({ m: 'mine', p: 'wait' });
    store.add(typed);
    expect(store.add(line({ id: '7', m: 'mine', ts: 2000 }))).toEqual([typed, false]);
    expect(store.lines).toEqual([{ n: 'Tari', t: 'hi', ts: 2000, id: '7', m: 'mine', p: undefined, k: undefined }]);
    // Said again after a cut: another id of the archive, the same message.
    expect(store.add(line({ id: '8', m: 'mine', ts: 3000 }))).toBeUndefined();
    expect(store.lines).toHaveLength(1);
  });

  it('knows what was typed here though the room says it otherwise', () => {
    const store = createStore(100);
    // XML cannot carry a vertical tab, and a server may have a filter.
    store.add(line({ m: 'mine', t: 'a\vb\r\nc', p: 'wait' }));
    store.add(line({ id: '7', m: 'mine', t: 'ab\nc', ts: 2000 }));
    expect(store.lines).toMatchObject([{ id: '7', t: 'ab\nc', p: undefined }]);
    store.add(line({ m: 'other', t: 'x', p: 'wait' }));
    store.add(line({ id: '8', m: 'theirs', t: 'x', ts: 2001 }));
    expect(store.lines).toHaveLength(3);
  });

  it('knows a line without ids by nickname, text and time', () => {
    const store = createStore(100);
    store.add(line({ ts: 1000 }));
    expect(store.add(line({ ts: 9000 }))).toBeUndefined();
    expect(store.add(line({ ts: 60_000 }))).toBeDefined();
    expect(store.add(line({ ts: 1000, n: 'alice' }))).toBeDefined();
    expect(store.lines).toHaveLength(3);
  });

  it('shows what was said twice twice', () => {
    const store = createStore(100);
    store.add(line({ id: '1', m: 'a', t: 'ok' }));
    store.add(line({ id: '2', m: 'b', t: 'ok' }));
    store.add(line({ id: '3', t: 'ok' }));
    expect(store.lines.map(({ id }) => id)).toEqual(['1', '2', '3']);
  });

  it('tells a client that uses its ids again from a repeated message', () => {
    const store = createStore(100);
    store.add(line({ id: '1', m: '1', t: 'ok', ts: 0 }));
    store.add(line({ id: '2', m: '1', t: 'ok', ts: 3_600_000 }));
    store.add(line({ id: '3', m: '1', t: 'other', ts: 3_600_001 }));
    expect(store.lines).toHaveLength(3);
  });

  it('keeps the newest and what waits, and forgets what lies before a gap', () => {
    const store = createStore(3);
    for (let i = 1; i <= 5; i++) store.add(line({ id: `${i}`, m: `${i}`, ts: i * 1000, t: `${i}` }));
    expect(store.lines.map(({ t }) => t)).toEqual(['3', '4', '5']);
    expect(store.add(line({ id: '1', m: '1', ts: 1000, t: '1' }))).toBeUndefined();
    store.add(line({ m: 'w', p: 'wait', t: 'typed', ts: 1 }));
    store.dropBefore(5000);
    expect(store.lines.map(({ t }) => t)).toEqual(['5', 'typed']);
    expect(store.lastId()).toBe('5');
  });

  it('ends with the same list whatever the order and however often', () => {
    const said = Array.from({ length: 12 }, (_, i) =>
      line({ id: `${100 + i}`, m: `m${i}`, ts: i * 700, t: i % 3 ? 'ok' : `t${i}` }),
    );
    fc.assert(
      fc.property(fc.array(fc.nat(11), { maxLength: 80 }), (order) => {
        const store = createStore(100);
        order.forEach((at, i) => {
          const original = said[at] as Line;
          // The snapshot has no message ids.
          const { m, ...rest } = original;
          store.add(i % 2 ? rest : { ...rest, m });
        });
        expect(store.lines.map(({ id }) => id)).toEqual(
          [...new Set(order)].sort((a, b) => a - b).map((at) => `${100 + at}`),
        );
      }),
    );
  });
});
