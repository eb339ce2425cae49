import type { Forum } from '../../src/app/ports/forum.ts';
import { encodeEntities } from '../../src/core/entities.ts';
import { ForumError } from '../../src/core/phpbb/failure.ts';
import { isPlain } from '../../src/core/phpbb/names.ts';
import { type Account, type AddressBan, DEFAULT_SETTINGS, isActive, type Session } from '../../src/core/phpbb/rules.ts';

export type FakeForum = Forum & {
  readonly accounts: Map<number, Account>;
  readonly sessions: Map<string, Omit<Session, keyof Account> & { readonly member: number }>;
  addressBans: AddressBan[];
  /** Questions that were asked, by name. */
  readonly asked: string[];
  /** What the next questions get instead of an answer. */
  failure: ForumError | 'hangs' | undefined;
  add(id: number, username: string, more?: Partial<Account>): void;
  login(member: number, sessionId: string, time: number, flag?: boolean): void;
};

/** A forum in memory. */
export function fakeForum(): FakeForum {
  const accounts = new Map<number, Account>();
  const sessions: FakeForum['sessions'] = new Map();
  const ask = <T>(name: string, answer: () => T): Promise<T> => {
    forum.asked.push(name);
    if (forum.failure === 'hangs') return new Promise(() => {});
    return forum.failure === undefined ? Promise.resolve(answer()) : Promise.reject(forum.failure);
  };
  const active = (): Account[] => [...accounts.values()].filter(isActive).sort((a, b) => a.id - b.id);
  const forum: FakeForum = {
    accounts,
    sessions,
    addressBans: [],
    asked: [],
    failure: undefined,
    add(id, username, more = {}) {
      accounts.set(id, { board: 'phpbb3', id, username, email: '', state: 0, bans: [], ...more });
    },
    login(member, sessionId, time, flag = false) {
      sessions.set(sessionId, { sessionId, time, flag, ip: '127.0.0.1', member });
    },
    session: (id) =>
      ask('session', () => {
        const row = sessions.get(id);
        const account = row === undefined ? undefined : accounts.get(row.member);
        return row === undefined || account === undefined ? undefined : { ...row, ...account };
      }),
    account: (id) => ask('account', () => accounts.get(id)),
    member: (id) => ask('member', () => accounts.get(id)),
    sessionsOf: (memberId) =>
      ask('sessionsOf', () =>
        [...sessions.values()].filter(({ member }) => member === memberId).map(({ sessionId }) => sessionId),
      ),
    rules: () => ask('rules', () => ({ settings: DEFAULT_SETTINGS, addressBans: forum.addressBans, clockOffset: 0 })),
    page: (after, limit) =>
      ask('page', () =>
        active()
          .filter(({ id }) => id > after)
          .slice(0, limit),
      ),
    unusual: () => ask('unusual', () => active().filter(({ username }) => !isPlain(username))),
    highest: () => ask('highest', () => Math.max(0, ...accounts.keys())),
    called: (name) =>
      ask('called', () =>
        active().filter(({ username }) => username.toLowerCase() === encodeEntities(name).toLowerCase()),
      ),
    close() {},
  };
  return forum;
}

export const DOWN = new ForumError('down', 'connect ECONNREFUSED', { code: 'ECONNREFUSED' });
