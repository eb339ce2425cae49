/** Text of strangers, cut into pieces that are shown as text nodes and elements of ours. Never HTML. */

export type Piece = { readonly text: string; readonly href?: string; readonly isMention?: boolean };

/** Longer lines are cut: a megabyte in one line would freeze layout. */
const MAX_SHOWN = 4000;

/**
 * Takes the teeth out of a text: bidirectional overrides and isolates (they could reorder what stands around them;
 * every line has its own `dir=auto`), control characters, more than eight combining marks on one letter.
 */
export const tame = (text: string): string =>
  (text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)} …` : text)
    .replace(/[\0-\b\v-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufff9-\ufffb]/g, '')
    .replace(/(\p{M}{8})\p{M}+/gu, '$1')
    .replace(/\n{3,}/g, '\n\n');

/** A link ends before the sentence's punctuation, and before a bracket that was not opened in it. */
const LINK = /\bhttps?:\/\/(?:\([^\s()<>"]*\)|[^\s()<>"])*(?:\([^\s()<>"]*\)|[^\s()<>".,:;!?'*_~`…\]}])/gi;

/** The link's address as the browser understands it; undefined for what is none, and for names that pretend (`https://bank@evil`). */
function hrefOf(link: string): string | undefined {
  const url = URL.canParse(link) ? new URL(link) : undefined;
  return url?.username === '' ? url.href : undefined;
}

/** A nickname as a whole word, whatever its case. */
export const mentionPattern = (nick: string): RegExp =>
  new RegExp(`(?<![\\p{L}\\p{N}_])${nick.replace(/[.*+?^${}()|[\]\\]/g, '\\$&') || '$^'}(?![\\p{L}\\p{N}_])`, 'giu');

/** Cuts a tamed text into plain pieces, links and mentions of `nick`. */
export function pieces(text: string, nick = ''): Piece[] {
  const found: Piece[] = [];
  const cut = (
    part: string,
    pattern: RegExp,
    take: (match: string) => Piece | undefined,
    rest: (between: string) => void,
  ) => {
    let from = 0;
    for (const match of part.matchAll(pattern)) {
      const piece = take(match[0]);
      if (!piece) continue;
      rest(part.slice(from, match.index));
      found.push(piece);
      from = match.index + match[0].length;
    }
    rest(part.slice(from));
  };
  const plain = (part: string) => part && found.push({ text: part });
  const link = (part: string) => {
    const href = hrefOf(part);
    return href ? { text: part, href } : undefined;
  };
  cut(text, LINK, link, (between) =>
    cut(between, mentionPattern(nick), (part) => ({ text: part, isMention: true }), plain),
  );
  return found;
}

/** A line that the IRC bridge said: `<nick> text`, or `* nick text` for an action. */
export function relayed(text: string): readonly [nick: string, text: string] | undefined {
  const [, nick, said, actor, done] = /^(?:<([^<>\n]+)> (.*)|(?:\/me|\*) (\S+) (.*))$/s.exec(text) ?? [];
  return nick ? [nick, said ?? ''] : actor ? [actor, `/me ${done}`] : undefined;
}

/** The hue of a nickname in degrees, the same on every page. */
export function hueOf(nick: string): number {
  let hash = 0;
  for (const char of nick) hash = (hash * 31 + char.charCodeAt(0)) % 360;
  return hash;
}

/**
 * Completes the nickname whose beginning stands before the cursor; `times` counts the Tab presses on the same word.
 * Returns undefined when nothing fits, so that Tab keeps its meaning on the page.
 */
export function complete(
  text: string,
  cursor: number,
  nicks: readonly string[],
  times: number,
): readonly [text: string, cursor: number] | undefined {
  const typed = /[^\s@]*$/.exec(text.slice(0, cursor))?.[0] ?? '';
  const start = cursor - typed.length;
  const fitting = typed ? nicks.filter((nick) => nick.toLowerCase().startsWith(typed.toLowerCase())) : [];
  if (!fitting.length) return undefined;
  const inserted = `${fitting[times % fitting.length]}${start ? ' ' : ': '}`;
  return [text.slice(0, start) + inserted + text.slice(cursor), start + inserted.length];
}
