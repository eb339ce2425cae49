/**
 * XML as XMPP servers write it: a parser for complete elements and a template for writing them. DOMParser is not used:
 * under `require-trusted-types-for 'script'` it is a sink, and it lets the browser look at `<img onerror>` in XHTML-IM.
 */

export type El = {
  /** Without its prefix. */
  readonly name: string;
  readonly attrs: Readonly<Record<string, string | undefined>>;
  readonly kids: readonly El[];
  /** The text directly inside. */
  readonly text: string;
};

type Growing = { raw: string; name: string; attrs: Record<string, string>; kids: Growing[]; text: string };

const PIECE = /<(\/?)([^\s<>/="']+)((?:[^<>"'/]|"[^"<]*"|'[^'<]*')*)(\/?)>|[^<]+/g;
const ATTRIBUTE = /([^\s=]+)=(["'])(.*?)\2/gs;
const ENTITIES: Record<string, string> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' };

/** Nothing in XMPP is nested deeper; a hostile stanza of 100,000 open tags is refused instead of walked. */
const MAX_DEPTH = 100;

const decode = (text: string) =>
  text.replace(/&(#x?)?(\w+);/gi, (all, number, name) =>
    number ? String.fromCodePoint(Number.parseInt(name, number[1] ? 16 : 10)) : (ENTITIES[name] ?? all),
  );

/**
 * Parses one complete element (a WebSocket frame of RFC 7395, a BOSH body of XEP-0124).
 * Throws on what is not well-formed and on what XMPP forbids (RFC 6120 11.1: comments, DOCTYPE, instructions).
 */
export function parse(source: string): El {
  const top: Growing = { raw: '', name: '', attrs: {}, kids: [], text: '' };
  const stack = [top];
  let length = 0;
  for (const [all, end, tag, attributes, empty] of source.matchAll(PIECE)) {
    length += all.length;
    const parent = stack.at(-1);
    if (!parent) break;
    if (!tag) parent.text += decode(all);
    else if (end) {
      if (stack.pop()?.raw !== tag) length = Number.NaN;
    } else {
      const el = {
        raw: tag,
        name: tag.slice(tag.indexOf(':') + 1),
        attrs: {} as Record<string, string>,
        kids: [],
        text: '',
      };
      for (const [, name, , value] of attributes?.matchAll(ATTRIBUTE) ?? [])
        el.attrs[name as string] = decode(value ?? '');
      parent.kids.push(el);
      if (!empty && stack.push(el) > MAX_DEPTH) break;
    }
  }
  // Whatever no pattern took is missing in the length.
  if (length !== source.length || stack.length > 1 || top.kids.length !== 1 || top.text.trim()) throw Error('XML');
  return top.kids[0] as El;
}

/** The first child of that name (and namespace, when one is given: servers write it on the element itself). */
export const child = (el: El | undefined, name: string, ns?: string): El | undefined =>
  el?.kids.find((kid) => kid.name === name && (!ns || kid.attrs['xmlns'] === ns));

/** Escapes for text and attributes; what XML 1.0 cannot carry (control characters, half surrogates) is left out. */
const escapeXml = (text: string): string =>
  text
    .replace(/[^\t\n\r -\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '')
    .replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

/** Template for stanzas: every interpolated value is escaped, so markup is only what stands in our own source. */
export const xml = (parts: TemplateStringsArray, ...values: readonly (string | number)[]): string =>
  String.raw({ raw: parts }, ...values.map((value) => escapeXml(`${value}`)));
