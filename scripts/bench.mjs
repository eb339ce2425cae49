// npm run bench -- NAME […]: compiles bench/NAME.ts and runs it against the built program. Without a name: lists them.
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { load } from './lib/compile.mjs';

const known = readdirSync('bench')
  .filter((file) => file.endsWith('.ts'))
  .map((file) => basename(file, '.ts'));
const [name, ...rest] = process.argv.slice(2);
if (name === undefined || !known.includes(name)) {
  console.error(`usage: npm run bench -- ${known.join('|')} [arguments]`);
  process.exit(64);
}

// Parsing a CA bundle at every start would be measured with each child (Node 20).
delete process.env.NODE_EXTRA_CA_CERTS;

const { run } = await load(join('bench', `${name}.ts`), `bench-${name}`);
await run(rest);
// Node 20 sometimes spins for ever in its own clean-up when connections were reset (as the stack's proxies do).
process.exit();
