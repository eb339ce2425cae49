/**
 * Nodeprep and resourceprep (RFC 3920 appendices A and B) by RFC 3454 on Unicode 3.2, equal to ejabberd's for every code
 * point: what our answer and the server's disagree on is a name that somebody else can take.
 */
import { nfkc } from './nfkc.ts';
import {
  FOLDED,
  FOLDED_TO_SEVERAL,
  LEFT_TO_RIGHT,
  NOTHING,
  PROHIBITED,
  RIGHT_TO_LEFT,
  UNASSIGNED,
} from './stringprep-tables.ts';

/** Code points of RFC 3920 A.5 that a localpart may not hold, beside the tables: space and " & ' / : < > @ */
const NODE_PROHIBITED = new Set([...' "&\'/:<>@'].map((char) => char.codePointAt(0)));

type Ranges = Uint32Array;

const numbersOf = (text: string): number[] => text.split(' ').map((item) => Number.parseInt(item, 36));

function decodeRanges(text: string): Ranges {
  const numbers = numbersOf(text);
  let at = 0;
  return Uint32Array.from(numbers, (number) => {
    at += number;
    return at;
  });
}

function decodeFolding(): ReadonlyMap<number, string> {
  const folding = new Map<number, string>();
  const numbers = numbersOf(FOLDED);
  let start = 0;
  for (let i = 0; i + 3 < numbers.length; i += 4) {
    const [gap = 0, count = 0, stride = 0, difference = 0] = numbers.slice(i, i + 4);
    start += gap;
    for (let n = 0, point = start; n < count; n++, point += stride)
      folding.set(point, String.fromCodePoint(point + difference));
  }
  for (const entry of FOLDED_TO_SEVERAL.split(',')) {
    const [point = 0, ...folded] = numbersOf(entry);
    folding.set(point, String.fromCodePoint(...folded));
  }
  return folding;
}

type Tables = {
  readonly unassigned: Ranges;
  readonly nothing: Ranges;
  readonly prohibited: Ranges;
  readonly rightToLeft: Ranges;
  readonly leftToRight: Ranges;
  readonly folding: ReadonlyMap<number, string>;
};

let decoded: Tables | undefined;

/** Decoded on first use: most commands never prepare a name, and most names are ASCII. */
function tables(): Tables {
  decoded ??= {
    unassigned: decodeRanges(UNASSIGNED),
    nothing: decodeRanges(NOTHING),
    prohibited: decodeRanges(PROHIBITED),
    rightToLeft: decodeRanges(RIGHT_TO_LEFT),
    leftToRight: decodeRanges(LEFT_TO_RIGHT),
    folding: decodeFolding(),
  };
  return decoded;
}

/** Binary search among [first, last] pairs. */
function within(ranges: Ranges, point: number): boolean {
  let low = 0;
  let high = ranges.length / 2 - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    if (point < (ranges[2 * middle] ?? 0)) high = middle - 1;
    else if (point > (ranges[2 * middle + 1] ?? 0)) low = middle + 1;
    else return true;
  }
  return false;
}

/** RFC 3454 section 6. */
function bidiAllows(text: string, { rightToLeft, leftToRight }: Tables): boolean {
  const points = [...text].map((char) => char.codePointAt(0) ?? 0);
  if (!points.some((point) => within(rightToLeft, point))) return true;
  const edges = [points.at(0) ?? 0, points.at(-1) ?? 0];
  return edges.every((point) => within(rightToLeft, point)) && !points.some((point) => within(leftToRight, point));
}

function prepare(text: string, node: boolean): string | undefined {
  const table = tables();
  let mapped = '';
  for (const char of text) {
    const point = char.codePointAt(0) ?? 0;
    if ((point >= 0xd800 && point <= 0xdfff) || within(table.unassigned, point)) return undefined;
    if (within(table.nothing, point)) continue;
    mapped += node ? (table.folding.get(point) ?? char) : char;
  }
  const normal = nfkc(mapped);
  for (const char of normal) {
    const point = char.codePointAt(0) ?? 0;
    if (within(table.prohibited, point) || (node && NODE_PROHIBITED.has(point))) return undefined;
  }
  return bidiAllows(normal, table) ? normal : undefined;
}

/**
 * The localpart as ejabberd compares it: folded, normalised. Undefined where ejabberd refuses it. The length is not
 * looked at (jid.ts does), and the empty text is left empty.
 */
export function nodeprep(text: string): string | undefined {
  if (/^[!#-%(-.0-9;=?A-Z[-~]*$/.test(text)) return text.toLowerCase();
  return prepare(text, true);
}

/** The resource, and so the nickname in a room, as ejabberd compares it. Undefined where ejabberd refuses it. */
export function resourceprep(text: string): string | undefined {
  if (/^[ -~]*$/.test(text)) return text;
  return prepare(text, false);
}
