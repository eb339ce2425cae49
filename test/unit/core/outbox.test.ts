import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DEFAULT_LIMITS, makeOutbox, type Outbox } from '../../../src/core/outbox.ts';

const push = (box: Outbox, text: string, origin = {}): string => {
  const pushed = box.push(`id-${text}`, text, 1000, origin);
  if (pushed.outcome !== 'taken') return pushed.outcome;
  box.durable(pushed.entry.seq);
  return pushed.record;
};
const flown = (box: Outbox): string[] => {
  const out: string[] = [];
  for (let entry = box.next(); entry !== undefined; entry = box.next()) out.push(entry.payload);
  return out;
};

describe('sending', () => {
  test('nothing is sent before the destination is there and asked', () => {
    const box = makeOutbox(DEFAULT_LIMITS);
    push(box, 'a');
    expect(flown(box)).toEqual([]);
    box.ask();
    expect(flown(box)).toEqual([]);
    box.open();
    expect(flown(box)).toEqual(['a']);
  });

  test('never before it is on the disk, and nothing overtakes', () => {
    const box = makeOutbox(DEFAULT_LIMITS);
    box.open();
    const first = box.push('1', 'first', 0);
    push(box, 'second');
    expect(flown(box)).toEqual([]);
    if (first.outcome === 'taken') box.durable(first.entry.seq);
    expect(flown(box)).toEqual(['first', 'second']);
  });

  test('at most two fly; after a refusal one, until it is calm again', () => {
    const box = makeOutbox(DEFAULT_LIMITS);
    box.open();
    for (let n = 0; n < 300; n += 1) push(box, `${n}`);
    expect(flown(box)).toEqual(['0', '1']);
    box.confirm('id-0', 's0');
    box.refused('id-1');
    expect(flown(box)).toEqual(['1']);
    for (let n = 1; n <= 100; n += 1) {
      box.confirm(`id-${n}`, `s${n}`);
      box.next();
    }
    box.confirm('id-101', 's101');
    expect(flown(box)).toEqual(['102', '103'].slice(box.flying === 2 ? 0 : 1));
    expect(box.flying).toBe(2);
  });
});

describe('after a break', () => {
  test('what flew is asked for, and only what is absent is sent again', () => {
    const box = makeOutbox(DEFAULT_LIMITS);
    box.open();
    for (const text of ['a', 'b', 'c']) push(box, text);
    flown(box);
    box.away();
    expect(box.ask().map(({ payload }) => payload)).toEqual(['a', 'b']);
    box.confirm('id-a', 'sa');
    box.open();
    expect(flown(box)).toEqual(['b', 'c']);
    expect(box.base).toBe('sa');
  });

  test('a restored outbox doubts everything', () => {
    const box = makeOutbox(DEFAULT_LIMITS);
    const records = ['a', 'b', 'c'].map((text) => push(box, text));
    const again = makeOutbox(DEFAULT_LIMITS, [...records, box.confirm('id-a', 'sa')?.record ?? '']);
    expect(again.ask().map(({ payload }) => payload)).toEqual(['b', 'c']);
    expect(again.base).toBe('sa');
    expect(push(again, 'd')).toContain('"s":4');
  });
});

test('a confirmation that the disk did not take: the archive is asked from before that entry on', () => {
  const box = makeOutbox(DEFAULT_LIMITS);
  const pushed = ['a', 'b', 'c'].map((text) => push(box, text));
  const [first = '', , third = ''] = ['a', 'b', 'c'].map((text) => box.confirm(`id-${text}`, `s${text}`)?.record ?? '');
  const again = makeOutbox(DEFAULT_LIMITS, [...pushed, first, third]);
  expect([again.ask().map(({ payload }) => payload), again.base]).toEqual([['b'], 'sa']);
  again.confirm('id-b', 'sb');
  expect(again.base).toBe('sb');
});

describe('sources', () => {
  test('a key is taken once, also after a restart and a compaction; a failed write frees it', () => {
    const box = makeOutbox(DEFAULT_LIMITS);
    const failed = box.push('x', 'x', 0, { key: 'k' });
    if (failed.outcome === 'taken') box.forget(failed.entry.seq);
    const record = push(box, 'a', { key: 'k' });
    expect(push(box, 'b', { key: 'k' })).toBe('duplicate');
    const restarted = makeOutbox(DEFAULT_LIMITS, [record]);
    restarted.confirm('id-a', 's');
    const compacted = makeOutbox(DEFAULT_LIMITS, restarted.records());
    expect([push(restarted, 'b', { key: 'k' }), push(compacted, 'b', { key: 'k' })]).toEqual([
      'duplicate',
      'duplicate',
    ]);
  });

  test('a compaction while an entry is being written does not know its key: a crash before that write loses nothing', () => {
    const box = makeOutbox(DEFAULT_LIMITS);
    push(box, 'a', { key: 'k1' });
    const fresh = box.push('id-b', 'b', 0, { key: 'k2' });
    const crashed = makeOutbox(DEFAULT_LIMITS, box.records());
    expect(push(crashed, 'a', { key: 'k1' })).toBe('duplicate');
    expect(push(crashed, 'b', { key: 'k2' })).not.toBe('duplicate');
    const written = fresh.outcome === 'taken' ? fresh.record : '';
    expect(push(makeOutbox(DEFAULT_LIMITS, [...box.records(), written]), 'b', { key: 'k2' })).toBe('duplicate');
  });

  test('a cursor moves with the entry that carries it, never before it is on the disk', () => {
    const box = makeOutbox(DEFAULT_LIMITS);
    const pushed = box.push('1', 'a', 0, { cursor: ['room', '17'] });
    expect(box.cursor('room')).toBeUndefined();
    if (pushed.outcome !== 'taken') throw new Error('full');
    box.durable(pushed.entry.seq);
    expect(box.cursor('room')).toBe('17');
    expect(makeOutbox(DEFAULT_LIMITS, [pushed.record, box.advanceRecord('room', '18')]).cursor('room')).toBe('18');
  });
});

test('the bound refuses by count and by size', () => {
  const small = makeOutbox({ ...DEFAULT_LIMITS, entries: 2, bytes: 10 });
  expect(push(small, 'aaaaaaaaaaa')).toBe('full');
  push(small, 'a');
  push(small, 'b');
  expect(push(small, 'c')).toBe('full');
  small.confirm('id-a', 's');
  expect(push(small, 'c')).not.toBe('full');
});

test('what it says of itself is enough to make it again', () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant('push' as const), text: fc.string() }),
    fc.record({ do: fc.constant('confirm' as const), n: fc.nat(20) }),
    fc.record({ do: fc.constant('giveUp' as const), n: fc.nat(20) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const box = makeOutbox(DEFAULT_LIMITS);
      const log: string[] = [];
      steps.forEach((action, index) => {
        if (action.do === 'push') {
          const pushed = box.push(`i${index}`, action.text, index);
          if (pushed.outcome !== 'taken') throw new Error('full');
          box.durable(pushed.entry.seq);
          log.push(pushed.record);
        } else {
          const done =
            action.do === 'confirm' ? box.confirm(`i${action.n}`, `p${index}`) : box.giveUp(`i${action.n}`, 'no');
          if (done !== undefined) log.push(done.record);
        }
      });
      const list = (some: Outbox): unknown => [
        some.base,
        some.ask().map(({ seq, id, payload, at }) => [seq, id, payload, at]),
      ];
      box.away();
      const replayed = makeOutbox(DEFAULT_LIMITS, log);
      const compacted = makeOutbox(DEFAULT_LIMITS, [...replayed.records()]);
      expect(list(compacted)).toEqual(list(replayed));
      expect((list(replayed) as [unknown, unknown[]])[1]).toHaveLength(box.size);
    }),
  );
});
