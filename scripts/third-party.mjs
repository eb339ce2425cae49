// Writes THIRD-PARTY.md: the licences of everything that dist/ holds, as the bundler saw it. `--check` compares instead.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { build } from 'esbuild';

const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8'));

/** Names of the packages whose files go into a bundle. */
async function bundled(entry, options) {
  const { metafile } = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    metafile: true,
    format: 'esm',
    outdir: 'dist',
    splitting: true,
    logLevel: 'silent',
    ...options,
  });
  // Only what is left after unused code was dropped.
  const used = Object.values(metafile.outputs).flatMap(({ inputs }) =>
    Object.entries(inputs).flatMap(([path, { bytesInOutput }]) => (bytesInOutput > 0 ? [path] : [])),
  );
  return used.flatMap((path) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[0] ?? []);
}

const directories = new Set([
  ...(await bundled('src/main.ts', { platform: 'node', target: 'node20', external: ['koffi'] })),
  ...(existsSync('widget/src/element.ts') ? await bundled('widget/src/element.ts', { platform: 'browser' }) : []),
  ...Object.keys(dependencies).map((name) => `node_modules/${name}/`),
]);

/** Old packages name no licence, but carry its text. */
const nameOf = (text) => (/Permission is hereby granted, free of charge/.test(text ?? '') ? 'MIT' : 'unknown');

const packages = [...directories].map((directory) => {
  const { name, version, license, licenses, author, repository } = JSON.parse(
    readFileSync(`${directory}package.json`, 'utf8'),
  );
  const file = readdirSync(directory).find((entry) => /^(?:licen[cs]e|copying)(?:[-.]|$)/i.test(entry));
  const text =
    file === undefined
      ? undefined
      : readFileSync(directory + file, 'utf8')
          .replaceAll('\r\n', '\n')
          .trim();
  const url = (typeof repository === 'string' ? repository : (repository?.url ?? ''))
    .replace(/^git\+/, '')
    .replace(/\.git$/, '');
  return {
    name,
    version,
    license: typeof license === 'string' ? license : (license?.type ?? licenses?.[0]?.type ?? nameOf(text)),
    author,
    url,
    text,
  };
});
const key = ({ name, version }) => `${name}@${version}`;
packages.sort((a, b) => (key(a) < key(b) ? -1 : 1));

const unlicensed = packages.filter(
  ({ license }) => !/MIT|ISC|BSD|Apache-2\.0|0BSD|BlueOak|Unlicense|CC0/.test(license),
);
if (unlicensed.length > 0)
  throw new Error(`not fit for redistribution: ${unlicensed.map(({ name }) => name).join(', ')}`);

/** Tables of ours that were made from other people's data. */
const data = [
  {
    file: 'src/core/confusables-table.ts',
    what: 'Unicode confusables.txt (UTS 39), as ICU 72 carries it',
    license: 'Unicode-3.0',
  },
  {
    file: 'src/core/stringprep-tables.ts',
    what: 'the tables of RFC 3454 (stringprep) and the Unicode Character Database 3.2',
    license: 'Unicode-3.0',
  },
];
for (const { file } of data) if (!existsSync(file)) throw new Error(`${file} is gone: mend scripts/third-party.mjs`);

const holder = ({ author }) => (typeof author === 'string' ? author : (author?.name ?? 'its authors'));
const page = `# Third-party notices

saxctl holds code of the following packages, each under its own licence. Made by \`npm run generate\`.

| package | version | licence |
|---|---|---|
${packages.map(({ name, version, license }) => `| ${name} | ${version} | ${license} |`).join('\n')}

${packages
  .map(
    (each) =>
      `## ${each.name} ${each.version}\n\n${each.url ? `<${each.url}>\n\n` : ''}\`\`\`\n${each.text ?? `${each.license}, © ${holder(each)}`}\n\`\`\`\n`,
  )
  .join('\n')}
## Data

| file | made from | licence |
|---|---|---|
${data.map(({ file, what, license }) => `| ${file} | ${what} | ${license} |`).join('\n')}

<https://www.unicode.org/license.txt>

\`\`\`
${readFileSync('scripts/licences/unicode-3.0.txt', 'utf8').trim()}
\`\`\`
`;

if (process.argv.includes('--check')) {
  if (readFileSync('THIRD-PARTY.md', 'utf8') !== page) {
    console.error('THIRD-PARTY.md is stale: npm run generate');
    process.exitCode = 1;
  }
} else writeFileSync('THIRD-PARTY.md', page);
