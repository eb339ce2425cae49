import { writeSync } from 'node:fs';
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
  const { fd } = output;
  let socket: Socket | undefined;
  /** Nobody reads for the moment: what is written waits in order. */
  const later = (bytes: Uint8Array): void => {
    if (socket === undefined) {
      socket = new Socket({ fd, readable: false, writable: true });
      socket.on('error', gone);
      // The questions keep the process alive, not the way of the answers.
      socket.unref();
    }
    socket.write(bytes);
  };
  return (bytes) => {
    if (socket !== undefined) return later(bytes);
    try {
      // Four bytes are written whole or not at all (pipe(7), PIPE_BUF).
      writeSync(fd, bytes);
    } catch (error) {
      if ((error as { code?: string }).code === 'EAGAIN') later(bytes);
      else gone();
    }
  };
}
