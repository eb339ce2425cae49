import type { Forum, MemberName } from '../../app/ports/forum.ts';
import { encodeEntities } from '../../core/entities.ts';
import { ForumError } from '../../core/phpbb/failure.ts';
import { unpackAccount, unpackMember, unpackSession } from '../../core/phpbb/packed.ts';
import { readSettings } from '../../core/phpbb/rules.ts';
import { type BoardLane, type DatabaseConfig, openBoard, textOf } from './board.ts';
import type { Row } from './connection.ts';

/** Unusual names that are read apart; with more of them the forum speaks another language, and they are read with the rest. */
const FEW = 2000;

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
    session: (id, within) =>
      front.texts('session', id, within, (texts, board) => {
        const session = texts.length === 0 ? undefined : unpackSession(board, texts);
        // CHAR is compared with padding and by collation: only the very same id counts.
        return session?.sessionId === id ? session : undefined;
      }),
    account: (id, within) =>
      front.texts('account', id, within, (texts, board) =>
        texts.length === 0 ? undefined : only(id, unpackAccount(board, texts)),
      ),
    member: (id, within) =>
      front.texts('member', id, within, (texts, board) =>
        texts.length === 0 ? undefined : only(id, unpackMember(board, texts)),
      ),
    sessionsOf: async (memberId, within) =>
      (await front.ask('sessionsOf', [memberId], within)).map(([id]) => textOf(id, front.decode)),
    rules: (within) => readRules(front, within),
    page: (afterId, limit, within) => names(back.ask('page', [afterId, limit], within)),
    async unusual(within) {
      const since = performance.now();
      if ((await back.board(within)) === 'phpbb2') return undefined;
      const found = await names(back.ask('unusual', [FEW + 1], within - (performance.now() - since)));
      return found.length > FEW ? undefined : found;
    },
    highest: async (within) => Number((await back.ask('highest', [], within))[0]?.[0] ?? 0),
    called: (name, within) =>
      names(front.ask('called', [encodeEntities(name).toLowerCase()], within)).catch(nobodyIsCalled),
    close() {
      front.close();
      back.close();
    },
  };
}

/** A name with characters that the column cannot hold is nobody's. */
export function nobodyIsCalled(error: unknown): [] {
  if (error instanceof ForumError && error.code === 'ER_CANT_AGGREGATE_2COLLATIONS') return [];
  throw error;
}

/** Each answer says whose it is: one of another question, whatever sent it, is nobody. */
const only = <T extends { readonly id: number }>(id: number, member: T | undefined): T | undefined =>
  member?.id === id ? member : undefined;

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
