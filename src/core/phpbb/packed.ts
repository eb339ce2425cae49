import type { Account, Ban, MemberRow, Session } from './rules.ts';
import type { Board } from './statements.ts';

/**
 * Reads what the statements `session` and `account` pack into one column: fields with a space behind each, then the e-mail
 * address, a line end, and the name, which may hold anything. A row for each ban; the rest is the same in all.
 * Undefined when a row is not of this form.
 */
export function unpackSession(board: Board, rows: readonly string[]): Session | undefined {
  const [first = ''] = rows;
  const fields = split(first, 8);
  const account = accountOf(board, fields, 4, rows, 8);
  const [sessionId, time, flag, ip] = fields;
  if (account === undefined || sessionId === undefined || ip === undefined) return undefined;
  const { id, state, bans, email, username } = account;
  // Written out: one shape, made at once.
  return { board, id, state, bans, email, username, sessionId, time: Number(time), flag: flag !== '0', ip };
}

export function unpackAccount(board: Board, rows: readonly string[]): Account | undefined {
  return accountOf(board, split(rows[0] ?? '', 4), 0, rows, 4);
}

/** What `member` packs: id, state, and the name. */
export function unpackMember(board: Board, rows: readonly string[]): MemberRow | undefined {
  const [id, state, username] = split(rows[0] ?? '', 2);
  if (id === undefined || state === undefined || username === undefined) return undefined;
  return { board, id: Number(id), state: Number(state), username };
}

/** The first `count` fields and, as the last item, what is behind them. */
function split(row: string, count: number): string[] {
  const fields: string[] = [];
  let from = 0;
  for (let field = 0; field < count; field++) {
    const space = row.indexOf(' ', from);
    if (space < 0) return [];
    fields.push(row.slice(from, space));
    from = space + 1;
  }
  fields.push(row.slice(from));
  return fields;
}

function accountOf(
  board: Board,
  fields: readonly string[],
  at: number,
  rows: readonly string[],
  count: number,
): Account | undefined {
  const rest = fields[count];
  const border = rest?.indexOf('\n') ?? -1;
  if (rest === undefined || border < 0) return undefined;
  return {
    board,
    id: Number(fields[at]),
    state: Number(fields[at + 1]),
    bans: bansOf(fields[at + 3], rows, at + 2, count),
    email: rest.slice(0, border),
    username: rest.slice(border + 1),
  };
}

const NONE: readonly Ban[] = [];

/** Fields exclude and end from `at` on, of every row that has a ban. */
function bansOf(firstEnd: string | undefined, rows: readonly string[], at: number, count: number): readonly Ban[] {
  if (rows.length === 1 && firstEnd === '') return NONE;
  return rows
    .map((row) => split(row, count))
    .filter((fields) => fields[at + 1] !== undefined && fields[at + 1] !== '')
    .map((fields) => ({ exclude: fields[at] === '1', end: Number(fields[at + 1]) }));
}
