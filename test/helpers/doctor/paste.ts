import { parse } from 'yaml';
import type { Tree } from './broken-options.ts';

const isTable = (value: unknown): value is Tree => typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * What somebody does who pastes doctor's lines into his ejabberd.yml: keys that are there are replaced, tables are gone
 * into, and an entry of `listen` is the one of the same module.
 */
export function pasteYml(file: Tree, repair: string): Tree {
  return merge(file, (parse(repair) ?? {}) as Tree);
}

function merge(there: Tree, pasted: Tree): Tree {
  const result: Tree = { ...there };
  for (const [key, value] of Object.entries(pasted)) {
    const old = there[key];
    if (key === 'listen' && Array.isArray(value) && Array.isArray(old)) result[key] = listeners(old, value);
    else result[key] = isTable(value) && isTable(old) ? merge(old, value) : value;
  }
  return result;
}

const listeners = (there: readonly Tree[], pasted: readonly Tree[]): Tree[] =>
  there.map((entry) => ({ ...entry, ...pasted.find(({ module }) => module === entry['module']) }));
