/**
 * The one exchange of the MySQL protocol that a login costs, as bytes: COM_STMT_EXECUTE with one parameter, and an answer of
 * one text column (MariaDB knowledge base "Clients & Utilities: COM_STMT_EXECUTE", "Result Set Packets"). Strict: an answer
 * with anything unforeseen in it is no answer, for the row of another question is a stranger's login.
 */

const COM_STMT_EXECUTE = 0x17;
const LONGLONG = 0x08;
const VAR_STRING = 0xfd;
/** VARCHAR, the BLOBs, VAR_STRING, STRING: sent with their length before them. */
const TEXTS: ReadonlySet<number> = new Set([15, 249, 250, 251, 252, 253, 254]);
const BINARY = 63;
const MORE_RESULTS = 0x08;
const HEADER = 4;
/** No answer of ours is longer: a member's rows, one for each ban. */
const LONGEST = 1 << 20;

/**
 * The packet that executes a prepared statement with one value: a safe integer, or a text of at most 250 ASCII characters.
 * @throws RangeError
 */
export function executePacket(statement: number, value: string | number): Uint8Array {
  const size = 1 + 4 + 1 + 4 + 1 + 1 + 2 + (typeof value === 'string' ? 1 + value.length : 8);
  const packet = new Uint8Array(HEADER + size);
  packet[0] = size;
  packet[1] = size >> 8;
  packet[4] = COM_STMT_EXECUTE;
  for (let at = 0; at < 4; at++) packet[5 + at] = statement >>> (8 * at);
  // 9: no cursor. 14: the value is not NULL.
  packet[10] = 1;
  packet[15] = 1;
  if (typeof value === 'string') {
    packet[16] = VAR_STRING;
    putText(packet, 18, value);
  } else {
    if (!Number.isSafeInteger(value)) throw new RangeError('no integer');
    packet[16] = LONGLONG;
    new DataView(packet.buffer).setBigInt64(18, BigInt(value), true);
  }
  return packet;
}

/** A text behind its length, which fits into one byte. */
function putText(packet: Uint8Array, from: number, text: string): void {
  if (text.length > 250) throw new RangeError('too long');
  packet[from] = text.length;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code > 0x7f) throw new RangeError('not ASCII');
    packet[from + 1 + at] = code;
  }
}

export type ServerError = { readonly code: number; readonly message: string };

/** Text of a column, whose character set is binary or the connection's. */
export type Decode = (bytes: Uint8Array, binary: boolean) => string;

/**
 * Reads the answer from its first byte on: the rows' texts (NULL is ''), or what the server said was wrong. `more` when it is not
 * whole yet, `broken` when it is not of this form or something follows it.
 */
export function readAnswer(bytes: Uint8Array, decode: Decode): readonly string[] | ServerError | 'more' | 'broken' {
  const texts: string[] = [];
  let binary = false;
  let at = 0;
  for (let number = 1; ; number++) {
    if (bytes.length - at < HEADER) return bytes.length > LONGEST ? 'broken' : 'more';
    const length = byte(bytes, at) + byte(bytes, at + 1) * 0x100 + byte(bytes, at + 2) * 0x10000;
    // Numbered from 1 by the command: another number belongs to another question.
    if (byte(bytes, at + 3) !== (number & 0xff) || length === 0 || length > LONGEST) return 'broken';
    const from = at + HEADER;
    const to = from + length;
    if (to > bytes.length) return to > LONGEST ? 'broken' : 'more';
    at = to;
    const kind = byte(bytes, from);
    const ends = kind === 0xfe && length === 5;
    if (kind === 0xff) return to === bytes.length ? readError(bytes, from, to) : 'broken';
    if (number === 1) {
      if (length !== 1 || kind !== 1) return 'broken';
    } else if (number === 2) {
      // The fixed part of a column's definition is its last thirteen bytes.
      const fixed = to - 13;
      if (length < 13 || byte(bytes, fixed) !== 0x0c || !TEXTS.has(byte(bytes, fixed + 7))) return 'broken';
      binary = byte(bytes, fixed + 1) + byte(bytes, fixed + 2) * 0x100 === BINARY;
    } else if (number === 3) {
      if (!ends) return 'broken';
    } else if (ends) {
      return to === bytes.length && (byte(bytes, from + 3) & MORE_RESULTS) === 0 ? texts : 'broken';
    } else {
      const text = kind === 0 ? readRow(bytes, from, to, binary, decode) : undefined;
      if (text === undefined) return 'broken';
      texts.push(text);
    }
  }
}

const byte = (bytes: Uint8Array, at: number): number => bytes[at] ?? 0;

/** A binary row of one column: 0, a byte of NULL bits (the third is ours), the text behind its length. */
function readRow(bytes: Uint8Array, from: number, to: number, binary: boolean, decode: Decode): string | undefined {
  if (to - from < 2) return undefined;
  if ((byte(bytes, from + 1) & 0x04) !== 0) return to - from === 2 ? '' : undefined;
  const first = byte(bytes, from + 2);
  const wide = first === 0xfc ? 2 : first === 0xfd ? 3 : 0;
  if (first > 0xfa && wide === 0) return undefined;
  let length = wide === 0 ? first : 0;
  for (let index = wide; index > 0; index--) length = length * 0x100 + byte(bytes, from + 2 + index);
  const start = from + 3 + wide;
  return start + length === to ? decode(bytes.subarray(start, to), binary) : undefined;
}

/** 0xff, a number, `#` with five characters of state, and the text. */
function readError(bytes: Uint8Array, from: number, to: number): ServerError | 'broken' {
  if (to - from < 3) return 'broken';
  const text = new TextDecoder().decode(bytes.subarray(from + 3, to));
  return {
    code: byte(bytes, from + 1) + byte(bytes, from + 2) * 0x100,
    message: text.startsWith('#') ? text.slice(6) : text,
  };
}
