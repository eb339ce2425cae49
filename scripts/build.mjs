// Builds dist/: one small chunk per command (split, never one file: parsing code that is not used is what costs start-up time).
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { build } from 'esbuild';
import { buildWidget } from './build-widget.mjs';
import { slimMysql2 } from './slim-mysql2.mjs';

const { version } = JSON.parse(readFileSync('package.json', 'utf8'));

/** The commit that the build was made from, or '' outside a checkout (an unpacked tarball). */
function commit() {
  try {
    return execFileSync('git', ['rev-parse', '--short=12', 'HEAD'], { stdio: ['ignore', 'pipe', 'ignore'] })
      .toString()
      .trim();
  } catch {
    return '';
  }
}

const shared = {
  bundle: true,
  platform: 'node',
  format: 'esm',
  outdir: 'dist',
  legalComments: 'none',
  logLevel: 'warning',
};

rmSync('dist', { recursive: true, force: true });
const main = {
  ...shared,
  target: 'node20',
  entryPoints: { main: 'src/main.ts' },
  splitting: true,
  minifySyntax: true,
  minifyWhitespace: true,
  sourcemap: 'linked',
  sourcesContent: false,
  chunkNames: 'chunks/[name]-[hash]',
  external: ['koffi'],
  plugins: [slimMysql2({ preparedOnly: false })],
  define: {
    'globalThis.SAXCTL_VERSION': JSON.stringify(version),
    'globalThis.SAXCTL_COMMIT': JSON.stringify(commit()),
  },
  // CommonJS dependencies (mysql2, irc-framework) call require() for Node's own modules.
  banner: {
    js: "import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);",
  },
};
await build(main);
const commonJs = {
  format: 'cjs',
  outExtension: { '.js': '.cjs' },
  define: { 'import.meta.url': '__url' },
  banner: { js: "const __url=require('url').pathToFileURL(__filename).href;" },
};
// ejabberd's authentication in one file that is read and run at once: twenty small ones, each waited for, and a module of
// its own for everything that is taken from Node, take longer than Node itself.
await build({
  ...main,
  entryPoints: { gate: 'src/gate.ts' },
  splitting: false,
  plugins: [slimMysql2({ preparedOnly: true })],
  minify: true,
  ...commonJs,
  define: { ...main.define, ...commonJs.define },
});
// The launcher alone is written for old Nodes: it says in one line what is missing instead of dying of a syntax error.
await build({
  ...shared,
  target: 'es2020',
  entryPoints: { launch: 'src/launch.ts' },
  external: ['./main.js'],
  ...commonJs,
  plugins: [
    {
      name: 'old-names',
      setup: ({ onResolve }) =>
        onResolve({ filter: /^node:/ }, ({ path }) => ({ path: path.slice('node:'.length), external: true })),
    },
  ],
});
await buildWidget('dist/widget');
