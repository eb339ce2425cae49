import type { Forum, MemberName } from '../../app/ports.ts';
import { type Ban, readSettings } from '../../core/phpbb/rules.ts';
import { type BoardLane, type DatabaseConfig, openBoard, textOf } from './board.ts';
import type { Row } from './connection.ts';

/**
 * The forum's database for the login. Two connections, both made when first needed: what a login waits for never queues
 * behind a scan of all members.
 */
export function openForum(config: DatabaseConfig): Forum {
  const known = { board: undefined };
  const front = openBoard(config, known);
  const back = openBoard(config, known);
  const names = async (rows: Promise<readonly Row[]>): Promise<MemberName[]> =>
    (await rows).map(([id, username]) => ({ id: Number(id), username: textOf(username, back.decode) }));

  return {
    async session(id, within) {
      const rows = await front.ask('session', [id], within);
      const row = rows[0];
      // CHAR is compared with padding and by collation: only the very same id counts.
      if (row === undefined || textOf(row[0], front.decode) !== id) return undefined;
      const text = (value: unknown): string => textOf(value, front.decode);
      return {
        board: front.known(),
        sessionId: id,
        id: Number(row[1]),
        username: text(row[2]),
        email: text(row[3]),
        state: Number(row[4]),
        time: Number(row[5]),
        flag: Number(row[6]) !== 0,
        ip: text(row[7]),
        bans: bansOf(rows, 8),
      };
    },

    async account(id, within) {
      const rows = await front.ask('account', [id], within);
      const row = rows[0];
      if (row === undefined) return undefined;
      return {
        board: front.known(),
        id: Number(row[0]),
        username: textOf(row[1], front.decode),
        email: textOf(row[2], front.decode),
        state: Number(row[3]),
        bans: bansOf(rows, 4),
      };
    },

    rules: (within) => readRules(back, within),
    page: (afterId, limit, within) => names(back.ask('page', [afterId, limit], within)),
    highest: async (within) => Number((await back.ask('highest', [], within))[0]?.[0] ?? 0),
    plain: (name, within) => names(front.ask('plain', [name.toLowerCase()], within)),
    close() {
      front.close();
      back.close();
    },
  };
}

/** Columns exclude and end from `at` on, of every row that has a ban. */
function bansOf(rows: readonly Row[], at: number): readonly Ban[] {
  if (rows.length === 1 && rows[0]?.[at + 1] === null) return [];
  return rows
    .filter((row) => row[at + 1] !== null)
    .map((row) => ({ exclude: Number(row[at]) !== 0, end: Number(row[at + 1]) }));
}

async function readRules(lane: BoardLane, within: number): ReturnType<Forum['rules']> {
  const since = performance.now();
  const left = (): number => within - (performance.now() - since);
  const settings = readSettings(
    (await lane.ask('settings', [], left())).map(([name, value]) => [
      textOf(name, lane.decode),
      textOf(value, lane.decode),
    ]),
  );
  const addressBans = (await lane.ask('addressBans', [], left())).map(([email, ip, exclude, end]) => ({
    email: textOf(email, lane.decode),
    ip: textOf(ip, lane.decode),
    exclude: Number(exclude) !== 0,
    end: Number(end),
  }));
  const clock = (await lane.ask('clock', [], left()))[0]?.[0];
  return { settings, addressBans, clockOffset: Number(clock) * 1000 - Date.now() };
}
