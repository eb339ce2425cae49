import { decodeEntities } from './entities.ts';

/** Text from outside made fit for the room. Pure; the limits are facts/DESIGN's. */

const utf8 = new TextDecoder('utf-8', { fatal: true });
// Windows-1252 where it differs from Latin-1 (WHATWG Encoding, index windows-1252). Node's own decoder takes it for Latin-1.
const CP1252 = '€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ';

/**
 * Bytes as text: UTF-8 when they are, else Windows-1252, which every byte string is (old sites are). `cut`: the bytes end in the
 * middle of a longer text, so half a character at the end is left out instead of condemning the whole.
 */
export function decodeText(bytes: Uint8Array, cut = false): string {
  const whole = cut ? bytes.subarray(0, wholeCharacters(bytes)) : bytes;
  try {
    return utf8.decode(whole);
  } catch {
    return decodeCp1252(bytes);
  }
}

/** Windows-1252: every byte is a character. */
export function decodeCp1252(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += byte >= 0x80 && byte < 0xa0 ? CP1252[byte - 0x80] : String.fromCharCode(byte);
  return text;
}

/** How many bytes are left when an unfinished UTF-8 sequence at the end is cut off. */
function wholeCharacters(bytes: Uint8Array): number {
  for (let back = 1; back <= 3 && back <= bytes.length; back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) break;
    if (byte < 0xc0) continue;
    const needs = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
    return needs > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}

// What an XML 1.0 document cannot hold (section 2.2): controls, noncharacters, halves of surrogate pairs.
const FORBIDDEN =
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

export type Entities = 'decode' | 'keep';

/**
 * Cleans what a person or a site wrote: entities decoded once, line ends made LF, what XML forbids removed, line breaks at the end
 * removed. Decoding comes first: `&#0;` is forbidden too.
 */
export function cleanText(text: string, entities: Entities): string {
  const decoded = entities === 'decode' ? decodeEntities(text.replaceAll('&apos;', '&#39;')) : text;
  return decoded.replace(/\r\n?/g, '\n').replace(FORBIDDEN, '').replace(/\n+$/, '');
}

/** A name or title on one line: runs of white space with a line break in them become one space, the ends are trimmed. */
export function oneLine(text: string): string {
  return text.replace(/[\t ]*[\n\u0085\u2028\u2029][\s\u0085]*/g, ' ').trim();
}

/** Without bidirectional overrides and isolates: a name must not turn the text around it (UAX 9). */
export function withoutBidi(text: string): string {
  return text.replace(/[\u202a-\u202e\u2066-\u2069]/g, '');
}

/** Closes the embeddings, overrides and isolates that the text leaves open, so that they end with it (UAX 9, BD 8 to BD 13). */
export function closeBidi(text: string): string {
  if (!/[\u202a-\u202e\u2066-\u2069]/.test(text)) return text;
  const open: string[] = [];
  for (const char of text) {
    if (/[\u202a\u202b\u202d\u202e]/.test(char)) open.push('\u202c');
    else if (/[\u2066-\u2068]/.test(char)) open.push('\u2069');
    else if (char === '\u202c' && open.at(-1) === '\u202c') open.pop();
    else if (char === '\u2069') while (open.length > 0 && open.pop() !== '\u2069');
  }
  return text + open.reverse().join('');
}

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** At most `limit` characters (code points), cut between graphemes and ended with "…" when something is left out. */
export function cutText(text: string, limit: number): string {
  if (text.length <= limit) return text;
  let points = 0;
  let end = 0;
  let fits = 0;
  // Only so much is looked at as can matter: segmenting 65 kB takes long.
  for (const { segment } of graphemes.segment(text.slice(0, limit * 2 + 64))) {
    points += [...segment].length;
    end += segment.length;
    if (points <= limit - 1) fits = end;
    if (points > limit) return `${text.slice(0, fits === 0 ? firstPoints(text, limit - 1) : fits)}…`;
  }
  return end >= text.length ? text : `${text.slice(0, fits)}…`;
}

/** One grapheme longer than the limit (a heap of combining marks) is cut between code points. */
function firstPoints(text: string, count: number): number {
  return [...text.slice(0, count * 2)].slice(0, count).join('').length;
}

/** At most `limit` lines; "…" ends the last one when lines are left out. */
export function cutLines(text: string, limit: number): string {
  const lines = text.split('\n');
  return lines.length <= limit ? text : `${lines.slice(0, limit).join('\n')}…`;
}
