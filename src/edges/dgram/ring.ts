import type { Datagram } from '../../app/ports/datagram.ts';
import { addressOf, ERRNO, lastErrno, recvmmsg, systemError } from '../state/libc.ts';
import { ADDRESS_BYTES, decodeAddress } from './address.ts';
import { MSG_DONTWAIT } from './send.ts';

/** How many datagrams one system call fetches. The kernel's queue is 11 deep by default, 513 on most systemd machines. */
const SLOTS = 16;
/** What is kept of one datagram; the rest is cut and `truncated` says so. */
export const KEPT_BYTES = 65_536;
const MSG_PEEK = 0x02;
const MSG_TRUNC = 0x20;
const SCM_TIMESTAMPNS = 35;

// struct mmsghdr { struct msghdr { name*, namelen, iov*, iovlen, control*, controllen, flags }, len } and struct iovec,
// as laid out on every 64-bit little-endian Linux (koffi has binaries for no other 64-bit one).
const HEADER = {
  size: 64,
  name: 0,
  nameLength: 8,
  vector: 16,
  vectorLength: 24,
  control: 32,
  controlLength: 40,
  flags: 48,
  length: 56,
};
const VECTOR_SIZE = 16;
const NAME_SLOT = 112;
const CONTROL_SLOT = 64;

export type Ring = {
  /** Fetches what waits, up to a slot count, without blocking. `peek` leaves the datagrams in the kernel's queue. */
  receive(fd: number, peek: boolean, limit?: number): Datagram[];
};

/** Memory for recvmmsg(2), used again for every call: what it returns is copied out. */
export function makeRing(): Ring {
  const payload = Buffer.allocUnsafeSlow(SLOTS * KEPT_BYTES);
  // One allocation: only the headers are named below, and the kernel follows their pointers to vectors that must still live.
  const structures = Buffer.alloc(SLOTS * (HEADER.size + VECTOR_SIZE));
  const headers = structures.subarray(0, SLOTS * HEADER.size);
  const vectors = structures.subarray(SLOTS * HEADER.size);
  const names = Buffer.alloc(SLOTS * NAME_SLOT);
  const controls = Buffer.alloc(SLOTS * CONTROL_SLOT);
  const at = [headers, vectors, names, controls, payload].map(addressOf);
  const [, vectorsAt = 0n, namesAt = 0n, controlsAt = 0n, payloadAt = 0n] = at;
  for (let slot = 0; slot < SLOTS; slot += 1) {
    const header = slot * HEADER.size;
    vectors.writeBigUInt64LE(payloadAt + BigInt(slot * KEPT_BYTES), slot * VECTOR_SIZE);
    vectors.writeBigUInt64LE(BigInt(KEPT_BYTES), slot * VECTOR_SIZE + 8);
    headers.writeBigUInt64LE(namesAt + BigInt(slot * NAME_SLOT), header + HEADER.name);
    headers.writeBigUInt64LE(vectorsAt + BigInt(slot * VECTOR_SIZE), header + HEADER.vector);
    headers.writeBigUInt64LE(1n, header + HEADER.vectorLength);
    headers.writeBigUInt64LE(controlsAt + BigInt(slot * CONTROL_SLOT), header + HEADER.control);
  }

  const read = (slot: number): Datagram => {
    const header = slot * HEADER.size;
    const wanted = headers.readUInt32LE(header + HEADER.length);
    const start = slot * KEPT_BYTES;
    const bytes = new Uint8Array(payload.subarray(start, start + Math.min(wanted, KEPT_BYTES)));
    const name = names.subarray(slot * NAME_SLOT, slot * NAME_SLOT + ADDRESS_BYTES);
    return {
      bytes,
      truncated: wanted > KEPT_BYTES,
      from: decodeAddress(name, headers.readUInt32LE(header + HEADER.nameLength)),
      stamp: stampOf(controls, slot * CONTROL_SLOT, headers.readUInt32LE(header + HEADER.controlLength)),
    };
  };

  return {
    receive(fd, peek, limit = SLOTS) {
      const count = Math.min(limit, SLOTS);
      for (let slot = 0; slot < count; slot += 1) {
        const header = slot * HEADER.size;
        headers.writeUInt32LE(ADDRESS_BYTES, header + HEADER.nameLength);
        headers.writeUInt32LE(CONTROL_SLOT, header + HEADER.controlLength);
        headers.writeUInt32LE(0, header + HEADER.flags);
      }
      const got = recvmmsg(fd, headers, count, MSG_DONTWAIT | MSG_TRUNC | (peek ? MSG_PEEK : 0), null);
      if (got < 0) {
        if (lastErrno() === ERRNO['EAGAIN'] || lastErrno() === ERRNO['EINTR']) return [];
        throw systemError('recvmmsg');
      }
      const datagrams: Datagram[] = [];
      for (let slot = 0; slot < got; slot += 1) {
        const datagram = read(slot);
        datagrams.push(datagram);
        // After a cut one, peeking goes on in the middle of the same datagram (SO_PEEK_OFF counts bytes): stop there.
        if (peek && datagram.truncated) break;
      }
      return datagrams;
    },
  };
}

/** When the kernel queued it, in nanoseconds (SO_TIMESTAMPNS), as text; undefined when that was not asked for. */
function stampOf(controls: Buffer, offset: number, length: number): string | undefined {
  if (length < 32 || controls.readInt32LE(offset + 12) !== SCM_TIMESTAMPNS) return undefined;
  return `${controls.readBigInt64LE(offset + 16)}.${String(controls.readBigInt64LE(offset + 24)).padStart(9, '0')}`;
}
