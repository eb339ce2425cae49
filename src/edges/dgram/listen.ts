import { chmodSync, chownSync, lstatSync, type Stats, statSync, unlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DatagramSocket } from '../../app/ports/datagram.ts';
import { EXIT, reasonOf, SaxError } from '../../core/errors.ts';
import {
  bind,
  check,
  closeDescriptor,
  connect,
  ERRNO,
  fcntl,
  getsockopt,
  lastErrno,
  setsockopt,
  systemError,
} from '../state/libc.ts';
import { encodeAddress } from './address.ts';
import { makeWaiter } from './readiness.ts';
import { makeRing } from './ring.ts';
import { AF_UNIX, openSocket, SOCK_DGRAM, sendFrom } from './send.ts';

const SOL_SOCKET = 1;
const SO_TYPE = 3;
const SO_TIMESTAMPNS = 35;
const SO_DOMAIN = 39;
const SO_PEEK_OFF = 42;
const F_SETFD = 2;
const FD_CLOEXEC = 1;

export type ListenOptions = {
  readonly path: string;
  readonly mode: number;
  /** Numeric group of the socket file. */
  readonly group?: number | undefined;
};

/**
 * Binds a datagram socket of our own. A stale file of a dead process is replaced. Throws SaxError with exit 73 when the socket
 * is alive, the name belongs to something else (file, symlink, directory), the directory is missing or can be written by
 * strangers, or the rights cannot be set.
 */
export function listenDatagrams(options: ListenOptions): DatagramSocket {
  const { path } = options;
  refuseUnsafePlace(path);
  const fd = openSocket();
  try {
    if (!tryBind(fd, path)) {
      removeStale(path);
      if (!tryBind(fd, path)) throw systemError('bind', path);
    }
    if (options.group !== undefined) chownSync(path, -1, options.group);
    chmodSync(path, options.mode);
  } catch (error) {
    closeDescriptor(fd);
    if (error instanceof SaxError) throw error;
    throw new SaxError(EXIT.cannotCreate, `cannot make the socket: ${reasonOf(error)}`, { cause: error });
  }
  const inode = statSync(path).ino;
  return makeSocket(fd, false, () => {
    const now = lookAt(path);
    if (now?.isSocket() === true && now.ino === inode) unlinkSync(path);
  });
}

/**
 * Takes over a socket that the supervisor made (sd_listen_fds(3)); it stays open after us, with what waits in it. Throws SaxError
 * with exit 73 when it is not a UNIX datagram socket.
 */
export function adoptDatagrams(fd: number): DatagramSocket {
  if (optionOf(fd, SO_DOMAIN) !== AF_UNIX || optionOf(fd, SO_TYPE) !== SOCK_DGRAM)
    throw new SaxError(EXIT.cannotCreate, `the socket handed over as descriptor ${fd} is not a UNIX datagram socket`, {
      hint: 'use ListenDatagram= with a path in the .socket unit',
    });
  fcntl(fd, F_SETFD, FD_CLOEXEC);
  check(setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, int32(1), 4), 'setsockopt SO_TIMESTAMPNS');
  return makeSocket(fd, true, () => undefined);
}

function makeSocket(fd: number, kept: boolean, removeFile: () => void): DatagramSocket {
  const ring = makeRing();
  const waiter = makeWaiter(fd);
  let open = true;
  const drop = (count: number): void => {
    // An empty datagram may hide among those that were shown (the kernel shows it once): it does not count.
    for (let left = count; left > 0; ) {
      const taken = ring.receive(fd, false, left);
      if (taken.length === 0) return;
      left -= taken.filter((datagram) => datagram.bytes.length > 0).length;
    }
  };
  return {
    kept,
    readable: () => waiter.wait(),
    take: () => (open ? ring.receive(fd, false) : []),
    peek() {
      if (!open) return [];
      check(setsockopt(fd, SOL_SOCKET, SO_PEEK_OFF, int32(0), 4), 'setsockopt SO_PEEK_OFF');
      const waiting = waiter.pending();
      const shown = ring.receive(fd, true).filter((datagram) => datagram.bytes.length > 0);
      // Something waited before we looked and nothing is shown: an empty datagram is at the head, which the kernel shows once. In the
      // other order a datagram that arrives in between would be taken for it.
      if (waiting && shown.length === 0) ring.receive(fd, false, 1);
      return shown;
    },
    drop: (count) => {
      if (open) drop(count);
    },
    answer(to, bytes) {
      try {
        sendFrom(fd, to, bytes);
        return true;
      } catch {
        return false;
      }
    },
    close(last) {
      if (!open) return;
      removeFile();
      last?.();
      open = false;
      waiter.close(() => closeDescriptor(fd));
    },
  };
}

function tryBind(fd: number, path: string): boolean {
  const address = encodeAddress(path);
  // Nobody gets in between bind and chmod: until then only this user may write.
  const before = process.umask(0o177);
  const result = bind(fd, address.bytes, address.length);
  process.umask(before);
  if (result === 0) return true;
  if (lastErrno() === ERRNO['EADDRINUSE']) return false;
  throw systemError('bind', path);
}

/** Throws SaxError with exit 73 when somebody listens on this path. Nothing is changed. */
export function refuseLive(path: string): void {
  if (lookAt(path)?.isSocket() !== true) return;
  const code = knock(path);
  if (code !== 'ECONNREFUSED' && code !== 'ENOENT') throw live(path, code);
}

/** Removes a socket file that nobody listens on. Throws when somebody does, or when it is not a socket. */
function removeStale(path: string): void {
  const found = lookAt(path);
  if (found === undefined) return;
  if (!found.isSocket()) {
    const what = found.isSymbolicLink() ? 'a symbolic link' : found.isDirectory() ? 'a directory' : 'a file';
    throw new SaxError(EXIT.cannotCreate, `cannot make the socket: ${path} is ${what}`, {
      hint: 'remove it, or set [webridge] socket',
    });
  }
  const code = knock(path);
  if (code === 'ECONNREFUSED') unlinkSync(path);
  else if (code !== 'ENOENT') throw live(path, code);
}

/** What the kernel says to a connection; undefined when it is taken. */
function knock(path: string): string | undefined {
  const scratch = openSocket();
  const address = encodeAddress(path);
  const result = connect(scratch, address.bytes, address.length);
  const code = result === 0 ? undefined : systemError('connect', path).code;
  closeDescriptor(scratch);
  return code;
}

function live(path: string, code: string | undefined): SaxError {
  return new SaxError(
    EXIT.cannotCreate,
    `cannot make the socket: somebody listens on ${path}${code === undefined ? '' : ` (${code})`}`,
    { hint: 'another webridge runs; stop it, or set another [webridge] socket' },
  );
}

/** The directory must exist, and nobody else may be able to put a socket of his own into it under our name. */
function refuseUnsafePlace(path: string): void {
  if (path.startsWith('@'))
    throw new SaxError(EXIT.cannotCreate, `cannot make the socket: everybody could write to the abstract ${path}`, {
      hint: 'set [webridge] socket to a path',
    });
  const directory = dirname(path);
  let found: Stats;
  try {
    found = statSync(directory);
  } catch (cause) {
    throw new SaxError(EXIT.cannotCreate, `cannot make the socket: no directory ${directory}`, {
      hint: 'make it (mode 0750, owned by this user), or use RuntimeDirectory= of systemd',
      cause,
    });
  }
  if (!found.isDirectory())
    throw new SaxError(EXIT.cannotCreate, `cannot make the socket: ${directory} is not a directory`);
  const own = process.getuid?.() ?? 0;
  if (found.uid !== own && found.uid !== 0)
    throw new SaxError(EXIT.cannotCreate, `cannot make the socket: ${directory} belongs to user ${found.uid}`, {
      hint: 'use a directory of this user or of root',
    });
  const strangers =
    (found.mode & 0o002) !== 0
      ? 'everybody'
      : (found.mode & 0o020) !== 0 && found.gid !== process.getegid?.()
        ? 'a group'
        : undefined;
  if (strangers !== undefined)
    throw new SaxError(EXIT.cannotCreate, `cannot make the socket: ${strangers} can write to ${directory}`, {
      hint: `chmod go-w ${directory}, or use a directory of its own`,
    });
}

function lookAt(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}

function int32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
}

function optionOf(fd: number, name: number): number | undefined {
  const value = Buffer.alloc(4);
  const length = int32(4);
  return getsockopt(fd, SOL_SOCKET, name, value, length) === 0 ? value.readInt32LE() : undefined;
}
