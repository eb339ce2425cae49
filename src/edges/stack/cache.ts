import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

/**
 * A directory that is made once per user and `key` and only copied from then on. `make` fills a directory of another name
 * that is renamed when it is whole: several stacks may start at once, and a killed one leaves nothing half-made in use.
 */
export async function cached(
  name: string,
  key: readonly string[],
  make: (directory: string) => Promise<void>,
): Promise<string> {
  const ready = await cachePath(name, key);
  if (await exists(ready)) return ready;
  await forgetOld(dirname(ready), name);
  const fresh = await mkdtemp(`${ready}.making-`);
  try {
    await make(fresh);
    await rename(fresh, ready);
  } catch (error) {
    await rm(fresh, { recursive: true, force: true });
    // Somebody else was faster: a directory that is not empty cannot be replaced.
    if (!(await exists(ready))) throw error;
  }
  return ready;
}

/** Removes what older versions of us and killed attempts left, once it is a week old: nobody can still be copying it. */
async function forgetOld(cache: string, name: string): Promise<void> {
  for (const entry of await readdir(cache)) {
    if (!entry.startsWith(`${name}-`)) continue;
    const path = join(cache, entry);
    const age = await stat(path).then(
      ({ mtimeMs }) => Date.now() - mtimeMs,
      () => 0,
    );
    if (age > 7 * 86_400_000) await rm(path, { recursive: true, force: true });
  }
}

/** The cached directory if it was made already. */
export async function lookUpCached(name: string, key: readonly string[]): Promise<string | undefined> {
  const ready = await cachePath(name, key);
  return (await exists(ready)) ? ready : undefined;
}

async function cachePath(name: string, key: readonly string[]): Promise<string> {
  const cache = join(homedir(), '.cache', 'saxctl', 'stack');
  await mkdir(cache, { recursive: true, mode: 0o700 });
  const hash = createHash('sha256').update(JSON.stringify(key)).digest('hex').slice(0, 16);
  return join(cache, `${name}-${hash}`);
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
