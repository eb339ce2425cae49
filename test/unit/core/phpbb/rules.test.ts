import { describe, expect, it } from 'vitest';
import {
  type AddressBan,
  type Ban,
  DEFAULT_SETTINGS,
  isActive,
  readSettings,
  refuseAccount,
  refuseSession,
  type Session,
  sessionEnd,
} from '../../../../src/core/phpbb/rules.ts';
import type { Board } from '../../../../src/core/phpbb/statements.ts';

const NOW = 1_700_000_000;
const DAY = 86_400;
const EVER: Ban = { exclude: false, end: 0 };
const EXCLUDED: Ban = { exclude: true, end: 0 };

function session(board: Board, more: Partial<Session> = {}): Session {
  return {
    board,
    sessionId: 'ab',
    id: 7,
    username: 'Tari',
    email: 'tari@example.org',
    state: board === 'phpbb2' ? 1 : 0,
    bans: [],
    time: NOW,
    flag: board === 'phpbb2',
    ip: board === 'phpbb2' ? 'c0a80105' : '192.168.1.5',
    ...more,
  };
}

const verdict = (
  given: Session,
  { settings = {}, bans = [] }: { settings?: Partial<typeof DEFAULT_SETTINGS>; bans?: readonly AddressBan[] } = {},
): string => refuseSession(given, { ...DEFAULT_SETTINGS, ...settings }, bans, NOW)?.reason ?? 'allowed';

describe('a session of phpBB 3', () => {
  it.each<[string, Partial<Session>, Partial<typeof DEFAULT_SETTINGS>, string]>([
    ['just used', {}, {}, 'allowed'],
    ['an hour and a minute old', { time: NOW - 3660 }, {}, 'allowed'],
    ['a second older', { time: NOW - 3661 }, {}, 'expired'],
    ['with another length', { time: NOW - 700 }, { sessionLength: 600 }, 'expired'],
    ['from the future', { time: NOW + 60 }, {}, 'allowed'],
    ['remembered, years old', { flag: true, time: NOW - 900 * DAY }, {}, 'allowed'],
    ['remembered, but switched off', { flag: true }, { allowAutologin: false }, 'expired'],
    [
      'remembered for ten days, nearly over',
      { flag: true, time: NOW - 10 * DAY + 60 },
      { maxAutologinDays: 10 },
      'allowed',
    ],
    ['remembered for ten days, over', { flag: true, time: NOW - 10 * DAY + 59 }, { maxAutologinDays: 10 }, 'expired'],
    ['of the guest', { id: 1, state: 2 }, {}, 'guest'],
    ['of the guest, whatever his type', { id: 1, state: 0 }, {}, 'guest'],
    ['of a crawler', { state: 2 }, {}, 'guest'],
    ['of an inactive member', { state: 1 }, {}, 'inactive'],
    ['of a founder', { state: 3 }, {}, 'allowed'],
    ['of an unknown type', { state: 9 }, {}, 'inactive'],
    ['of a banned member', { bans: [EVER] }, {}, 'banned'],
    ['of one banned till now', { bans: [{ exclude: false, end: NOW }] }, {}, 'banned'],
    ['of one whose ban is over', { bans: [{ exclude: false, end: NOW - 1 }] }, {}, 'allowed'],
    ['of one with an old and a new ban', { bans: [{ exclude: false, end: 5 }, EVER] }, {}, 'banned'],
    ['of one excluded from bans', { bans: [EVER, EXCLUDED] }, {}, 'allowed'],
    ['of one whose exclusion is over', { bans: [EVER, { exclude: true, end: 5 }] }, {}, 'banned'],
    ['of a banned founder', { state: 3, bans: [EVER] }, {}, 'allowed'],
  ])('%s', (_name, more, settings, wanted) => {
    expect(verdict(session('phpbb3', more), { settings })).toBe(wanted);
    expect(verdict(session('phpbb4', more), { settings })).toBe(wanted);
  });
});

describe('a session of phpBB 2', () => {
  it.each<[string, Partial<Session>, string]>([
    ['just used', {}, 'allowed'],
    ['an hour old', { time: NOW - 3600 }, 'allowed'],
    ['a second older', { time: NOW - 3601 }, 'expired'],
    ['not logged in', { flag: false }, 'not-logged-in'],
    ['of the guest', { id: -1, flag: false }, 'guest'],
    ['of the guest, logged in', { id: -1 }, 'guest'],
    ['of an inactive member', { state: 0 }, 'inactive'],
    ['of a banned member', { bans: [EVER] }, 'banned'],
  ])('%s', (_name, more, wanted) => expect(verdict(session('phpbb2', more))).toBe(wanted));
});

describe('bans by address', () => {
  const ban = (more: Partial<AddressBan>): AddressBan => ({ email: '', ip: '', exclude: false, end: 0, ...more });

  it.each<[Board, Partial<AddressBan>, string]>([
    ['phpbb3', { email: 'tari@example.org' }, 'banned'],
    ['phpbb3', { email: '*@example.org' }, 'banned'],
    ['phpbb3', { email: 'TARI@*' }, 'banned'],
    ['phpbb3', { email: '*' }, 'banned'],
    ['phpbb3', { email: 'tari@example.com' }, 'allowed'],
    ['phpbb3', { email: 'tari@example.org', end: NOW - 1 }, 'allowed'],
    ['phpbb3', { ip: '192.168.1.5' }, 'banned'],
    ['phpbb3', { ip: '192.168.*' }, 'banned'],
    ['phpbb3', { ip: '192.168.1.50' }, 'allowed'],
    ['phpbb3', { ip: '*.*.*.6' }, 'allowed'],
    ['phpbb2', { email: '@example.org' }, 'banned'],
    ['phpbb2', { email: '*@example.org' }, 'banned'],
    ['phpbb2', { email: '%@example.org' }, 'banned'],
    ['phpbb2', { email: '@ample.org' }, 'allowed'],
    ['phpbb2', { ip: 'c0a80105' }, 'banned'],
    ['phpbb2', { ip: 'c0a8ffff' }, 'banned'],
    ['phpbb2', { ip: 'C0A801FF' }, 'banned'],
    ['phpbb2', { ip: 'c0a80205' }, 'allowed'],
  ])('%s %j: %s', (board, more, wanted) => expect(verdict(session(board), { bans: [ban(more)] })).toBe(wanted));

  it('are lifted by an exclusion, of the address too', () => {
    const bans = [ban({ email: '*@example.org' }), ban({ email: 'tari@example.org', exclude: true })];
    expect(verdict(session('phpbb3'), { bans })).toBe('allowed');
  });

  it('say until when: the longest of those that hold', () => {
    const account = session('phpbb3', {
      bans: [
        { exclude: false, end: NOW + 5 },
        { exclude: false, end: NOW + 9 },
      ],
    });
    expect(refuseAccount(account, [], NOW)).toEqual({ reason: 'banned', until: NOW + 9, by: 'member' });
    expect(refuseAccount({ ...account, bans: [...account.bans, EVER] }, [], NOW)).toMatchObject({ until: 0 });
  });

  it('with many stars are matched in no time', () => {
    const email = `${'a'.repeat(200)}@example.org`;
    expect(verdict(session('phpbb3', { email }), { bans: [ban({ email: `${'*a'.repeat(60)}*x` })] })).toBe('allowed');
  });
});

describe('settings', () => {
  it('are read, and phpBB’s defaults where they are missing or nonsense', () => {
    expect(readSettings([])).toEqual(DEFAULT_SETTINGS);
    expect(
      readSettings([
        ['session_length', '600'],
        ['allow_autologin', '0'],
        ['max_autologin_time', '14'],
      ]),
    ).toEqual({
      sessionLength: 600,
      allowAutologin: false,
      maxAutologinDays: 14,
    });
  });

  it('are read as phpBB reads them: a value that is no number is 0, and allows nothing', () => {
    const of = (value: string) =>
      readSettings(['session_length', 'allow_autologin', 'max_autologin_time'].map((name) => [name, value] as const));
    for (const value of ['', 'long', '0'])
      expect(of(value)).toEqual({ sessionLength: 0, allowAutologin: false, maxAutologinDays: 0 });
    expect(of(' 600 s')).toEqual({ sessionLength: 600, allowAutologin: true, maxAutologinDays: 600 });
    const ended = session('phpbb3', { time: NOW - 3000 });
    expect(refuseSession(ended, of('-1'), [], NOW)).toMatchObject({ reason: 'expired' });
    expect(refuseSession({ ...ended, flag: true }, of('-1'), [], NOW)).toMatchObject({ reason: 'expired' });
  });

  it('tell when a session ends', () => {
    expect(sessionEnd(session('phpbb3'), DEFAULT_SETTINGS)).toBe(NOW + 3660);
    expect(sessionEnd(session('phpbb3', { flag: true }), DEFAULT_SETTINGS)).toBe(Number.POSITIVE_INFINITY);
    expect(sessionEnd(session('phpbb2'), DEFAULT_SETTINGS)).toBe(NOW + 3600);
  });
});

it('only members are active', () => {
  expect(isActive({ board: 'phpbb3', id: 2, state: 0 })).toBe(true);
  expect(isActive({ board: 'phpbb3', id: 1, state: 0 })).toBe(false);
  expect(isActive({ board: 'phpbb2', id: -1, state: 1 })).toBe(false);
});
