import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeDirectory } from '../state/directory.ts';

/** Writes files below a directory, folders included; replaces what is there. For generated files of the package alone. */
export async function writeGenerated(directory: string, files: ReadonlyMap<string, string>): Promise<void> {
  for (const [path, text] of files) {
    const target = join(directory, path);
    makeDirectory(dirname(target));
    await writeFile(target, text);
  }
}
