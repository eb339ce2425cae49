/**
 * Formatting of text on both sides: mIRC control codes (modern.ircdocs.horse/formatting) and XEP-0393 message styling.
 * What has no counterpart (colours, reverse, underline) becomes plain; mono stays in its backticks on IRC, since few
 * clients know its code.
 */

const BOLD = '\x02';
const ITALIC = '\x1d';
const STRIKE = '\x1e';
const MONO = '\x11';
const RESET = '\x0f';

/** XEP-0393 directive by mIRC code. */
const MARK_OF: Readonly<Record<string, string>> = { [BOLD]: '*', [ITALIC]: '_', [STRIKE]: '~', [MONO]: '`' };
const CODE_OF: Readonly<Record<string, string>> = { '*': BOLD, _: ITALIC, '~': STRIKE };

const COLOUR = /\x03(?:\d{1,2}(?:,\d{1,2})?)?|\x04(?:[\da-f]{6}(?:,[\da-f]{6})?)?/gi;
/** Everything below space, DEL and C1, but the codes that we translate. */
const OTHER_CONTROLS = /[\x00-\x01\x05-\x0e\x10\x12-\x1c\x1f\x7f-\x9f]/g;

/** Text from IRC as plain text of one line: codes and controls gone, a tab becomes a space. */
export function plainFromIrc(text: string): string {
  return text
    .replace(COLOUR, '')
    .replaceAll('\t', ' ')
    .replace(/[\x00-\x1f\x7f-\x9f]/g, '');
}

/**
 * Text from IRC with its bold, italic, struck and mono parts as XEP-0393 spans, where a span can stand there; elsewhere
 * (inside a word, around its own directive) the part is plain: readers must never see a lone asterisk that nobody typed.
 */
export function styledFromIrc(text: string): string {
  const cleaned = text.replace(COLOUR, '').replaceAll('\t', ' ').replace(OTHER_CONTROLS, '').replaceAll('\x16', '');
  return spansOf(cleaned);
}

/** Finds the outermost pairs of codes and turns each into a span; what is inside is treated the same way. */
function spansOf(text: string): string {
  let out = '';
  let rest = text;
  for (;;) {
    const open = rest.search(/[\x02\x1d\x1e\x11\x0f]/);
    if (open === -1) return out + rest;
    out += rest.slice(0, open);
    const code = rest.charAt(open);
    rest = rest.slice(open + 1);
    if (code === RESET) continue;
    const close = endOf(rest, code);
    const inner = rest.slice(0, close);
    const after = rest.slice(rest.charAt(close) === code ? close + 1 : close);
    out += span(out, MARK_OF[code] ?? '', spansOf(inner), firstVisible(after));
    rest = after;
  }
}

/** Where a part ends: at the same code, at a reset, or at the end of the line. */
function endOf(text: string, code: string): number {
  const end = [text.indexOf(code), text.indexOf(RESET)].filter((at) => at !== -1);
  return end.length === 0 ? text.length : Math.min(...end);
}

function firstVisible(text: string): string {
  return text.replace(/[\x02\x1d\x1e\x11\x0f]/g, '').charAt(0);
}

/** XEP-0393 section 6.1: a span begins after a space or another opening directive, and clings to its text on both sides. */
function span(before: string, mark: string, inner: string, next: string): string {
  const lead = /^ */.exec(inner)?.[0] ?? '';
  const body = inner.slice(lead.length).trimEnd();
  const tail = inner.slice(lead.length + body.length);
  const previous = (before + lead).at(-1) ?? ' ';
  const follows = tail === '' ? next : ' ';
  const opens = /[\s*_~`([{"'>]/.test(previous);
  const closes = follows === '' || !/[\p{L}\p{N}*_~`]/u.test(follows);
  const possible = body !== '' && !body.includes(mark) && opens && closes;
  return possible ? `${lead}${mark}${body}${mark}${tail}` : inner;
}

/**
 * One line of a room's text with its XEP-0393 spans as mIRC codes. Stricter than the XEP at the closing side (no letter may
 * follow), so that `snake_case_names` and `2*3*4` stay what they are. Quotes and code keep their marks.
 */
export function styledToIrc(line: string): string {
  return line
    .split(/(`[^`\n]+`)/)
    .map((part, index) => (index % 2 === 1 ? part : spansToCodes(part)))
    .join('');
}

const SPAN = /(?<=^|[\s*_~([{"'>])([*_~])(?!\s|\1)((?:(?!\1).)*?[^\s])\1(?![\p{L}\p{N}*_~])/gu;

function spansToCodes(text: string): string {
  return text.replace(SPAN, (_all, mark: string, inner: string) => {
    const code = CODE_OF[mark] ?? '';
    return `${code}${spansToCodes(inner)}${code}`;
  });
}

/** Text for IRC: no code or control that a person typed survives, a tab becomes a space; the text is one line. */
export function safeForIrc(text: string): string {
  return text.replaceAll(/[\t\n\r\v\f\u0085\u2028\u2029]+/g, ' ').replace(/[\x00-\x1f\x7f-\x9f]/g, '');
}

/** The lines of a message: each is one line on IRC; empty ones are left out, since IRC has none. */
export function linesOf(text: string): string[] {
  return text.split(/[\n\r\v\f\u0085\u2028\u2029]+/).filter((line) => line.trim() !== '');
}

/** The codes that are open at the end of a piece, to be opened again in the next one: IRC forgets them at each line. */
export function openCodes(text: string): string {
  const open = new Set<string>();
  for (const [code] of text.matchAll(/[\x02\x1d\x1e\x0f]/g)) {
    if (code === RESET) open.clear();
    else if (!open.delete(code)) open.add(code);
  }
  return [...open].join('');
}
