/**
 * What a terminal obeys instead of showing it: C0, DEL, C1, line separators, bidi controls; and lone surrogates, which are
 * no text. Replace, never test: the expression is global.
 */
export const OBEYED =
  /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/**
 * A hostile value for a terminal, a log line or an error: control characters (C0, DEL, C1), line separators, bidi
 * controls and lone surrogates become \u{…}; too long values are cut.
 */
export function printable(value: string, limit = 200): string {
  const cut = value.length > limit ? `${value.slice(0, limit)}…` : value;
  return cut.replace(OBEYED, (char) => `\\u{${char.charCodeAt(0).toString(16)}}`);
}

/** JSON on one line, in which what a terminal would obey is escaped as JSON allows (JSON itself escapes only C0 and surrogates). */
export function jsonText(value: unknown): string {
  return JSON.stringify(value).replace(
    OBEYED,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
