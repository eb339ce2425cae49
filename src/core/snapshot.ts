/** The room's last lines as the web server serves them (DESIGN section 7): what a page shows before its own connection stands. */

export type SnapshotLine = {
  /** The archive's id, else the message id. */
  readonly id: string;
  readonly n: string;
  readonly t: string;
  /** Milliseconds since 1970. */
  readonly ts: number;
  /** `chat`, `announcement`, `irc`. */
  readonly k: string;
};

/** What the snapshot needs of a line of the room. */
export type Heard = {
  readonly id: string | undefined;
  readonly messageId: string | undefined;
  readonly nick: string;
  readonly body: string;
  readonly at: number;
  readonly kind?: string | undefined;
  readonly replaces?: string | undefined;
  readonly retracts?: string | undefined;
  readonly moderator?: string | undefined;
};

type Kept = SnapshotLine & { readonly messageId: string | undefined };

/** The last lines, oldest first. */
export type Snapshot = { readonly lines: readonly Kept[] };
export const EMPTY_SNAPSHOT: Snapshot = { lines: [] };

/**
 * Adds a line: a line that is there already changes nothing, a correction (XEP-0308) replaces the words of the same person's line,
 * a retraction (XEP-0424, by its writer or a moderator) takes it out. At most `limit` lines are kept.
 */
export function addLine(snapshot: Snapshot, line: Heard, limit: number): Snapshot {
  const { lines } = snapshot;
  if (line.retracts !== undefined) {
    const { retracts, moderator } = line;
    const gone = (kept: Kept): boolean =>
      (kept.id === retracts || kept.messageId === retracts) && (moderator !== undefined || kept.n === line.nick);
    return { lines: lines.filter((kept) => !gone(kept)) };
  }
  if (line.replaces !== undefined) {
    const old = lines.findLast((kept) => kept.messageId === line.replaces && kept.n === line.nick);
    if (old !== undefined) return { lines: lines.map((kept) => (kept === old ? { ...old, t: line.body } : kept)) };
  }
  const id = line.id ?? line.messageId;
  if (id === undefined || line.body === '' || lines.some((kept) => kept.id === id)) return snapshot;
  const added: Kept = {
    id,
    n: line.nick,
    t: line.body,
    ts: line.at,
    k: line.kind ?? 'chat',
    messageId: line.messageId,
  };
  return { lines: [...lines, added].slice(-limit) };
}

/** The file's text. */
export function renderSnapshot(room: string, { lines }: Snapshot): string {
  return `${JSON.stringify({ v: 1, room, messages: lines.map(({ id, n, t, ts, k }) => ({ id, n, t, ts, k })) })}\n`;
}
