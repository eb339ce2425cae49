import koffi from 'koffi';

/**
 * The few system calls that Node does not offer: flock(2) and UNIX datagram sockets. Every function returns what the
 * kernel returns; `check` turns -1 into an error with the errno's name, as Node's own errors have it.
 */
const libc = koffi.load(null);

export const flock: (fd: number, operation: number) => number = libc.func('int flock(int, int)');
export const socket: (domain: number, type: number, protocol: number) => number =
  libc.func('int socket(int, int, int)');
export const bind: (fd: number, address: Uint8Array, length: number) => number = libc.func(
  'int bind(int, const void *, unsigned int)',
);
export const connect: (fd: number, address: Uint8Array, length: number) => number = libc.func(
  'int connect(int, const void *, unsigned int)',
);
export const getsockopt: (fd: number, level: number, name: number, value: Uint8Array, length: Uint8Array) => number =
  libc.func('int getsockopt(int, int, int, void *, void *)');
export const setsockopt: (fd: number, level: number, name: number, value: Uint8Array, length: number) => number =
  libc.func('int setsockopt(int, int, int, const void *, unsigned int)');
export const sendto: (
  fd: number,
  bytes: Uint8Array,
  length: number,
  flags: number,
  address: Uint8Array | null,
  addressLength: number,
) => number = libc.func('long sendto(int, const void *, size_t, int, const void *, unsigned int)');
export const recvmmsg: (fd: number, headers: Uint8Array, count: number, flags: number, timeout: null) => number =
  libc.func('int recvmmsg(int, void *, unsigned int, int, void *)');
export const closeDescriptor: (fd: number) => number = libc.func('int close(int)');
export const eventfd: (initial: number, flags: number) => number = libc.func('int eventfd(unsigned int, int)');
export const writeDescriptor: (fd: number, bytes: Uint8Array, length: number) => number = libc.func(
  'long write(int, const void *, size_t)',
);
export const fcntl: (fd: number, command: number, argument: number) => number = libc.func('int fcntl(int, int, int)');
/** `poll.async` waits on a thread of libuv's pool. */
export const poll = libc.func('int poll(void *, unsigned long, int)');

/** The address of a buffer's first byte, for structures that hold pointers. The buffer must be kept alive by the caller. */
export function addressOf(buffer: Uint8Array): bigint {
  return BigInt(koffi.address(buffer));
}

export const ERRNO: Readonly<Record<string, number>> = koffi.os.errno as unknown as Record<string, number>;
const names = new Map(Object.entries(ERRNO).map(([name, value]) => [value, name]));
// EAGAIN and EWOULDBLOCK are one number on Linux; everybody expects the first name.
if (ERRNO['EAGAIN'] !== undefined) names.set(ERRNO['EAGAIN'], 'EAGAIN');

/** The errno of the last call on this thread. */
export function lastErrno(): number {
  return koffi.errno();
}

/** Makes an error of the last call's errno, shaped like Node's: `code` is the name (ENOENT). */
export function systemError(call: string, target?: string): NodeJS.ErrnoException {
  return namedError(names.get(lastErrno()) ?? `errno ${lastErrno()}`, call, target);
}

export function namedError(code: string, call: string, target?: string): NodeJS.ErrnoException {
  const error: NodeJS.ErrnoException = new Error(`${call}${target === undefined ? '' : ` ${target}`}: ${code}`);
  error.code = code;
  error.syscall = call;
  if (target !== undefined) error.path = target;
  return error;
}

/** Passes a system call's result on, or throws what went wrong. */
export function check(result: number, call: string, target?: string): number {
  if (result < 0) throw systemError(call, target);
  return result;
}
