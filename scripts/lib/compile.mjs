import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';

/** Compiles a TypeScript program of this tree that is not part of saxctl (benches, screenshots) and loads it. */
export async function load(entry, name) {
  const outfile = join('node_modules', '.cache', 'saxctl', `${name}.mjs`);
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    packages: 'external',
    logLevel: 'warning',
  });
  return import(pathToFileURL(outfile).href);
}
