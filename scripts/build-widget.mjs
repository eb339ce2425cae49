// Builds the chat widget: one ES module with a hashed name, its source map, and a manifest with the integrity value.
// The same sources give the same bytes, wherever and whenever they are built.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, transform } from 'esbuild';
import { minify } from 'terser';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
/** Chrome and Edge 123, Firefox 124, Safari 17.5: the first with everything that the widget uses. */
const TARGETS = ['chrome123', 'firefox124', 'safari17.5'];

const styles = {
  name: 'styles',
  setup(builder) {
    builder.onLoad({ filter: /\.css$/ }, async ({ path: file }) => {
      const { code } = await transform(readFileSync(file, 'utf8'), { loader: 'css', minify: true, target: TARGETS });
      return { contents: code.trim(), loader: 'text' };
    });
  },
};

/** esbuild bundles, terser makes it small: half a kilobyte less than esbuild alone. */
async function bundle() {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: ['widget/src/element.ts'],
    outfile: 'sax-chat.js',
    bundle: true,
    format: 'esm',
    target: TARGETS,
    sourcemap: 'external',
    legalComments: 'none',
    logLevel: 'warning',
    charset: 'utf8',
    write: false,
    plugins: [styles],
  });
  const text = (end) => outputFiles.find((file) => file.path.endsWith(end)).text;
  return await minify(text('.js'), {
    module: true,
    ecma: 2020,
    compress: { passes: 4, unsafe_arrows: true, unsafe_methods: true, pure_getters: true, keep_fargs: false },
    format: { comments: false },
    sourceMap: { content: text('.map'), includeSources: true },
  });
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
