/**
 * Bytes of an IRC line as text. Networks have no encoding: most lines are UTF-8, some clients still write windows-1252, and
 * servers cut lines at a byte, through the middle of a character.
 */

const utf8 = new TextDecoder('utf-8', { fatal: true });
/** 0x80 to 0x9f in windows-1252. By hand: TextDecoder('windows-1252') of Node 20 decodes Latin-1 instead. */
const CP1252 = '€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ';

/** The line as text: UTF-8; UTF-8 whose last character was cut off; else windows-1252. Never throws. */
export function decodeIrcLine(bytes: Uint8Array): string {
  const whole = asUtf8(bytes);
  if (whole !== undefined) return whole;
  const unfinished = unfinishedLength(bytes);
  const rest = unfinished === 0 ? undefined : asUtf8(bytes.subarray(0, bytes.length - unfinished));
  // One lone byte at the end may as well be the last letter of a windows-1252 line: other UTF-8 before it decides.
  if (rest !== undefined && (unfinished > 1 || /[^\x00-\x7f]/.test(rest))) return rest;
  return asCp1252(bytes);
}

function asCp1252(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes)
    text += byte >= 0x80 && byte <= 0x9f ? CP1252.charAt(byte - 0x80) : String.fromCharCode(byte);
  return text;
}

function asUtf8(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

/** How many bytes at the end begin a character that is not complete. */
function unfinishedLength(bytes: Uint8Array): number {
  for (let length = 1; length <= 3 && length <= bytes.length; length += 1) {
    const byte = bytes[bytes.length - length] ?? 0;
    if (byte >= 0x80 && byte <= 0xbf) continue;
    const wanted =
      byte >= 0xf0 && byte <= 0xf4 ? 4 : byte >= 0xe0 && byte <= 0xef ? 3 : byte >= 0xc2 && byte <= 0xdf ? 2 : 0;
    return length < wanted ? length : 0;
  }
  return 0;
}
