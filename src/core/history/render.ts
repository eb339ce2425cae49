import { jsonText, printable } from '../escape.ts';
import type { Entry } from './entry.ts';

/** Colours that can be read on dark and on light backgrounds (xterm's 256). */
const PALETTE = [31, 32, 33, 34, 35, 36, 91, 92, 94, 95, 96, '38;5;130', '38;5;166', '38;5;71', '38;5;67', '38;5;133'];

const RESET = '\u001b[0m';

/** Always the same colour for the same nickname (FNV-1a over its UTF-16 units, case folded). */
export function colorOf(nick: string): string {
  let hash = 0x811c9dc5;
  for (const unit of nick.toLowerCase()) hash = Math.imul(hash ^ (unit.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  return `\u001b[${PALETTE[hash % PALETTE.length]}m`;
}

/** Nothing is hidden and nothing is executed: what a terminal would obey becomes \u{…}; a tab becomes spaces. */
export function shown(text: string): string {
  return printable(text.replaceAll('\t', '    '), Number.POSITIVE_INFINITY);
}

export type Style = {
  readonly color: boolean;
  /** Local date and time of the entry, `2026-03-01 18:00:05`. */
  readonly time: (at: number) => string;
};

/** The human form of an entry, without the last line feed. Further lines of a text are indented under the first. */
export function renderEntry(entry: Entry, { color, time }: Style): string {
  const stamp = time(entry.at);
  const paint = (code: string, text: string): string => (color ? `\u001b[${code}m${text}${RESET}` : text);
  const nick = (text: string): string => (color ? `${colorOf(entry.nick)}${shown(text)}${RESET}` : shown(text));
  const action = /^\/me\s+(.*)$/s.exec(entry.text);
  const indent = `\n${' '.repeat(stamp.length + 1)}  `;
  const text = (action?.[1] ?? entry.text)
    .split(/\r\n|\r|\n/)
    .map(shown)
    .join(indent);
  const head = paint('2', stamp);
  switch (entry.kind) {
    case 'announcement':
      return `${head} ${paint('1;33', `*** ${text}`)}`;
    case 'system':
      return `${head} ${paint('2', `-!- ${text}`)}`;
    case 'irc':
      return `${head} ${paint('36', '[irc]')} ${text}`;
    case 'chat':
      return action === null ? `${head} <${nick(entry.nick)}> ${text}` : `${head} * ${nick(entry.nick)} ${text}`;
  }
}

/** The JSON form of an entry, one line. */
export function jsonEntry({ id, at, nick, text, kind }: Entry): string {
  return jsonText({ id, time: new Date(at).toISOString(), nick, text, kind });
}
