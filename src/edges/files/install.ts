import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EXIT, reasonOf, SaxError } from '../../core/errors.ts';
import { printable } from '../../core/escape.ts';
import { makeDirectory } from '../state/directory.ts';

export type Installed = { readonly written: readonly string[]; readonly unchanged: readonly string[] };

/**
 * Puts files into a directory, each complete or not at all; the directory is made. A file that is there with other content is
 * somebody's work: without `force` nothing is written then.
 * @throws SaxError with exit 73.
 */
export async function installFiles(
  directory: string,
  files: ReadonlyMap<string, Uint8Array>,
  force: boolean,
): Promise<Installed> {
  const written: string[] = [];
  const unchanged: string[] = [];
  for (const [name, content] of files) {
    const there = await readFile(join(directory, name)).catch(() => undefined);
    if (there?.equals(content)) unchanged.push(name);
    else if (there === undefined || force) written.push(name);
    else
      throw new SaxError(EXIT.cannotCreate, `there is another file already: ${printable(join(directory, name))}`, {
        hint: 'name another directory, or say --force to replace it',
      });
  }
  try {
    makeDirectory(directory);
    for (const name of written) await replaceFile(join(directory, name), files.get(name) ?? new Uint8Array());
  } catch (error) {
    throw new SaxError(EXIT.cannotCreate, `cannot write into ${printable(directory)}: ${reasonOf(error)}`, {
      hint: 'check the path and its rights',
      cause: error,
    });
  }
  return { written, unchanged };
}

async function replaceFile(path: string, content: Uint8Array): Promise<void> {
  const draft = `${path}.${process.pid}.tmp`;
  try {
    await writeFile(draft, content, { mode: 0o644 });
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}
