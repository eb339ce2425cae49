import { h } from './dom.ts';
import type { Line } from './line.ts';
import type { Strings } from './strings.ts';
import { hueOf, pieces, relayed, tame } from './text.ts';

export type RowContext = {
  readonly words: Strings;
  /** Our own nickname; '' for guests. */
  readonly nick: string;
  /** Nicknames of the site's bots. Empty: unknown, so that a line's kind gives it a look but never another author. */
  readonly bots: readonly string[];
  readonly clock: (ts: number) => string;
  readonly calendar: (ts: number) => string;
};

/**
 * Who said what, as it is shown: for a line of the IRC bridge the person behind it. Anybody may send a kind, so only
 * bots are believed.
 */
export function saidBy(
  line: Line,
  bots: readonly string[],
): { readonly nick: string; readonly text: string; readonly kind: string } {
  const isBot = bots.includes(line.n);
  const kind = !line.n
    ? 'system'
    : (isBot || !bots.length) && /^(irc|announcement)$/.test(line.k as string)
      ? `${line.k}`
      : '';
  const [nick, text] = (isBot && kind === 'irc' && relayed(line.t)) || [line.n, line.t];
  return { nick: tame(nick), text: tame(text), kind };
}

/** Gives an element the colour of a nickname. */
export function tint<E extends HTMLElement>(element: E, nick: string): E {
  element.style.setProperty('--hue', `${hueOf(nick)}`);
  return element;
}

/** One line of the list: text, links, mentions, name, time. Nothing else can come out of it. */
export function makeRow(line: Line, { words, nick, bots, clock, calendar }: RowContext): HTMLElement {
  const said = saidBy(line, bots);
  const isAction = said.text.startsWith('/me ');
  const body = pieces(isAction ? said.text.slice(4) : said.text, line.n === nick ? '' : nick);
  const text = h(
    'span',
    'text',
    ...body.map(({ text, href, isMention }) => {
      if (isMention) return h('mark', 'mark', text);
      return href
        ? Object.assign(h('a', 'link', text), { href, title: href, target: '_blank', rel: 'noopener nofollow ugc' })
        : text;
    }),
  );
  const time = Object.assign(h('time', 'time', clock(line.ts)), {
    dateTime: new Date(line.ts).toISOString(),
    title: calendar(line.ts),
  });
  const author = h('b', 'nick', said.nick);
  author.dir = text.dir = time.dir = 'auto';
  const face = h('span', 'face', ([...said.nick][0] ?? '').toUpperCase());
  face.ariaHidden = 'true';
  const by = h('span', 'by', author, ...(said.kind === 'irc' ? [' ', h('span', 'tag', 'IRC')] : []), ' ', time);
  const names = ['row', said.kind, line.p, isAction && 'me', body.some((piece) => piece.isMention) && 'mention'];
  const row = h('div', names.filter(Boolean).join(' '), face, by, ' ', text);
  if (line.p) row.append(' ', h('span', 'note', words[line.p]));
  return tint(row, said.nick);
}
