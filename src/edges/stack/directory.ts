import { readFileSync, readlinkSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { killProcessesOf, startOf } from './process-table.ts';

const PREFIX = 'saxctl-stack-';
/** Longer would not leave room for the sockets in it: sun_path holds 107 bytes. */
const LONGEST_BASE = 48;

type Owner = { readonly pid: number; readonly start: string; readonly boot: string; readonly namespace: string };

/** Where stacks live: the temporary directory, unless its name is too long for UNIX sockets. */
function base(): string {
  const wanted = tmpdir();
  return wanted.length <= LONGEST_BASE ? wanted : '/tmp';
}

/** Makes a throw-away directory (0700) that says who owns it, so that a later start can tell a live stack from a dead one. */
export async function createDirectory(): Promise<string> {
  const directory = await mkdtemp(join(base(), PREFIX));
  const owner: Owner = { pid: process.pid, start: startOf(process.pid) ?? '', ...here() };
  await writeFile(join(directory, 'owner.json'), JSON.stringify(owner));
  return directory;
}

/** Kills everything that belongs to the directory and removes it. */
export async function removeDirectory(directory: string): Promise<void> {
  await killProcessesOf(directory);
  await rm(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
}

/**
 * Ends what SIGKILLed owners left behind: their processes (found by the mark in their environment) and their directories.
 * Directories of live owners, of other users and of other containers that share the temporary directory are left alone.
 * Returns the directories that were removed.
 */
export async function sweep(): Promise<string[]> {
  const removed: string[] = [];
  for (const name of await readdir(base())) {
    if (!name.startsWith(PREFIX)) continue;
    const directory = join(base(), name);
    if (!(await isAbandoned(directory))) continue;
    await removeDirectory(directory);
    removed.push(directory);
  }
  return removed;
}

async function isAbandoned(directory: string): Promise<boolean> {
  try {
    const { uid, mtimeMs } = await stat(directory);
    if (uid !== process.getuid?.()) return false;
    const owner = await readFile(join(directory, 'owner.json'), 'utf8').then(
      (text): Owner => JSON.parse(text),
      () => undefined,
    );
    // Between mkdtemp and the owner file there is a moment; only an old one is a corpse.
    if (owner === undefined) return Date.now() - mtimeMs > 60_000;
    const { boot, namespace } = here();
    if (owner.boot !== boot) return true;
    if (owner.namespace !== namespace) return false;
    return startOf(owner.pid) !== owner.start;
  } catch {
    return false;
  }
}

function here(): { boot: string; namespace: string } {
  return {
    boot: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(),
    namespace: readlinkSync('/proc/self/ns/pid'),
  };
}
