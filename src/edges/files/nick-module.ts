import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { EXIT, SaxError } from '../../core/errors.ts';

/** Where ejabberd's module mod_sax_nick lies as source, in the package that `program` (bin/saxctl.js) belongs to. */
export const nickModulePath = (program: string): string =>
  join(dirname(dirname(program)), 'share', 'ejabberd', 'mod_sax_nick.erl');

/**
 * The source of mod_sax_nick.
 * @throws SaxError with exit 69 when it is not in this installation.
 */
export async function readNickModule(program: string): Promise<string> {
  const path = nickModulePath(program);
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new SaxError(EXIT.unavailable, `ejabberd’s module is not in this installation: ${path}`, {
      hint: 'install the whole package again: npm install -g saxctl',
      cause: error,
    });
  }
}
