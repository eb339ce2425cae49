import { decodeAnswer, encodeDatagram, LIMITS, type Structured } from '../core/datagram.ts';
import { EXIT, type ExitCode, SaxError } from '../core/errors.ts';
import { printable } from '../core/escape.ts';
import type { Clock } from './ports/clock.ts';

/** How datagrams leave; errors carry the errno's name in `code`. */
export type Sender = {
  send(path: string, bytes: Uint8Array): void;
  /** The answer to what was sent, undefined when none came in time. Only for senders that can be answered. */
  answer?(ms: number): Promise<Uint8Array | undefined>;
};

export type Say = {
  readonly path: string;
  /** As typed; sent as it is unless there is more to say about it. */
  readonly text: string;
  readonly words: Omit<Structured, 'text' | 'ack' | 'type'> & { readonly type?: string | undefined };
  /** Milliseconds to wait for the room; undefined: not at all. */
  readonly waitMs: number | undefined;
  /** How long a full queue is tried again. */
  readonly patienceMs: number;
};

export type Said = { readonly id: string | undefined; readonly ms: number };

/**
 * Sends one announcement; with `waitMs` until the room has it. Throws a SaxError: 65 too long or empty, 69 nobody listens, 75 the
 * queue is full or nothing was heard in time, 77 not allowed.
 */
export async function say(what: Say, sender: Sender, clock: Clock): Promise<Said | undefined> {
  await send(what, encode(what), sender, clock);
  if (what.waitMs === undefined) return undefined;
  const bytes = await sender.answer?.(what.waitMs);
  const answer = bytes === undefined ? undefined : decodeAnswer(bytes);
  if (answer === undefined)
    throw new SaxError(EXIT.temporary, `the room did not have it within ${what.waitMs} ms`, {
      hint: 'the webridge has it and says it when it can: see its log, or saxctl history',
    });
  if (!answer.ok)
    throw new SaxError(answer.error === 'empty' ? EXIT.data : EXIT.temporary, `not said: ${printable(answer.error)}`);
  return { id: answer.id, ms: answer.ms };
}

function encode({ text, words, waitMs }: Say): Uint8Array {
  const { type, ...rest } = words;
  if (type === undefined && waitMs === undefined) {
    const bytes = new TextEncoder().encode(text);
    if (bytes.length === 0) throw new SaxError(EXIT.data, 'nothing to say', { hint: 'give a text, --type or --stdin' });
    if (bytes.length > LIMITS.plainBytes) throw tooLong(`${bytes.length} bytes, at most ${LIMITS.plainBytes}`);
    return bytes;
  }
  const ack = waitMs === undefined ? undefined : true;
  const said = text === '' ? undefined : text;
  if (type === undefined && said === undefined) throw new SaxError(EXIT.data, 'nothing to say');
  const structured =
    type === undefined ? { type: 'system', text: said, ack } : { type, ...rest, what: rest.what ?? said, ack };
  const bytes = encodeDatagram(structured);
  if (bytes === undefined) throw tooLong(`more than ${LIMITS.structuredBytes} bytes`);
  return bytes;
}

function tooLong(detail: string): SaxError {
  return new SaxError(EXIT.data, `too long: ${detail}`);
}

async function send({ path, patienceMs }: Say, bytes: Uint8Array, sender: Sender, clock: Clock): Promise<void> {
  const deadline = clock.monotonic() + patienceMs;
  for (;;) {
    try {
      sender.send(path, bytes);
      return;
    } catch (error) {
      const code = (error as { code?: string }).code ?? '';
      if (code !== 'EAGAIN' || clock.monotonic() >= deadline) throw explain(error, code, path);
      await clock.sleep(5);
    }
  }
}

const REASONS: Readonly<Record<string, readonly [exit: ExitCode, reason: string, hint: string]>> = {
  ENOENT: [EXIT.unavailable, 'nobody listens on', 'start saxctl webridge, or name its socket with --socket'],
  ECONNREFUSED: [EXIT.unavailable, 'nobody listens on', 'start saxctl webridge: the socket was left behind'],
  EPROTOTYPE: [EXIT.unavailable, 'no datagram socket:', 'name the webridge’s socket with --socket'],
  EAGAIN: [EXIT.temporary, 'the queue is full of', 'try again; see what keeps the webridge'],
  ENOBUFS: [EXIT.temporary, 'no memory to send to', 'try again'],
  EMSGSIZE: [EXIT.data, 'too long for', 'say it shorter'],
  EACCES: [EXIT.refused, 'not allowed to write to', 'the socket’s group may: see [webridge] socket_group'],
  EPERM: [EXIT.refused, 'not allowed to write to', 'the socket’s group may: see [webridge] socket_group'],
  ENAMETOOLONG: [EXIT.usage, 'too long for a socket’s name:', 'a UNIX socket’s path has at most 107 bytes'],
};

function explain(cause: unknown, code: string, path: string): unknown {
  const known = REASONS[code];
  if (known === undefined) return cause;
  const [exit, reason, hint] = known;
  return new SaxError(exit, `${reason} ${printable(path)} (${code})`, { hint, cause });
}
