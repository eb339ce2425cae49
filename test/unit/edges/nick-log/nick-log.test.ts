import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { NickLog } from '../../../../src/app/ports/nicks.ts';
import type { NickRecord } from '../../../../src/core/nick-record.ts';
import { openNickLog } from '../../../../src/edges/nick-log/nick-log.ts';

let directory = '';
let path = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'saxctl-nick-log-'));
  path = join(directory, 'deep', 'nicks.log');
});
afterEach(() => rmSync(directory, { recursive: true }));

const RECORDS: readonly NickRecord[] = [
  { kind: 'for', service: 'conference.test', domain: 'test' },
  { kind: 'asked', id: 2, localpart: 'жук\\20x', nick: 'Жук x' },
  { kind: 'held', id: 2, localpart: 'жук\\20x', nick: 'Жук x' },
  { kind: 'gone', id: 3 },
  { kind: 'stray', localpart: 'old', nick: 'a"b\\' },
  { kind: 'stray-gone', localpart: 'old' },
];

const all = (log: NickLog): NickRecord[] => [...log.records()].map(({ record }) => record);

async function withLog<T>(work: (log: NickLog) => T | Promise<T>, options = {}): Promise<T> {
  const log = await openNickLog(path, options);
  try {
    return await work(log);
  } finally {
    log.close();
  }
}

describe('the memory of sync-nicks', () => {
  test('keeps every kind of record and reads each by its position', async () => {
    await withLog((log) => {
      expect(all(log)).toEqual([]);
      const positions = [...log.append(RECORDS.slice(0, 2)), ...log.append(RECORDS.slice(2))];
      expect(positions.map((position) => log.read(position))).toEqual(RECORDS);
    });
    await withLog((log) => {
      expect(all(log)).toEqual(RECORDS);
      expect([...log.records()].map(({ position }) => log.read(position))).toEqual(RECORDS);
    });
  });

  test('cut at any byte: all whole lines are there, and writing goes on behind them', async () => {
    await withLog((log) => void log.append(RECORDS));
    const whole = readFileSync(path);
    const ends = [...whole.entries()].filter(([, byte]) => byte === 10).map(([at]) => at + 1);
    for (let cut = 0; cut <= whole.length; cut++) {
      writeFileSync(path, whole);
      truncateSync(path, cut);
      const good = ends.filter((end) => end <= cut).length;
      const more: NickRecord = { kind: 'gone', id: cut + 10 };
      await withLog((log) => {
        expect(all(log)).toEqual(RECORDS.slice(0, good));
        log.append([more]);
      });
      await withLog((log) => expect(all(log)).toEqual([...RECORDS.slice(0, good), more]));
    }
  });

  test('a damaged line costs that line only; garbage at the end is cut off', async () => {
    await withLog((log) => void log.append(RECORDS));
    const bytes = readFileSync(path);
    bytes[bytes.indexOf('"?"') + 6] = 0;
    writeFileSync(path, Buffer.concat([bytes, Buffer.alloc(300), Buffer.from('\nxx\n')]));
    const left = RECORDS.filter(({ kind }) => kind !== 'asked');
    await withLog((log) => {
      expect(all(log)).toEqual(left);
      log.append([{ kind: 'gone', id: 99 }]);
    });
    await withLog((log) => expect(all(log)).toEqual([...left, { kind: 'gone', id: 99 }]));
  });

  test('is replaced as a whole, reading from itself', async () => {
    const many = Array.from(
      { length: 9000 },
      (_, id): NickRecord => ({ kind: 'held', id, localpart: `m${id}`, nick: `M${id}` }),
    );
    await withLog(async (log) => {
      log.append(many);
      const { size } = statSync(path);
      const kept = (): Iterable<NickRecord> =>
        [...log.records()].filter(({ position }) => position % 2 === 0).map(({ record }) => record);
      const expected = [...kept()];
      await log.rewrite(kept());
      expect(statSync(path).size).toBeLessThan(size);
      log.append([{ kind: 'gone', id: 1 }]);
      expect(all(log)).toEqual([...expected, { kind: 'gone', id: 1 }]);
    });
  });

  test('read-only makes nothing, and a missing file is an empty one', async () => {
    await withLog((log) => expect(all(log)).toEqual([]), { readOnly: true });
    expect(() => readFileSync(path)).toThrow('ENOENT');
  });

  test('a directory that cannot be made is exit 73', async () => {
    writeFileSync(join(directory, 'file'), '');
    await expect(openNickLog(join(directory, 'file', 'x', 'nicks.log'))).rejects.toMatchObject({ exit: 73 });
  });
});
