import { check, closeDescriptor, sendto, socket } from '../state/libc.ts';
import { encodeAddress } from './address.ts';

export const AF_UNIX = 1;
export const SOCK_DGRAM = 2;
export const SOCK_NONBLOCK = 0o4000;
export const SOCK_CLOEXEC = 0o2000000;
export const MSG_DONTWAIT = 0x40;
/** No SIGPIPE (send(2)). */
export const MSG_NOSIGNAL = 0x4000;

/** A datagram socket without an address, never blocking, not inherited by children. */
export function openSocket(): number {
  return check(socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), 'socket');
}

/** Sends from an open socket, without waiting. Throws ENOENT, ECONNREFUSED, EAGAIN (queue full), EMSGSIZE, EACCES. */
export function sendFrom(fd: number, path: string, bytes: Uint8Array): void {
  const address = encodeAddress(path);
  check(sendto(fd, bytes, bytes.length, MSG_DONTWAIT | MSG_NOSIGNAL, address.bytes, address.length), 'sendto', path);
}

/**
 * Sends one datagram to a UNIX socket (a path, or `@name` for an abstract one) and forgets it. Never waits. Throws errors
 * with the errno's name in `code`: ENOENT and ECONNREFUSED (nobody listens), EAGAIN (its queue is full), EMSGSIZE, EACCES,
 * EPROTOTYPE (not a datagram socket), ENAMETOOLONG.
 */
export function sendDatagram(path: string, bytes: Uint8Array): void {
  const fd = openSocket();
  try {
    sendFrom(fd, path, bytes);
  } finally {
    closeDescriptor(fd);
  }
}
