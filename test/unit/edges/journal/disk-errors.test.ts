import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import type { Journal } from '../../../../src/app/ports/journal.ts';
import { openJournal } from '../../../../src/edges/journal/journal.ts';

const disk = vi.hoisted(() => ({ directoryFails: false }));
vi.mock(import('../../../../src/edges/state/atomic.ts'), async (original) => {
  const real = await original();
  return {
    ...real,
    syncDirectory: (path) =>
      disk.directoryFails ? Promise.reject(Object.assign(new Error('EIO'), { code: 'EIO' })) : real.syncDirectory(path),
  };
});

const append = (journal: Journal, record: string): Promise<string> =>
  new Promise((resolve) => journal.append(record, true, (error) => resolve(error?.message ?? 'ok')));

test('a compaction that fails after the renaming: what is appended then stands in the file that has the name', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'sax-'));
  const path = join(directory, 'journal');
  const journal = await openJournal(path);
  const held: string[] = [];
  journal.compactTo(() => held);
  const put = async (record: string): Promise<string> => {
    const outcome = await append(journal, record);
    if (outcome === 'ok') held.push(record);
    return outcome;
  };
  expect(await put('{"n":1}')).toBe('ok');
  disk.directoryFails = true;
  expect(await new Promise((resolve) => journal.compact((error) => resolve(error?.message)))).toBe('EIO');
  // Nobody knows whether the new name would survive a power cut: refused aloud.
  expect(await put('{"n":2}')).toBe('EIO');
  disk.directoryFails = false;
  expect(await put('{"n":3}')).toBe('ok');
  // Not closed: this is what a kill would leave.
  const { restored } = await openJournal(path);
  expect(restored).toEqual(['{"n":1}', '{"n":3}']);
  await journal.close();
  rmSync(directory, { recursive: true });
});
