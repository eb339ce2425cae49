import { randomBytes } from 'node:crypto';
import { xml } from '@xmpp/client';
import type { ArchivePage, ArchiveQuery, RoomLine } from '../../app/ports/chat.ts';
import { EXIT } from '../../core/errors.ts';
import { Refusal } from '../../core/refusal.ts';
import type { Iq } from './iq.ts';
import type { Element } from './library.ts';
import { delayOf, readLine, splitJid, timeOfId } from './lines.ts';
import { NS } from './names.ts';

type Page = { readonly room: string; readonly lines: RoomLine[]; first: string | undefined; last: string | undefined };

export type Archive = {
  /** One page of a room's archive (XEP-0313 section 4 with XEP-0059). */
  query(room: string, query: ArchiveQuery): Promise<ArchivePage>;
  /** True when the message was a result of a query of ours. */
  take(message: Element): boolean;
};

export function newArchive(iq: Iq): Archive {
  const pages = new Map<string, Page>();
  return {
    async query(room, query) {
      const queryid = randomBytes(6).toString('base64url');
      const page: Page = { room, lines: [], first: undefined, last: undefined };
      pages.set(queryid, page);
      try {
        const answer = await iq.request('set', room, request(queryid, query), `read the archive of ${room}`, 30_000);
        const found = { lines: page.lines, ...readFin(answer.getChild('fin', NS.mam), page) };
        // What ejabberd says while the archive's database is away: nothing, and not even that this is all. No answer, then:
        // taken for an empty archive it would pass over what was said.
        if (found.lines.length === 0 && !found.complete && found.last === undefined && query.max !== 0)
          throw new Refusal(
            EXIT.unavailable,
            'internal-server-error',
            `the archive of ${room} does not answer properly: is its database away?`,
          );
        // Who pages on from here would be asking for ever.
        const { after, before } = query;
        if (!found.complete && ((after && found.last === after) || (before && found.first === before)))
          throw new Refusal(
            EXIT.unavailable,
            'undefined-condition',
            `the archive of ${room} gives the same page again, and says that it is not the last`,
          );
        return found;
      } finally {
        pages.delete(queryid);
      }
    },
    take(message) {
      const result = message.getChild('result', NS.mam);
      const page = result === undefined ? undefined : pages.get(result.attrs['queryid']);
      // Only the room itself may speak for its archive: an occupant could send us a "result" too (XEP-0313 section 9).
      if (result === undefined || page === undefined || message.attrs['from'] !== page.room)
        return result !== undefined;
      const forwarded = result.getChild('forwarded', NS.forward);
      const inner = forwarded?.getChild('message');
      if (forwarded === undefined || inner === undefined) return true;
      const id: string | undefined = result.attrs['id'] || undefined;
      page.first ??= id;
      page.last = id ?? page.last;
      const at = delayOf(forwarded) ?? timeOfId(id) ?? 0;
      const line = readLine(inner, { room: page.room, source: 'archive', id, at, jid: realJid(inner) });
      if (line !== undefined) page.lines.push(line);
      return true;
    },
  };
}

function request(queryid: string, { after, before, since, until, max = 100 }: ArchiveQuery): Element {
  const field = (name: string, value: string): Element => xml('field', { var: name }, xml('value', {}, value));
  const form = xml('x', { xmlns: NS.form, type: 'submit' });
  form.append(xml('field', { var: 'FORM_TYPE', type: 'hidden' }, xml('value', {}, NS.mam)));
  if (since !== undefined) form.append(field('start', new Date(since).toISOString()));
  if (until !== undefined) form.append(field('end', new Date(until).toISOString()));
  const set = xml('set', { xmlns: NS.rsm }, xml('max', {}, String(max)));
  if (after !== undefined) set.append(xml('after', {}, after));
  if (before !== undefined) set.append(xml('before', {}, before));
  return xml('query', { xmlns: NS.mam, queryid }, form, set);
}

/** What the page says of itself; where it does not name its ends (XEP-0059 section 2.1), those that came. */
function readFin(fin: Element | undefined, page: Page): Omit<ArchivePage, 'lines'> {
  const set = fin?.getChild('set', NS.rsm);
  const count = Number(set?.getChildText('count') ?? Number.NaN);
  return {
    // An xs:boolean.
    complete: ['true', '1'].includes(fin?.attrs['complete']),
    first: set?.getChildText('first') || page.first,
    last: set?.getChildText('last') || page.last,
    count: Number.isNaN(count) ? undefined : count,
  };
}

/** The sender's real JID, which a room that shows it adds to archived messages; two of them mean that one was forged. */
function realJid(message: Element): string | undefined {
  const items = message.getChildren('x', NS.mucUser).flatMap((user) => user.getChildren('item'));
  const jid: string | undefined = items.length === 1 ? items[0]?.attrs['jid'] : undefined;
  return jid === undefined ? undefined : splitJid(jid).bare;
}
