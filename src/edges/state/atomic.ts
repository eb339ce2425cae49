import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

let serial = 0;

/**
 * Replaces a file so that a reader sees the old or the new content, whole, whatever dies in between. With `durable` (the
 * default) the new content survives a power cut once this returns. Throws Node's errors (ENOSPC, EACCES); then the old file
 * stands and nothing is left behind.
 */
export async function writeAtomically(
  path: string,
  data: string | Uint8Array,
  mode = 0o640,
  options: { durable?: boolean } = {},
): Promise<void> {
  const durable = options.durable ?? true;
  serial += 1;
  const scratch = join(dirname(path), `.${basename(path)}.${process.pid}.${serial}`);
  let file: FileHandle | undefined;
  try {
    file = await open(scratch, 'w', mode);
    // The mode given to open() is cut by the umask; a snapshot for the web server must have the one that was asked for.
    await file.chmod(mode);
    await file.writeFile(data);
    if (durable) await file.sync();
    await file.close();
    file = undefined;
    await rename(scratch, path);
  } catch (error) {
    await file?.close().catch(() => undefined);
    await rm(scratch, { force: true }).catch(() => undefined);
    throw error;
  }
  if (durable) await syncDirectory(dirname(path));
}

/** Makes names (created, renamed, removed) of a directory durable. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
