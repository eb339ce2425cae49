import { fstatSync } from 'node:fs';
import { type ConnectOpts, Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { claimedOutput } from './claim.ts';

/** More than ejabberd asks at once; a longer packet comes in pieces. */
const CHUNK = 16_384;

/**
 * Reads the questions. `take` gets each piece, which is its own for good, and says whether it has room for more; if not, it
 * calls `resume` when it has. `over`: there are no more, told at least once.
 * @param io whose standard input is opened only when it is read as a stream.
 */
export function openQuestions(
  io: { readonly stdin: Readable },
  take: (chunk: Uint8Array) => boolean,
  over: () => void,
): { resume(): void } {
  const input = isOurs() ? openPipe(take) : openStream(io.stdin, take);
  input.on('end', over).on('error', over).on('close', over);
  input.resume();
  return { resume: () => void input.resume() };
}

/** One buffer for all that is read: a stream of Node's makes one of 64 KiB for each question. */
function openPipe(take: (chunk: Uint8Array) => boolean): Readable {
  const options: ConstructorParameters<typeof Socket>[0] & Pick<ConnectOpts, 'onread'> = {
    fd: 0,
    readable: true,
    writable: false,
    onread: {
      buffer: Buffer.allocUnsafeSlow(CHUNK),
      callback: (length, buffer) => take(Buffer.from((buffer as Buffer).subarray(0, length))),
    },
  };
  return new Socket(options);
}

function openStream(input: Readable, take: (chunk: Uint8Array) => boolean): Readable {
  return input.on('data', (chunk: Buffer) => {
    if (!take(chunk)) input.pause();
  });
}

/** Only the process that took standard output away from everybody has standard input for itself. */
function isOurs(): boolean {
  const output = claimedOutput();
  if (output === undefined || !('fd' in output)) return false;
  try {
    return fstatSync(0).isFIFO();
  } catch {
    return false;
  }
}
