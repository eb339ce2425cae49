import { didYouMean } from './suggest.ts';

/**
 * Every announcement type and its words, here and nowhere else. `{who}` `{what}` `{where}` `{url}` `{id}` `{type}` stand for what the
 * datagram says; a part in `[…]` is left out when one of its values is missing; `\[` is a bracket. `[wording]` of the
 * configuration replaces single ones. Every line begins with `* `: what a member's name does in an announcement is never
 * to be taken for that member speaking.
 */
export const WORDING = {
  chat: '* {who}: {what}',
  action: '* {who} {what}',
  'new-topic': '* {who} opened a topic[ in {where}][: {what}][ – {url}]',
  reply: '* {who} replied[ to {what}][ in {where}][ – {url}]',
  edit: '* {who} edited a post[ in {what}][ ({where})][ – {url}]',
  delete: '* {who} deleted [{what}][ in {where}]',
  restore: '* {who} restored [{what}][ in {where}][ – {url}]',
  lock: '* {who} locked the topic[ {what}][ in {where}][ – {url}]',
  unlock: '* {who} unlocked the topic[ {what}][ in {where}][ – {url}]',
  move: '* {who} moved [{what}][ to {where}][ – {url}]',
  merge: '* {who} merged [{what}][ into {where}][ – {url}]',
  split: '* {who} split [{what}][ from {where}][ – {url}]',
  approve: '* {who} approved [{what}][ in {where}][ – {url}]',
  'new-user': '* {who} has joined the site[ – {url}]',
  rename: '* {who} is now called {what}',
  upload: '* {who} uploaded [{what}][ to {where}][ – {url}]',
  update: '* {who} updated [{what}][ in {where}][ – {url}]',
  news: '* News[ in {where}]: [{what}][ – {url}]',
  poll: '* {who} started a poll[ in {where}][: {what}][ – {url}]',
  report: '* {who} reported [{what}][ in {where}][ – {url}]',
  system: '* [{what}][ – {url}]',
} as const satisfies Record<string, string>;

export type SayType = keyof typeof WORDING;
export const SAY_TYPES = Object.keys(WORDING) as readonly SayType[];

/** What a type looks like, known or not. */
export const TYPE_FORM = /^[a-z][a-z0-9-]{0,31}$/;

/** The line for a type that we do not know (a newer site, an older saxctl). */
export const GENERIC_WORDING = '* {who} ({type})[: {what}][ in {where}][ – {url}]';

/** Who did it when the site does not say. */
export const SOMEBODY = 'Somebody';

export type Words = {
  readonly type: string;
  readonly who?: string | undefined;
  readonly what?: string | undefined;
  readonly where?: string | undefined;
  readonly url?: string | undefined;
  readonly id?: string | undefined;
};

/** The line that people read. Values are put in as they are and never read as part of the pattern. */
export function wordAnnouncement(words: Words, overrides: Readonly<Record<string, string>> = {}): string {
  const { type } = words;
  const own = Object.hasOwn(overrides, type) ? overrides[type] : undefined;
  const known = Object.hasOwn(WORDING, type) ? WORDING[type as SayType] : GENERIC_WORDING;
  return fill(own ?? known, { ...words, who: words.who ?? SOMEBODY });
}

const PLACES = ['who', 'what', 'where', 'url', 'id', 'type'] as const;
const PLACE = new RegExp(`\\{(${PLACES.join('|')})\\}`, 'g');

/** What is wrong with a wording of the operator's, in words; undefined when nothing is. An empty one says nothing, which may be meant. */
export function wordingProblem(pattern: string): string | undefined {
  const plain = pattern.replaceAll('\\[', '').replaceAll('\\]', '');
  const strange = [...plain.matchAll(/\{([^{}]*)\}/g)].find(([, name]) => !PLACES.some((place) => place === name));
  if (strange !== undefined) return `there is no ${strange[0]}${didYouMean(strange[1] ?? '', PLACES)}`;
  if (/[[\]]/.test(plain.replace(/\[[^[\]]*\]/g, ''))) return 'a [ or ] stands alone; write \\[ or \\] to say one';
  return undefined;
}

function fill(pattern: string, words: Words): string {
  // The brackets that were escaped stand as private-use characters meanwhile.
  const escaped = pattern.replaceAll('\\[', '\uf8f0').replaceAll('\\]', '\uf8f1');
  return escaped
    .split(/(\[[^[\]]*\])/)
    .map((part) => {
      const optional = part.startsWith('[') && part.endsWith(']');
      return put(optional ? part.slice(1, -1) : part, words, optional);
    })
    .join('')
    .replace(/ +$/, '');
}

function put(part: string, words: Words, optional: boolean): string {
  let missing = false;
  const text = part
    .replaceAll('\uf8f0', '[')
    .replaceAll('\uf8f1', ']')
    .replace(PLACE, (_, name: keyof Words) => {
      const value = words[name] ?? '';
      if (value === '') missing = true;
      return value;
    });
  return optional && missing ? '' : text;
}
