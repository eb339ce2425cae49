import { spawn } from 'node:child_process';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Journal } from '../../../../src/app/ports/journal.ts';
import { openJournal } from '../../../../src/edges/journal/journal.ts';
import { ownNamespace } from '../../../helpers/namespace.ts';

let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sax-'));
  path = join(directory, 'deep', 'journal');
});
afterEach(() => rmSync(directory, { recursive: true }));

const append = (journal: Journal, record: string, durable = true): Promise<void> =>
  new Promise((resolve, reject) => journal.append(record, durable, (error) => (error ? reject(error) : resolve())));
const records = (count: number): string[] =>
  Array.from({ length: count }, (_, n) => JSON.stringify({ n, text: `Zeile ${n} – é 日本 😀 \n` }));
const fill = async (all: readonly string[]): Promise<void> => {
  const journal = await openJournal(path);
  await Promise.all(all.map((record) => append(journal, record)));
  await journal.close();
};
const read = async (): Promise<{ restored: readonly string[]; damaged: number }> => {
  const journal = await openJournal(path);
  await journal.close();
  return { restored: journal.restored.map((record) => JSON.stringify(JSON.parse(record))), damaged: journal.damaged };
};

test('what was appended is read back, and only we may read it', async () => {
  await fill(records(50));
  expect(await read()).toEqual({ restored: records(50), damaged: 0 });
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test('a crash at any byte leaves the records before it, and the next one stands behind them', async () => {
  await fill(records(4));
  const whole = readFileSync(path);
  const ends = [...whole.keys()].filter((index) => whole[index] === 10).map((index) => index + 1);
  for (let size = 0; size <= whole.length; size += 1) {
    writeFileSync(path, whole.subarray(0, size));
    const journal = await openJournal(path);
    expect(journal.restored).toHaveLength(ends.filter((end) => end <= size).length);
    if (size % 37 === 0) {
      await append(journal, '{"after":"crash"}');
      await journal.close();
      const again = await read();
      expect([again.restored.at(-1), again.damaged]).toEqual(['{"after":"crash"}', 0]);
    } else await journal.close();
  }
});

test('a damaged record in the middle costs itself alone, and is counted', async () => {
  await fill(records(5));
  const bytes = readFileSync(path);
  bytes[bytes.indexOf('Zeile 2')] = 0;
  writeFileSync(path, bytes);
  expect(await read()).toEqual({ restored: records(5).filter((_, n) => n !== 2), damaged: 1 });
});

test('garbage and zeroes at the end are cut off', async () => {
  await fill(records(2));
  for (const tail of ['garbage', '\0'.repeat(5000), 'a\nb\n\n', '00000000 {}\n']) {
    appendFileSync(path, tail);
    expect(await read()).toEqual({ restored: records(2), damaged: 0 });
  }
});

test('a power cut that left a gap of zeroes before what was written with it is no damage', async () => {
  await fill(records(3));
  appendFileSync(path, Buffer.concat([Buffer.alloc(512), Buffer.from('rest of a record"}\n')]));
  appendFileSync(path, readFileSync(path).subarray(0, readFileSync(path).indexOf(10) + 1));
  expect(await read()).toEqual({ restored: [...records(3), ...records(1)], damaged: 0 });
});

test('zeroes wait behind the records for the next ones; a killed process leaves them, a closed file has none', async () => {
  const journal = await openJournal(path);
  for (const record of records(3)) await append(journal, record);
  const open = readFileSync(path);
  expect(open.length).toBeGreaterThan(journal.size + 100_000);
  expect(open.subarray(journal.size).every((byte) => byte === 0)).toBe(true);
  const killed = join(directory, 'killed');
  writeFileSync(killed, open);
  await append(journal, JSON.stringify('x'.repeat(300_000)));
  for (const record of records(2)) await append(journal, record);
  await journal.close();
  expect(statSync(path).size).toBe(journal.size);
  expect(await read()).toMatchObject({ damaged: 0 });
  path = killed;
  expect(await read()).toEqual({ restored: records(3), damaged: 0 });
});

test('a compaction keeps what it is given and what is appended meanwhile', async () => {
  await fill(records(20));
  const journal = await openJournal(path);
  journal.compactTo(() => records(3));
  const done = new Promise<void>((resolve, reject) => journal.compact((error) => (error ? reject(error) : resolve())));
  await Promise.all([append(journal, '{"n":"behind"}'), done]);
  await append(journal, '{"n":"later"}');
  await journal.close();
  expect(await read()).toEqual({ restored: [...records(3), '{"n":"behind"}', '{"n":"later"}'], damaged: 0 });
});

test('a full disk refuses, leaves no trace of what it refused, and takes again when there is room', async () => {
  // The journal runs in a file system of its own of 64 kB.
  const script = `
    const { openJournal } = await import(${JSON.stringify(join(process.cwd(), 'src/edges/journal/journal.ts'))});
    const { rmSync, writeFileSync } = await import('node:fs');
    const journal = await openJournal(process.argv[2] + '/journal');
    const append = (text) => new Promise((resolve) => journal.append(JSON.stringify(text), true, (error) => resolve(error?.code ?? 'ok')));
    const out = [await append('first')];
    try { writeFileSync(process.argv[2] + '/filler', Buffer.alloc(1e6)); } catch {}
    out.push(await append('x'.repeat(20_000)), (await Promise.all([append('y'.repeat(9000)), append('z'.repeat(9000))])).join());
    rmSync(process.argv[2] + '/filler');
    const big = append('b'.repeat(100_000));
    // While that is being written: a record that would find room.
    for (let turn = 0; turn < 3; turn += 1) await undefined;
    out.push((await Promise.all([big, append('behind')])).join());
    out.push(await append('last'));
    await journal.close();
    const again = await openJournal(process.argv[2] + '/journal');
    console.log(JSON.stringify({ out, restored: again.restored }));`;
  const file = join(directory, 'script.ts');
  writeFileSync(file, script);
  const { build } = await import('esbuild');
  const bundle = join(directory, 'script.mjs');
  await build({
    entryPoints: [file],
    outfile: bundle,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    logLevel: 'silent',
  });
  const inside = 'mkdir -p "$0" && mount -t tmpfs -o size=64k tmpfs "$0" && exec "$@" "$0"';
  const small = join(directory, 'small');
  const [unshare, flags] = ownNamespace('mount');
  const child = spawn(unshare, [flags, 'sh', '-c', inside, small, process.execPath, bundle], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let errors = '';
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    errors += chunk;
  });
  await new Promise((resolve) => child.once('close', resolve));
  expect(errors).toBe('');
  expect(JSON.parse(out)).toEqual({
    out: ['ok', 'ENOSPC', 'ENOSPC,ENOSPC', 'ENOSPC,ENOSPC', 'ok'],
    restored: ['"first"', '"last"'],
  });
});

test('a file that was cut by hand is still a journal', async () => {
  await fill(records(10));
  truncateSync(path, 11);
  expect(await read()).toEqual({ restored: [], damaged: 0 });
});
