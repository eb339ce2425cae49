import { constants } from 'node:fs';
import { access, readFile, stat, statfs } from 'node:fs/promises';
import type { FileFacts } from '../../core/doctor/machine.ts';

/** stat(2) with names of owner and group; undefined when the path cannot be reached. */
export async function fileFacts(path: string): Promise<FileFacts | undefined> {
  try {
    const { mode, uid, gid, ...kind } = await stat(path).then((found) => ({
      mode: found.mode & 0o7777,
      uid: found.uid,
      gid: found.gid,
      file: found.isFile(),
      directory: found.isDirectory(),
      socket: found.isSocket(),
    }));
    return {
      kind: kind.file ? 'file' : kind.directory ? 'directory' : kind.socket ? 'socket' : 'other',
      mode,
      owner: await nameOf('/etc/passwd', uid),
      group: await nameOf('/etc/group', gid),
    };
  } catch {
    return undefined;
  }
}

async function nameOf(database: string, id: number): Promise<string> {
  const text = (await readText(database)) ?? '';
  const line = text.split('\n').find((entry) => entry.split(':')[2] === String(id));
  return line?.split(':')[0] ?? String(id);
}

export async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch {
    return undefined;
  }
}

export async function writable(path: string): Promise<boolean> {
  try {
    await access(path, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

export async function freeSpace(path: string): Promise<{ bytes: number; files: number } | undefined> {
  try {
    const { bavail, bsize, ffree, files } = await statfs(path);
    // Some file systems have no inodes to run out of.
    return { bytes: bavail * bsize, files: files === 0 ? Number.POSITIVE_INFINITY : ffree };
  } catch {
    return undefined;
  }
}

/** Paths of the UNIX sockets that a process holds (proc(5), /proc/net/unix). */
export async function boundSockets(): Promise<ReadonlySet<string>> {
  const text = (await readText('/proc/net/unix')) ?? '';
  return new Set(text.split('\n').flatMap((line) => /^\S+: (?:\S+ ){5}\s*\d+ (\/.*)$/.exec(line)?.[1] ?? []));
}

/** TCP ports that listen (proc(5), /proc/net/tcp): state 0A, addresses in the machine's byte order. */
export async function listeningPorts(): Promise<readonly { address: string; port: number; program: string }[]> {
  const found: { address: string; port: number; program: string }[] = [];
  for (const [file, any] of [
    ['/proc/net/tcp', '0.0.0.0'],
    ['/proc/net/tcp6', '::'],
  ] as const) {
    for (const line of ((await readText(file)) ?? '').split('\n')) {
      const match = /^\s*\d+: ([0-9A-F]+):([0-9A-F]{4}) [0-9A-F]+:[0-9A-F]{4} 0A /.exec(line);
      if (match === null) continue;
      const address = /^0+$/.test(match[1] ?? '') ? any : 'other';
      found.push({ address, port: Number.parseInt(match[2] ?? '0', 16), program: '' });
    }
  }
  return found;
}
