import type { Occupant } from '../../app/ports/chat.ts';
import type { Element } from './library.ts';
import { splitJid } from './lines.ts';
import { NS } from './names.ts';

export type Leave = {
  readonly detail: { newNick?: string; reason?: string };
  readonly newNick: string | undefined;
  readonly codes: readonly string[];
  readonly actor: string | undefined;
  readonly destroyed: boolean;
};

/** An occupant's presence (XEP-0045 section 7.2): who, as what, and whether the room says that it is us (status 110). */
export function readOccupant(
  presence: Element,
  nick: string,
): { readonly occupant: Occupant; readonly codes: readonly string[]; readonly self: boolean } {
  const user = presence.getChild('x', NS.mucUser);
  const item = user?.getChild('item');
  const codes = (user?.getChildren('status') ?? []).map((status) => String(status.attrs['code']));
  const jid: string | undefined = item?.attrs['jid'];
  return {
    occupant: {
      nick,
      jid: jid === undefined ? undefined : splitJid(jid).bare,
      affiliation: item?.attrs['affiliation'] ?? 'none',
      role: item?.attrs['role'] ?? 'none',
      show: presence.getChildText('show') ?? '',
    },
    codes,
    self: codes.includes('110'),
  };
}

/** What an unavailable presence tells: a change of nickname (303), a removal, or the end of the room. */
export function leaveOf(presence: Element, codes: readonly string[]): Leave {
  const user = presence.getChild('x', NS.mucUser);
  const item = user?.getChild('item');
  const destroyed = user?.getChild('destroy');
  const reason = item?.getChildText('reason') ?? destroyed?.getChildText('reason') ?? undefined;
  const newNick: string | undefined = codes.includes('303') ? item?.attrs['nick'] : undefined;
  const actor = item?.getChild('actor');
  return {
    detail: { ...(newNick === undefined ? {} : { newNick }), ...(reason ? { reason } : {}) },
    newNick,
    codes,
    actor: actor?.attrs['nick'] ?? actor?.attrs['jid'],
    destroyed: destroyed !== undefined,
  };
}
