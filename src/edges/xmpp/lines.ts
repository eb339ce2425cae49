import type { RoomLine } from '../../app/ports/chat.ts';
import type { Element } from './library.ts';
import { NS } from './names.ts';

/** A JID cut into its bare part and its resource (in a room: the nickname). */
export function splitJid(jid: string | undefined): { readonly bare: string; readonly resource: string } {
  const slash = jid?.indexOf('/') ?? -1;
  if (jid === undefined || slash === -1) return { bare: jid ?? '', resource: '' };
  return { bare: jid.slice(0, slash), resource: jid.slice(slash + 1) };
}

export type LineContext = {
  readonly room: string;
  readonly source: RoomLine['source'];
  /** Milliseconds since 1970, used unless the stanza has a time that the server vouches for. */
  readonly at: number;
  /** The archive's own id and the occupant's real JID, where known from elsewhere than the message. */
  readonly id?: string | undefined;
  readonly jid?: string | undefined;
};

/**
 * Reads a groupchat message (XEP-0045 section 7.4). Undefined when it is not a line: no body and nothing retracted, a
 * change of subject, an error, or not from the room. What a sender can forge is not believed: a stanza-id counts only when
 * the room made it (XEP-0359 section 5), a moderation only when the room itself says it (XEP-0425 section 5).
 */
export function readLine(message: Element, context: LineContext): RoomLine | undefined {
  const { room, source } = context;
  const { bare, resource: nick } = splitJid(message.attrs['from']);
  if (message.name !== 'message' || message.attrs['type'] !== 'groupchat' || bare !== room) return undefined;
  const body = message.getChildText('body');
  const retraction = readRetraction(message, nick === '');
  if (body === null && retraction === undefined) return undefined;
  const id = context.id ?? roomStanzaId(message, room);
  return {
    id,
    messageId: message.attrs['id'],
    originId: message.getChild('origin-id', NS.stanzaId)?.attrs['id'],
    nick,
    jid: context.jid,
    body: body ?? '',
    at: source === 'history' ? (timeOfId(id) ?? delayOf(message) ?? context.at) : context.at,
    source,
    replaces: message.getChild('replace', NS.correct)?.attrs['id'],
    ...retraction,
    replyTo: message.getChild('reply', NS.reply)?.attrs['id'],
    kind: message.getChild('sax', NS.sax)?.attrs['kind'],
  };
}

/** The id that this room gave the message; one that names another maker is somebody's invention. */
export function roomStanzaId(message: Element, room: string): string | undefined {
  const made = message.getChildren('stanza-id', NS.stanzaId).find((child) => child.attrs['by'] === room);
  return made?.attrs['id'];
}

/** XEP-0424 and XEP-0425 in their present form and in the older one inside `<apply-to/>`. */
function readRetraction(message: Element, fromRoom: boolean): Pick<RoomLine, 'retracts' | 'moderator'> | undefined {
  const applied = message.getChild('apply-to', NS.fasten);
  for (const holder of applied === undefined ? [message] : [applied, message]) {
    const moderated = findIn(holder, 'moderated', NS.moderate);
    const retract = findIn(holder, 'retract', NS.retract) ?? (moderated && findIn(moderated, 'retract', NS.retract));
    if (retract === undefined) continue;
    const id: string | undefined = retract.attrs['id'] ?? applied?.attrs['id'];
    const by = moderated ?? findIn(retract, 'moderated', NS.moderate);
    if (id === undefined || (by !== undefined && !fromRoom)) continue;
    return by === undefined
      ? { retracts: id }
      : { retracts: id, moderator: splitJid(by.attrs['by']).resource || 'moderator' };
  }
  return undefined;
}

function findIn(element: Element, name: string, namespaces: readonly string[]): Element | undefined {
  return element
    .getChildElements()
    .find((child) => child.getName() === name && namespaces.includes(child.getNS() ?? ''));
}

/** XEP-0203: milliseconds since 1970, undefined when there is none or it is no date. */
export function delayOf(element: Element): number | undefined {
  const stamp = element.getChild('delay', NS.delay)?.attrs['stamp'];
  const at = stamp === undefined ? Number.NaN : Date.parse(stamp);
  return Number.isNaN(at) ? undefined : at;
}

/** ejabberd's ids are microseconds since 1970; a sender can forge a delay, but not these. */
export function timeOfId(id: string | undefined): number | undefined {
  return id !== undefined && /^[1-9]\d{15}$/.test(id) ? Math.floor(Number(id) / 1000) : undefined;
}
