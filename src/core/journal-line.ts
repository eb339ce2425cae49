import { fnv1a } from './fnv1a.ts';

/**
 * How a record stands in an append-only file: eight hex digits of a checksum, a space, the record as JSON on one line. A crash
 * can leave a torn last line; a bad disk can leave a damaged one in the middle; both are told apart from good ones.
 */

/** One record (JSON without line breaks, as JSON.stringify makes it) as a line of ASCII, so that characters count as bytes. */
export function encodeLine(record: string): string {
  const ascii = record.replace(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return `${fnv1a(ascii)} ${ascii}\n`;
}

/** Where the power went before a part of the file was written, there are zeroes: that record was never promised to be there. */
const UNWRITTEN = '\0'.repeat(16);

export type Decoded = {
  readonly records: readonly string[];
  /** Bad lines with good ones after them: the disk's fault, not a crash's. */
  readonly damaged: number;
  /** How many bytes of the text are good lines up to the last good one; what follows is torn. */
  readonly goodLength: number;
};

/** Reads a journal back, whatever it holds. */
export function decodeLines(text: string): Decoded {
  const records: string[] = [];
  let damaged = 0;
  let bad = 0;
  let goodLength = 0;
  for (let start = 0; start < text.length; ) {
    const end = text.indexOf('\n', start);
    if (end === -1) break;
    const record = text.slice(start + 9, end);
    if (text[start + 8] === ' ' && text.slice(start, start + 8) === fnv1a(record)) {
      records.push(record);
      damaged += bad;
      bad = 0;
      goodLength = end + 1;
    } else if (!record.includes(UNWRITTEN)) bad += 1;
    start = end + 1;
  }
  return { records, damaged, goodLength };
}
