import type { Member, Members, Standing } from '../../app/ports/forum.ts';
import { encodeEntities } from '../../core/entities.ts';
import { type Account, type Ban, isActive, refuseAccount, refuseSession } from '../../core/phpbb/rules.ts';
import { PAGE } from '../../core/phpbb/statements.ts';
import { type BoardLane, type DatabaseConfig, openBoard, textOf } from './board.ts';
import { nobodyIsCalled, openForum } from './forum.ts';

/** Milliseconds for one page; a batch command may wait longer than a login. */
const WITHIN = 30_000;

/** The site's members (port Members). Nothing is connected before the first question. */
export function openMembers(config: DatabaseConfig): Members {
  const lane = openBoard(config);
  const forum = openForum(config);
  const now = (): number => Math.floor(Date.now() / 1000);

  return {
    async *pages({ afterId = 0, pageSize = PAGE, signal } = {}) {
      const bans = await memberBans(lane);
      const board = await lane.board(WITHIN);
      for (let last = afterId; ; ) {
        signal?.throwIfAborted();
        const rows = await lane.ask('page', [last, pageSize], WITHIN);
        if (rows.length === 0) return;
        const time = now();
        yield rows.map(([id, username, state]) => {
          const account: Account = {
            board,
            id: Number(id),
            username: textOf(username, lane.decode),
            email: '',
            state: Number(state),
            bans: bans.get(Number(id)) ?? [],
          };
          return memberOf(account, refuseAccount(account, [], time)?.reason === 'banned', true);
        });
        last = Number(rows.at(-1)?.[0]);
      }
    },

    async count() {
      return Number((await lane.ask('count', [], WITHIN))[0]?.[0] ?? 0);
    },

    async named(name) {
      const found = await byName(lane, name);
      if (found === undefined) return undefined;
      const account = await forum.account(found, WITHIN);
      if (account === undefined) return undefined;
      return memberOf(account, refuseAccount(account, [], now())?.reason === 'banned', isActive(account));
    },

    async standing(ids) {
      const { settings, addressBans } = await forum.rules(WITHIN);
      const standing = new Map<number, Standing>();
      for (const id of ids) {
        const account = await forum.account(id, WITHIN);
        if (account === undefined) continue;
        const time = now();
        const refusal = refuseAccount(account, addressBans, time);
        const sessions = refusal === undefined ? await lane.ask('sessionsOf', [id], WITHIN) : [];
        const valid = sessions.filter(
          ([sessionId, at, flag]) =>
            refuseSession(
              {
                ...account,
                sessionId: textOf(sessionId, lane.decode),
                time: Number(at),
                flag: Number(flag) !== 0,
                ip: '',
              },
              settings,
              addressBans,
              time,
            ) === undefined,
        );
        standing.set(id, {
          ...memberOf(account, refusal?.reason === 'banned', isActive(account)),
          loggedIn: valid.length > 0,
          // phpBB sweeps older rows away, also of those who stay logged in (session_gc).
          keptUntil: Math.max(0, ...valid.map(([, at]) => (Number(at) + settings.sessionLength) * 1000)),
        });
      }
      return standing;
    },

    async close() {
      lane.close();
      forum.close();
    },
  };
}

const memberOf = ({ id, username }: Account, banned: boolean, active: boolean): Member => ({
  id,
  username,
  active,
  banned,
});

async function memberBans(lane: BoardLane): Promise<ReadonlyMap<number, readonly Ban[]>> {
  const bans = new Map<number, Ban[]>();
  for (const [id, exclude, end] of await lane.ask('memberBans', [], WITHIN)) {
    const of = bans.get(Number(id)) ?? [];
    of.push({ exclude: Number(exclude) !== 0, end: Number(end) });
    bans.set(Number(id), of);
  }
  return bans;
}

/** The id of the member whose name is `name`, as stored before as read before another case, lowest id first. */
async function byName(lane: BoardLane, name: string): Promise<number | undefined> {
  const escaped = encodeEntities(name);
  const rank = (username: string): number => (username === name ? 0 : username === escaped ? 1 : 2);
  const rows = await lane
    .ask('named', [name, escaped, name.toLowerCase(), escaped.toLowerCase()], WITHIN)
    .catch(nobodyIsCalled);
  return rows
    .map(([id, username]) => ({ id: Number(id), rank: rank(textOf(username, lane.decode)) }))
    .sort((a, b) => a.rank - b.rank || a.id - b.id)[0]?.id;
}
