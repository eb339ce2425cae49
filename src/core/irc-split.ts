/**
 * Cutting a text into pieces that fit an IRC line, counted in bytes of UTF-8 (RFC 1459 section 2.3: 512 with CR LF).
 */

const graphemes = new Intl.Segmenter('und', { granularity: 'grapheme' });

/** How many bytes of UTF-8 a well-formed string has. */
export function utf8Length(text: string): number {
  let bytes = 0;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    bytes += unit < 0x80 ? 1 : unit < 0x800 ? 2 : unit >= 0xd800 && unit <= 0xdfff ? 2 : 3;
  }
  return bytes;
}

/**
 * Cuts `text` into pieces of at most `limit` bytes that joined together are the text again. A piece ends after a space
 * where one is near (in its last third), else between two graphemes; a grapheme that is itself too long (hundreds of
 * combining marks) is cut between code points. `limit` must be at least 4.
 */
export function splitText(text: string, limit: number): string[] {
  if (utf8Length(text) <= limit) return text === '' ? [] : [text];
  const pieces: string[] = [];
  let piece = '';
  let bytes = 0;
  let space = -1;
  let spaceBytes = 0;
  const push = (): void => {
    if (space > 0 && spaceBytes >= (limit * 2) / 3) {
      pieces.push(piece.slice(0, space));
      piece = piece.slice(space);
      bytes -= spaceBytes;
    } else {
      pieces.push(piece);
      piece = '';
      bytes = 0;
    }
    space = -1;
    spaceBytes = 0;
  };
  const add = (part: string, size: number): void => {
    while (piece !== '' && bytes + size > limit) push();
    piece += part;
    bytes += size;
    if (part === ' ') {
      space = piece.length;
      spaceBytes = bytes;
    }
  };
  for (const { segment } of graphemes.segment(text)) {
    const size = utf8Length(segment);
    if (size <= limit) add(segment, size);
    else for (const point of segment) add(point, utf8Length(point));
  }
  if (piece !== '') pieces.push(piece);
  return pieces;
}

/**
 * Bytes that are left for the text of `:prefix PRIVMSG target :text CR LF`, as the server sends it to the others.
 * `prefix` is our own nick!user@host as others see it.
 */
export function textBudget(prefix: string, target: string, lineLength = 512): number {
  return lineLength - utf8Length(`:${prefix} PRIVMSG ${target} :`) - 2;
}
