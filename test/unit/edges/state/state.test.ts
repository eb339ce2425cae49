import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { writeAtomically } from '../../../../src/edges/state/atomic.ts';
import { acquireLock } from '../../../../src/edges/state/lock.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sax-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

test('a second lock is refused and names the holder; a released one can be had again', () => {
  const path = join(directory, 'deep', 'lock');
  const lock = acquireLock(path);
  expect(() => acquireLock(path)).toThrow(`already running as process ${process.pid}`);
  lock.release();
  acquireLock(path).release();
});

test('the lock dies with a killed process, though the file stays and says otherwise', async () => {
  const path = join(directory, 'lock');
  const holder = spawn('flock', ['-F', path, 'sh', '-c', 'echo held; exec sleep 60'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  await once(holder.stdout, 'data');
  expect(() => acquireLock(path)).toThrow('already running');
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  acquireLock(path).release();
});

test('replaces a file with exactly the mode asked for, and leaves nothing else', async () => {
  const path = join(directory, 'snapshot.json');
  writeFileSync(path, 'old');
  await writeAtomically(path, 'new', 0o644);
  expect([readFileSync(path, 'utf8'), statSync(path).mode & 0o777, readdirSync(directory)]).toEqual([
    'new',
    0o644,
    ['snapshot.json'],
  ]);
});

test('a failed write leaves the old file and no scratch file', async () => {
  const path = join(directory, 'taken');
  const file = join(directory, 'file');
  writeFileSync(file, '');
  await expect(writeAtomically(join(file, 'x'), 'data')).rejects.toMatchObject({ code: 'ENOTDIR' });
  await expect(writeAtomically(directory, 'data')).rejects.toThrow();
  chmodSync(directory, 0o700);
  expect(statSync(path, { throwIfNoEntry: false })).toBeUndefined();
  expect(readdirSync(directory)).toEqual(['file']);
});
