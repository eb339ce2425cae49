import { constants } from 'node:fs';
import { access, lstat, open, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { EXIT, reasonOf, SaxError } from '../../core/errors.ts';
import { printable } from '../../core/escape.ts';
import { makeDirectory } from '../state/directory.ts';

/** Which of the paths exist (a dangling link does too). */
export async function existing(paths: readonly string[]): Promise<string[]> {
  const found = await Promise.all(
    paths.map((path) =>
      lstat(path).then(
        () => true,
        () => false,
      ),
    ),
  );
  return paths.filter((_, index) => found[index]);
}

export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** Writes a file that must not exist yet, directories included. @throws SaxError (exit 73) */
export async function writeNew(path: string, text: string, mode: number): Promise<void> {
  try {
    makeDirectory(dirname(path), 0o755);
    const file = await open(path, 'wx', mode);
    try {
      await file.writeFile(text);
      // The mode given to open() is cut by the umask.
      await file.chmod(mode);
    } finally {
      await file.close();
    }
  } catch (error) {
    throw new SaxError(EXIT.cannotCreate, `cannot write ${printable(path)}: ${reasonOf(error)}`, {
      hint: 'run as root, or name another directory',
      cause: error,
    });
  }
}

/** The path of a program in one of the directories. */
export async function findExecutable(name: string, directories: readonly string[]): Promise<string | undefined> {
  for (const directory of directories) {
    const path = `${directory}/${name}`;
    if (
      await access(path, constants.X_OK).then(
        () => true,
        () => false,
      )
    )
      return path;
  }
  return undefined;
}
