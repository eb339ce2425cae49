import type { Readable, Writable } from 'node:stream';
import { EXIT, SaxError } from '../../core/errors.ts';

type Terminal = Readable & { isTTY?: boolean; setRawMode?(on: boolean): unknown };

/**
 * A secret from standard input: asked for without echo on a terminal, else all of it without the last line end.
 * @throws SaxError 130 on Ctrl-C.
 */
export async function readSecret(input: Terminal, prompt: Writable, question: string): Promise<Uint8Array> {
  return input.isTTY === true ? ask(input, prompt, question) : readAll(input);
}

async function readAll(input: Readable): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  for await (const chunk of input) chunks.push(Buffer.from(chunk as Buffer));
  const all = Buffer.concat(chunks);
  const end = all.at(-1) === 0x0a ? (all.at(-2) === 0x0d ? -2 : -1) : all.length;
  return all.subarray(0, end);
}

function ask(input: Terminal, prompt: Writable, question: string): Promise<Uint8Array> {
  prompt.write(question);
  input.setRawMode?.(true);
  input.resume();
  return new Promise((resolve, reject) => {
    let typed = '';
    const finish = (settle: () => void): void => {
      input.off('data', onData);
      input.setRawMode?.(false);
      input.pause();
      prompt.write('\n');
      settle();
    };
    const onData = (chunk: Buffer): void => {
      for (const char of chunk.toString()) {
        if (char === '\u0003') {
          finish(() => reject(new SaxError(EXIT.interrupted, 'interrupted')));
          return;
        }
        if (char === '\r' || char === '\n' || char === '\u0004') {
          finish(() => resolve(Buffer.from(typed)));
          return;
        }
        if (char === '\u007f' || char === '\b') typed = typed.slice(0, -1);
        else typed += char;
      }
    };
    input.on('data', onData);
  });
}
