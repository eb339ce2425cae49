import { fnv1a } from './fnv1a.ts';

/**
 * The spool file that php/saxsay.php writes: records of `\nID LENGTH CHECKSUM\n`, LENGTH bytes, `\n`, where ID is the time of writing in
 * seconds since 1970 with microseconds, the process and a number: unique for ever. The line break in front keeps a record whole that
 * follows a torn one (a full disk, a killed writer); the checksum tells a torn one that swallowed the next from a whole one.
 */

export type SpoolRecord = { readonly id: string; readonly at: number; readonly bytes: Uint8Array };

const NEWLINE = 10;
const LONGEST_HEAD = 96;

/** Reads the records; what a full disk or a killed writer left half-written is skipped and counted. */
export function parseSpool(bytes: Uint8Array): { readonly records: readonly SpoolRecord[]; readonly damaged: number } {
  const records: SpoolRecord[] = [];
  let damaged = 0;
  let whole = true;
  for (let position = 0; position < bytes.length; ) {
    if (bytes[position] === NEWLINE) {
      position += 1;
      continue;
    }
    const record = readRecord(bytes, position);
    if (record !== undefined) {
      records.push(record.record);
      position = record.end;
      whole = true;
      continue;
    }
    if (whole) damaged += 1;
    whole = false;
    const next = bytes.indexOf(NEWLINE, position);
    if (next === -1) break;
    position = next + 1;
  }
  return { records, damaged };
}

function readRecord(bytes: Uint8Array, start: number): { record: SpoolRecord; end: number } | undefined {
  const headEnd = bytes.subarray(start, start + LONGEST_HEAD).indexOf(NEWLINE);
  if (headEnd === -1) return undefined;
  const head = String.fromCharCode(...bytes.subarray(start, start + headEnd));
  const match = /^((\d{1,12})\.(\d{6})-\d+-\d+) (\d{1,6}) ([0-9a-f]{8})$/.exec(head);
  if (match === null) return undefined;
  const from = start + headEnd + 1;
  const end = from + Number(match[4]);
  const body = bytes.subarray(from, end);
  if (bytes[end] !== NEWLINE || fnv1a(body) !== match[5]) return undefined;
  const at = Number(match[2]) * 1000 + Math.floor(Number(match[3]) / 1000);
  return { record: { id: match[1] ?? '', at, bytes: body }, end: end + 1 };
}
