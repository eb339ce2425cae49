import { splitJid } from './jid.ts';
import { child, type El } from './xml.ts';

/**
 * One line of the room, wherever it was read: live, history, archive, snapshot, cache, typed here. The short names are
 * those of the snapshot file that `saxctl webridge` writes; the cache has the same form.
 */
export type Line = {
  /** The room's stanza-id (XEP-0359), the archive's id. Undefined where there is no archive, and for what is not said yet. */
  id?: string | undefined;
  /** The `id` attribute that the sender chose. */
  m?: string | undefined;
  /** Nickname; '' for the room itself. */
  n: string;
  /** Text. */
  t: string;
  /** Milliseconds since 1970, by the server's clock where it told us. */
  ts: number;
  /** Kind, where it is not just chat: what the site announced, what came from IRC. */
  k?: string | undefined;
  /** Typed here: 'wait' until the room reflects it, 'fail' when the room refused it. */
  p?: 'wait' | 'fail' | undefined;
};

/** A stanza is at most 256 kB at the server; a longer text is nobody's message. */
const MAX_TEXT = 300_000;

const stampOf = (el: El | undefined) => Date.parse(child(el, 'delay', 'urn:xmpp:delay')?.attrs['stamp'] ?? '');

/**
 * The time of a line. ejabberd's stanza-id is the archive's time in µs, which also dates live messages, whatever the browser's
 * clock says; other servers use opaque ids. Any other time in the future is somebody's invention.
 */
function timeOf(id: string | undefined, el: El | undefined, now: number): number {
  if (/^\d{16}$/.test(id as string)) return Math.floor(Number(id) / 1000);
  const at = stampOf(el);
  return at < now + 600_000 ? at : now;
}

/**
 * Reads a `<message/>` of the room (XEP-0045), live, from the join history (XEP-0203) or inside an archive result
 * (XEP-0313). Returns undefined for everything that is not a line of this room.
 * @param now the browser's clock in ms; used when the server gives no time.
 */
export function lineOf(message: El, room: string, now: number): Line | undefined {
  const [from, nick] = splitJid(message.attrs['from']);
  if (from !== room) return undefined;
  // Only the room itself has an archive: an occupant's message with a <result/> inside would put words in others' mouths.
  const result = nick ? undefined : child(message, 'result', 'urn:xmpp:mam:2');
  if (result) {
    const forwarded = child(result, 'forwarded');
    const inner = child(forwarded, 'message');
    const line = inner && !child(inner, 'result') ? lineOf(inner, room, now) : undefined;
    const id = result.attrs['id'];
    return line && { ...line, id, ts: timeOf(id, forwarded, now) };
  }
  const body = child(message, 'body');
  if (message.attrs['type'] !== 'groupchat' || !body) return undefined;
  const id = message.kids.find((kid) => kid.name === 'stanza-id' && splitJid(kid.attrs['by'])[0] === room)?.attrs['id'];
  return {
    id,
    m: message.attrs['id'],
    n: nick,
    t: body.text.slice(0, MAX_TEXT),
    ts: timeOf(id, message, now),
    k: child(message, 'sax', 'urn:saxctl:line:0')?.attrs['kind'],
  };
}

/** Reads a snapshot or a cache. Whatever it holds, the result is a list of lines; what cannot be one is left out. */
export function readEntries(json: unknown, room: string): Line[] {
  const { room: of, messages } = (json ?? {}) as { room?: unknown; messages?: unknown };
  if (!Array.isArray(messages) || `${of}`.toLowerCase() !== room) return [];
  return messages.slice(-2000).flatMap((entry: Line | null) => {
    const { id, m, n, t, ts, k } = entry ?? ({} as Partial<Line>);
    if (typeof t !== 'string' || typeof ts !== 'number' || !(Math.abs(ts) < 8e15)) return [];
    return { id: id && `${id}`, m: m && `${m}`, n: `${n ?? ''}`, t: t.slice(0, MAX_TEXT), ts, k: k && `${k}` };
  });
}
