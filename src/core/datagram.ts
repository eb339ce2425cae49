import { cleanText, closeBidi, cutLines, cutText, decodeText, type Entities, oneLine, withoutBidi } from './text.ts';
import { TYPE_FORM, type Words, wordAnnouncement } from './wording.ts';

/** What one datagram says (DESIGN section 6). The limits are characters unless they say bytes. */
export const LIMITS = {
  structuredBytes: 8192,
  plainBytes: 65_536,
  who: 64,
  what: 500,
  where: 100,
  urlBytes: 2000,
  text: 3000,
  lines: 10,
} as const;

/** Whoever begins like this means the structured form. */
const STRUCTURED = [...'{"sax":'].map((char) => char.charCodeAt(0));

export type Announcement = {
  /** What is said in the room, ready. */
  readonly text: string;
  /** The sender wants to be told. */
  readonly ack: boolean;
  /** Members that were left out for their type or value. */
  readonly ignored: readonly string[];
  /** The text was longer than we say. */
  readonly cut: boolean;
};

export type Decoded =
  | { readonly ok: true; readonly announcement: Announcement }
  /** `reason` for the log; `ack` when the sender could still be told. */
  | { readonly ok: false; readonly reason: string; readonly ack: boolean };

export type DecodeOptions = {
  readonly entities: Entities;
  readonly wording: Readonly<Record<string, string>>;
};

/** Decodes one datagram. Never throws, whatever the bytes are. `truncated`: there were more of them. */
export function decodeDatagram(bytes: Uint8Array, truncated: boolean, options: DecodeOptions): Decoded {
  return STRUCTURED.every((code, index) => bytes[index] === code)
    ? decodeStructured(bytes, truncated, options)
    : decodePlain(bytes, truncated, options);
}

function decodePlain(bytes: Uint8Array, truncated: boolean, { entities }: DecodeOptions): Decoded {
  return finish(cleanText(decodeText(bytes, truncated), entities), { ack: false, ignored: [], truncated });
}

function decodeStructured(bytes: Uint8Array, truncated: boolean, options: DecodeOptions): Decoded {
  if (truncated || bytes.length > LIMITS.structuredBytes)
    return { ok: false, reason: `structured and longer than ${LIMITS.structuredBytes} bytes`, ack: asksForAck(bytes) };
  let json: unknown;
  try {
    json = JSON.parse(decodeText(bytes));
  } catch {
    return { ok: false, reason: 'not JSON', ack: asksForAck(bytes) };
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    return { ok: false, reason: 'not an object', ack: false };
  const members = new Map(Object.entries(json));
  const ack = members.get('ack') === true;
  if (members.get('sax') !== 1) return { ok: false, reason: 'not version 1', ack };
  const type = members.get('type');
  if (typeof type !== 'string' || !TYPE_FORM.test(type)) return { ok: false, reason: 'no type', ack };

  const ignored: string[] = [];
  const { entities } = options;
  const text = (name: string, limit: number, clean: (value: string) => string): string | undefined => {
    const value = members.get(name);
    if (value === undefined || value === null) return undefined;
    if (typeof value === 'string') return cutText(clean(cleanText(value, entities)), limit) || undefined;
    ignored.push(name);
    return undefined;
  };
  const name = (value: string): string => withoutBidi(oneLine(value));
  const words: Words = {
    type,
    who: text('who', LIMITS.who, name),
    what: text('what', LIMITS.what, oneLine),
    where: text('where', LIMITS.where, name),
    url: readUrl(members.get('url'), entities, ignored),
    id: readId(members.get('id'), ignored),
  };
  const ts = members.get('ts');
  if (ts !== undefined && ts !== null && !(Number.isSafeInteger(ts) && Number(ts) > 0)) ignored.push('ts');
  // `text` is ours (saxctl say --wait TEXT): said as it is, without a wording.
  const said = text('text', LIMITS.text, (value) => value);
  if (said === undefined && typeof members.get('text') === 'string') return { ok: false, reason: 'empty', ack };
  const what = words.what === undefined ? undefined : closeBidi(words.what);
  const worded = said ?? wordAnnouncement({ ...words, what }, options.wording);
  // A wording of which nothing but its beginning is left says nothing.
  return finish(worded === '*' ? '' : worded, { ack, ignored, truncated: false });
}

/** What cannot be parsed may still say that its sender waits to be told. */
const asksForAck = (bytes: Uint8Array): boolean => /"ack"\s*:\s*true\b/.test(decodeText(bytes));

function finish(text: string, facts: { ack: boolean; ignored: readonly string[]; truncated: boolean }): Decoded {
  if (text.trim() === '') return { ok: false, reason: 'empty', ack: facts.ack };
  const fits = cutText(cutLines(text, LIMITS.lines), LIMITS.text);
  const cut = facts.truncated || fits !== text;
  const marked = facts.truncated && fits === text ? `${cutText(text, LIMITS.text - 1)}…` : fits;
  return { ok: true, announcement: { text: closeBidi(marked), ack: facts.ack, ignored: facts.ignored, cut } };
}

function readUrl(value: unknown, entities: Entities, ignored: string[]): string | undefined {
  if (value === undefined || value === null) return undefined;
  const url = typeof value === 'string' ? cleanText(value, entities) : '';
  // No spaces, controls, brackets, quotes or invisible turners: what is shown is what is followed.
  if (
    /^https?:\/\/[^\s\u0000-\u0020\u007f-\u00a0<>"\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]+$/i.test(url) &&
    new TextEncoder().encode(url).length <= LIMITS.urlBytes
  )
    return url;
  ignored.push('url');
  return undefined;
}

function readId(value: unknown, ignored: string[]): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'number' && Number.isSafeInteger(value)) return String(value);
  if (typeof value === 'string' && /^[\w.:-]{1,64}$/.test(value)) return value;
  ignored.push('id');
  return undefined;
}

export type Structured = {
  readonly type: string;
  readonly who?: string | undefined;
  readonly what?: string | undefined;
  readonly where?: string | undefined;
  readonly url?: string | undefined;
  readonly text?: string | undefined;
  readonly ack?: boolean | undefined;
};

/** The structured form, as `saxctl say` sends it. Undefined when it is longer than the webridge takes. */
export function encodeDatagram(words: Structured): Uint8Array | undefined {
  const bytes = new TextEncoder().encode(JSON.stringify({ sax: 1, ...words }));
  return bytes.length <= LIMITS.structuredBytes ? bytes : undefined;
}

export type Answer =
  | { readonly ok: true; readonly id: string | undefined; readonly ms: number }
  | { readonly ok: false; readonly error: string };

export function encodeAnswer(answer: Answer): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(answer));
}

/** Undefined when the bytes are no answer. */
export function decodeAnswer(bytes: Uint8Array): Answer | undefined {
  try {
    const { ok, id, ms, error } = JSON.parse(new TextDecoder().decode(bytes));
    if (ok === true) return { ok, id: typeof id === 'string' ? id : undefined, ms: Number(ms) };
    return ok === false ? { ok, error: String(error) } : undefined;
  } catch {
    return undefined;
  }
}
