// npm run screenshots: docs/screenshots/widget-*.png from the real widget with the real servers, played by two members.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const outfile = join('node_modules', '.cache', 'screenshots.mjs');
await build({
  entryPoints: ['bench/lib/screenshots.ts'],
  outfile,
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  packages: 'external',
  logLevel: 'warning',
});
mkdirSync('docs/screenshots', { recursive: true });
const { takeScreenshots } = await import(pathToFileURL(join(process.cwd(), outfile)).href);
await takeScreenshots('docs/screenshots');
