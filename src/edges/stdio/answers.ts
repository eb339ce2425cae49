import { Socket } from 'node:net';
import type { Writable } from 'node:stream';
import { claimedOutput } from './claim.ts';

/** Writes answers. `gone` is called when nobody reads them any more. */
export type AnswerWriter = (bytes: Uint8Array) => void;

/** @param fallback the output of a process that did not claim its own (tests). */
export function openAnswers(fallback: Writable, gone: () => void): AnswerWriter {
  const output = claimedOutput();
  if (output === undefined) {
    fallback.on('error', gone);
    return (bytes) => void fallback.write(bytes);
  }
  if ('write' in output) return (bytes) => void output.write(bytes);
  const socket = new Socket({ fd: output.fd, readable: false, writable: true });
  socket.on('error', gone);
  // The questions keep the process alive, not the way of the answers.
  socket.unref();
  return (bytes) => void socket.write(bytes);
}
