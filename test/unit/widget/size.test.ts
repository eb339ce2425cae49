import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, expect, it } from 'vitest';

const { buildWidget } = (await import(new URL('../../../scripts/build-widget.mjs', import.meta.url).href)) as {
  buildWidget(out: string): Promise<{ file: string; map: string; integrity: string }>;
};
const out = mkdtempSync(join(tmpdir(), 'saxctl-widget-'));
afterAll(() => rmSync(out, { recursive: true, force: true }));

it('is at most 12,000 bytes gzip for everything that a page loads, and the same bytes each time', {
  timeout: 60_000,
}, async () => {
  const first = await buildWidget(join(out, 'a'));
  const second = await buildWidget(join(out, 'b'));
  expect(second).toEqual(first);
  const script = readFileSync(join(out, 'a', first.file));
  expect(gzipSync(script, { level: 9 }).length).toBeLessThanOrEqual(12_000);
  expect(readFileSync(join(out, 'b', first.map))).toEqual(readFileSync(join(out, 'a', first.map)));
  // No path of the machine that built it.
  expect(readFileSync(join(out, 'a', first.map), 'utf8')).not.toContain(out);
  expect(JSON.parse(readFileSync(join(out, 'a', first.map), 'utf8')).sources).toContain('widget/src/link.ts');
});
