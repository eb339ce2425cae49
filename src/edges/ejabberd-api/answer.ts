export type HttpAnswer = {
  readonly status: number;
  readonly body: string;
  /** The server closes the connection behind it. */
  readonly last: boolean;
};

/** One answer of HTTP/1.1 (RFC 9112, section 6.3), from bytes as they come. */
export type AnswerReader = {
  /** The answer when it is whole. Throws when this is no HTTP, or more than the answer. */
  take(bytes: Buffer): HttpAnswer | undefined;
  /** The connection was closed: the answer if that is how its end is told. */
  end(): HttpAnswer | undefined;
};

type Head = { readonly status: number; readonly length: number | 'chunked' | 'end'; readonly last: boolean };

const MOST_HEAD = 65_536;

/** @param most bytes of the body. */
export function newAnswerReader(most: number): AnswerReader {
  let pending: Buffer = Buffer.alloc(0);
  let head: Head | undefined;
  const chunks: Buffer[] = [];
  let taken = 0;

  const keep = (bytes: Buffer): void => {
    taken += bytes.length;
    if (taken > most) throw new Error(`an answer of more than ${most} bytes`);
    chunks.push(bytes);
  };
  const whole = ({ status, last }: Head): HttpAnswer => {
    if (pending.length > 0) throw new Error('an answer that nobody asked for');
    return { status, body: Buffer.concat(chunks).toString('utf8'), last };
  };

  return {
    take(bytes) {
      pending = pending.length === 0 ? bytes : Buffer.concat([pending, bytes]);
      while (head === undefined) {
        const end = pending.indexOf('\r\n\r\n');
        if (end < 0 && pending.length > MOST_HEAD) throw new Error('a head without end');
        if (end < 0) return undefined;
        const found = readHead(pending.toString('latin1', 0, end));
        pending = pending.subarray(end + 4);
        // 1xx comes before the answer itself.
        if (found.status >= 200) head = found;
      }
      const { length } = head;
      if (length === 'chunked') return takeChunks() ? whole(head) : undefined;
      const some = length === 'end' ? pending : pending.subarray(0, length - taken);
      pending = pending.subarray(some.length);
      keep(some);
      return taken === length ? whole(head) : undefined;
    },
    end: () => (head?.length === 'end' ? whole(head) : undefined),
  };

  /** True when the last chunk and the trailer are there (RFC 9112, section 7.1). */
  function takeChunks(): boolean {
    for (;;) {
      const end = pending.indexOf('\r\n');
      if (end < 0) return false;
      const size = Number.parseInt(pending.toString('latin1', 0, end), 16);
      if (!(size >= 0)) throw new Error('a chunk without size');
      if (size === 0) {
        const over = pending.indexOf('\r\n\r\n', end);
        if (over < 0) return false;
        pending = pending.subarray(over + 4);
        return true;
      }
      if (pending.length < end + 2 + size + 2) {
        if (size > most) throw new Error(`an answer of more than ${most} bytes`);
        return false;
      }
      keep(pending.subarray(end + 2, end + 2 + size));
      pending = pending.subarray(end + 2 + size + 2);
    }
  }
}

function readHead(text: string): Head {
  const status = /^HTTP\/1\.[01] (\d{3})\b/.exec(text)?.[1];
  if (status === undefined) throw new Error('an answer that is not HTTP');
  const field = (name: string): string => new RegExp(`^${name}:[ \\t]*(.*?)[ \\t]*$`, 'im').exec(text)?.[1] ?? '';
  const length = field('content-length');
  const chunked = /\bchunked$/i.test(field('transfer-encoding'));
  const connection = field('connection').toLowerCase();
  const none = status === '204' || status === '304';
  const told = none ? 0 : chunked ? 'chunked' : /^\d{1,12}$/.test(length) ? Number(length) : 'end';
  return {
    status: Number(status),
    length: told,
    last:
      told === 'end' || connection.includes('close') || (text.startsWith('HTTP/1.0') && connection !== 'keep-alive'),
  };
}
