// Builds the chat widget: one ES module with a hashed name, its source map, and a manifest with the integrity value.
// The same sources give the same bytes, wherever and whenever they are built.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, transform } from 'esbuild';
import { minify } from 'terser';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
/** Chrome and Edge 125, Firefox 124, Safari 17.5: the first with everything that the widget uses. */
const TARGETS = ['chrome125', 'firefox124', 'safari17.5'];

const styles = {
  name: 'styles',
  setup(builder) {
    builder.onLoad({ filter: /\.css$/ }, async ({ path: file }) => {
      const { code } = await transform(readFileSync(file, 'utf8'), { loader: 'css', minify: true, target: TARGETS });
      // esbuild keeps the values of custom properties as they are written.
      return {
        contents: code
          .trim()
          .replace(/(--[\w-]+): /g, '$1:')
          .replace(/, #/g, ',#'),
        loader: 'text',
      };
    });
  },
};

/**
 * Property names that never leave one page: not those of the DOM, of stored or transmitted data, of events between tabs
 * (two versions of the widget may be open), or of the strings. The browser tests run what is built here.
 */
const INTERNAL =
  `attrs kids isBurst pipelined stanza receive lastId dropBefore saveUnsaid isOnline shareTabs isLeader isMention isNotifying
  announce account resumable domain depose lead words bots clock calendar fresh who isDead transport
  login first kill wake tick start stop render shown times cursor lines history isFollowing take check ready up down row
  message local notify post mark open name on`.split(/\s+/);

/** esbuild bundles, terser makes it small: half a kilobyte less than esbuild alone. */
async function bundle() {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: ['widget/src/element.ts'],
    outfile: 'sax-chat.js',
    bundle: true,
    format: 'esm',
    target: TARGETS,
    // All of the targets know \p{L} and its like; esbuild says no because one of them lacks the newest of these names.
    supported: { 'regexp-unicode-property-escapes': true },
    sourcemap: 'external',
    legalComments: 'none',
    logLevel: 'warning',
    charset: 'utf8',
    write: false,
    plugins: [styles],
  });
  const text = (end) => outputFiles.find((file) => file.path.endsWith(end)).text;
  // One keyword for all declarations: as many columns, fewer bytes after gzip. No text of ours holds the word.
  const { code, map } = await minify(
    text('.js')
      .replace(/\bconst (?=[[{\w$])/g, 'let   ')
      .replace(/\bvar /g, 'let '),
    {
      module: true,
      ecma: 2020,
      compress: {
        passes: 4,
        unsafe: true,
        unsafe_math: true,
        unsafe_arrows: true,
        unsafe_methods: true,
        pure_getters: true,
        keep_fargs: false,
        // Fewer bytes before gzip are not fewer after it: repeated shapes compress better than inlined ones.
        inline: 1,
        reduce_funcs: false,
      },
      mangle: { properties: { builtins: true, regex: new RegExp(`^(${INTERNAL.join('|')})$`) } },
      format: { comments: false },
      sourceMap: { content: text('.map'), includeSources: true },
    },
  );
  return { code, map };
}

/** Writes sax-chat.<hash>.js, its map and manifest.json into `out`; answers the manifest. */
export async function buildWidget(out) {
  const { code, map } = await bundle();
  const file = `sax-chat.${createHash('sha256').update(code).digest('hex').slice(0, 12)}.js`;
  const script = `${code}\n//# sourceMappingURL=${file}.map\n`;
  const integrity = `sha384-${createHash('sha384').update(script).digest('base64')}`;
  const manifest = { file, map: `${file}.map`, integrity };
  mkdirSync(out, { recursive: true });
  writeFileSync(path.join(out, file), script);
  writeFileSync(path.join(out, manifest.map), JSON.stringify({ ...JSON.parse(map), file }));
  writeFileSync(path.join(out, 'manifest.json'), `${JSON.stringify(manifest, undefined, 2)}\n`);
  return manifest;
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  await buildWidget(process.argv[2] ?? path.join(root, 'dist/widget'));
