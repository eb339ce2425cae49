/** What history prints: one line of the room, told apart by who said it. */
export type Kind = 'chat' | 'announcement' | 'irc' | 'system';

export type Entry = {
  /** The room's stanza-id; '' where the server gives none. */
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly nick: string;
  readonly text: string;
  readonly kind: Kind;
};

/** A bot of ours as the room shows it. */
export type KnownBot = { readonly nick: string | undefined; readonly jid: string | undefined; readonly kind: Kind };

type Said = {
  readonly id: string | undefined;
  readonly nick: string;
  readonly jid: string | undefined;
  readonly body: string;
  readonly at: number;
  readonly kind?: string | undefined;
};

/**
 * A line of the room as an entry. The marker in the stanza is believed of our own bots alone: anybody could write it. A bot
 * is known by its real JID where the room shows it, else by its nickname, which is registered for it.
 */
export function entryOf(line: Said, bots: readonly KnownBot[]): Entry {
  const bot = bots.find((candidate) =>
    line.jid === undefined ? candidate.nick === line.nick : candidate.jid?.toLowerCase() === line.jid.toLowerCase(),
  );
  return {
    id: line.id ?? '',
    at: line.at,
    nick: line.nick,
    text: line.body,
    kind: line.nick === '' ? 'system' : bot === undefined ? 'chat' : (markerOf(line.kind) ?? bot.kind),
  };
}

function markerOf(kind: string | undefined): Kind | undefined {
  return kind === 'announcement' || kind === 'irc' || kind === 'system' || kind === 'chat' ? kind : undefined;
}

/** The nickname on IRC of a relayed line, by the configured form (`<{nick}> {text}`); undefined when it has another form. */
export function ircNickOf(text: string, form: string): string | undefined {
  const parts = form.split('{nick}');
  const [before, after] = parts;
  if (parts.length !== 2 || before === undefined || after === undefined || before.includes('{text}')) return undefined;
  const behind = after.split('{text}')[0] ?? '';
  if (behind === '' || !text.startsWith(before)) return undefined;
  const end = text.indexOf(behind, before.length);
  return end === -1 ? undefined : text.slice(before.length, end);
}
