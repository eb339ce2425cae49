import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { decide } from '../../../src/app/auth.ts';
import { explain } from '../../../src/app/auth-explain.ts';
import { signToken } from '../../../src/app/auth-token.ts';
import { type OpenAuthority, openAuthority } from '../../../src/app/authority.ts';
import { describeVerdict, type Verdict } from '../../../src/core/auth-verdict.ts';
import { ForumError } from '../../../src/core/phpbb/failure.ts';
import { fakeClock } from '../../helpers/fake-clock.ts';
import { DOWN, type FakeForum, fakeForum } from '../../helpers/fake-forum.ts';
import { fakeLog } from '../../helpers/fake-log.ts';

const KEY = '0123456789abcdef';
const SID = 'a'.repeat(32);
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

let forum: FakeForum;
let clock: ReturnType<typeof fakeClock>;
let log: ReturnType<typeof fakeLog>;
let authority: OpenAuthority;

beforeEach(() => {
  forum = fakeForum();
  clock = fakeClock();
  log = fakeLog();
  forum.add(1, 'Anonymous', { state: 2 });
  forum.add(5, 'Tari');
  forum.login(5, SID, clock.now() / 1000);
});
afterEach(() => authority.close());

function open(more: { domain?: string | undefined; keys?: readonly string[] } = {}): void {
  authority = openAuthority({
    domain: 'domain' in more ? more.domain : 'chat.test',
    sidPattern: /^[0-9a-f]{32}$/,
    tokenKeys: more.keys ?? [KEY],
    bots: [
      { jid: 'SaxBot@chat.test/x', password: 'pass:word' },
      { jid: 'nopass@chat.test', password: undefined },
    ],
    forum,
    clock,
    log,
    seed: 1,
  });
}

const login = (user: string, secret: string, server = 'chat.test'): Promise<Verdict> =>
  decide(authority, { op: 'auth', user, server, secret: bytes(secret) }, 5000);
const isUser = (user: string, server = 'chat.test'): Promise<Verdict> =>
  decide(authority, { op: 'isuser', user, server }, 5000);
const token = (name: string, ttl = 60): string => signToken(KEY, name, clock.now() / 1000 + ttl);
const reason = (verdict: Verdict): string => (verdict.allowed ? verdict.by : verdict.reason);

describe('a login', () => {
  it('is by session, for the member whose session it is, on our server', async () => {
    open();
    expect(await login('tari', SID)).toMatchObject({ allowed: true, by: 'session', memberId: 5 });
    expect(await login('tari', SID, 'CHAT.test')).toMatchObject({ allowed: true });
    expect(reason(await login('alice', SID))).toBe('other-member');
    expect(reason(await login('Tari', SID))).toBe('other-member');
    expect(reason(await login('tari', 'b'.repeat(32)))).toBe('no-session');
    expect(reason(await login('tari', SID, 'other.test'))).toBe('unknown-server');
  });

  it('asks no database about what cannot be a session id', async () => {
    open();
    await login('tari', SID);
    const before = forum.asked.filter((name) => name === 'session').length;
    for (const secret of ['', SID.toUpperCase(), `${SID} `, `${SID}\0`, `${SID}\n`, 'x'.repeat(65_509), "' OR 1=1 -- "])
      expect(reason(await login('tari', secret))).toBe('bad-sid');
    expect(forum.asked.filter((name) => name === 'session')).toHaveLength(before);
  });

  it('without a configured domain is for every server', async () => {
    open({ domain: undefined });
    expect(await login('tari', SID, 'any.test')).toMatchObject({ allowed: true });
  });

  it('says why it is refused', async () => {
    open();
    forum.add(6, 'Gone', { state: 1 });
    forum.login(6, 'c'.repeat(32), clock.now() / 1000);
    forum.add(7, 'Bad', { bans: [{ exclude: false, end: 0 }] });
    forum.login(7, 'd'.repeat(32), clock.now() / 1000);
    forum.login(5, 'e'.repeat(32), clock.now() / 1000 - 7200);
    expect(reason(await login('gone', 'c'.repeat(32)))).toBe('inactive');
    expect(reason(await login('bad', 'd'.repeat(32)))).toBe('banned');
    expect(reason(await login('tari', 'e'.repeat(32)))).toBe('expired');
    expect(reason(await login('tari', `sax1.${'x'.repeat(50)}`))).toBe('bad-token');
  });
});

describe('a token', () => {
  it('is good for the member it names, while he may log in', async () => {
    open();
    expect(await login('tari', token('Tari'))).toMatchObject({ allowed: true, by: 'token' });
    expect(reason(await login('alice', token('Tari')))).toBe('other-member');
    expect(reason(await login('tari', token('Tari', 0)))).toBe('token-expired');
    expect(reason(await login('nobody', token('Nobody')))).toBe('no-member');
    forum.add(5, 'Tari', { bans: [{ exclude: false, end: 0 }] });
    expect(reason(await login('tari', token('Tari')))).toBe('banned');
    forum.add(5, 'Tari', { state: 1 });
    expect(reason(await login('tari', token('Tari')))).toBe('no-member');
  });

  it('names him as the forum stores him, or as people read him', async () => {
    forum.add(8, 'Tom &amp; Jerry');
    open();
    expect(await login('tom\\20\\26\\20jerry', token('Tom &amp; Jerry'))).toMatchObject({ allowed: true });
    expect(await login('tom\\20\\26\\20jerry', token('Tom & Jerry'))).toMatchObject({ allowed: true });
  });

  it('of one member never opens another one’s account with the same localpart', async () => {
    forum.add(10, 'x1y');
    forum.add(11, 'x¹y');
    open();
    expect(await login('x1y', token('x1y'))).toMatchObject({ allowed: true, memberId: 10 });
    expect(reason(await login('x1y', token('x¹y')))).toBe('collision');
  });

  it('is refused without a key', async () => {
    open({ keys: [] });
    expect(reason(await login('tari', token('Tari')))).toBe('no-token-key');
  });
});

describe('a bot', () => {
  it('logs in with its password, and nobody else by its name', async () => {
    open();
    expect(reason(await login('saxbot', 'pass:word'))).toBe('bot');
    expect(reason(await login('saxbot', 'pass:wor'))).toBe('bad-password');
    expect(reason(await login('saxbot', 'pass:word', 'other.test'))).toBe('unknown-server');
    expect(reason(await isUser('saxbot'))).toBe('bot');
    forum.add(9, 'SaxBot');
    forum.login(9, 'f'.repeat(32), clock.now() / 1000);
    expect(reason(await login('saxbot', 'f'.repeat(32)))).toBe('bad-password');
  });

  it('needs no database', async () => {
    forum.failure = DOWN;
    open();
    expect(reason(await login('saxbot', 'pass:word'))).toBe('bot');
  });

  it('without a password is none', async () => {
    open();
    expect(reason(await login('nopass', ''))).toBe('bad-sid');
  });
});

describe('two members with one localpart', () => {
  beforeEach(() => {
    forum.add(10, 'x1y');
    forum.add(11, 'x¹y');
    forum.login(10, '1'.repeat(32), clock.now() / 1000);
    forum.login(11, '2'.repeat(32), clock.now() / 1000);
  });

  it('the lower id owns it, from the first question on', async () => {
    open();
    expect(reason(await login('x1y', '2'.repeat(32)))).toBe('collision');
    expect(reason(await login('x1y', '1'.repeat(32)))).toBe('session');
    await clock.advance(1);
    expect(log.entries.filter(({ event }) => event === 'collision')).toHaveLength(1);
    expect(authority.directory.collisions()).toBe(1);
  });

  it('the other one has it while the first is not active, or after he was renamed', async () => {
    forum.add(10, 'x1y', { state: 1 });
    open();
    expect(reason(await login('x1y', '2'.repeat(32)))).toBe('session');
    forum.add(10, 'x1y');
    expect(reason(await login('x1y', '1'.repeat(32)))).toBe('session');
    expect(reason(await login('x1y', '2'.repeat(32)))).toBe('collision');
    forum.add(10, 'renamed');
    expect(reason(await login('x1y', '2'.repeat(32)))).toBe('session');
  });
});

describe('isuser', () => {
  it('knows active members, also new and renamed ones', async () => {
    open();
    expect(reason(await isUser('tari'))).toBe('member');
    expect(reason(await isUser('nobody'))).toBe('no-member');
    expect(reason(await isUser('tari', 'other.test'))).toBe('unknown-server');
    expect(reason(await isUser('anonymous'))).toBe('no-member');
    forum.add(20, 'Newcomer');
    expect(reason(await isUser('newcomer'))).toBe('member');
    forum.add(5, 'Tari the Second');
    expect(reason(await isUser('tari\\20the\\20second'))).toBe('member');
    expect(reason(await isUser('tari'))).toBe('no-member');
    forum.add(20, 'Newcomer', { state: 1 });
    expect(reason(await isUser('newcomer'))).toBe('no-member');
  });

  it('knows members who were activated after later ones came, whatever their names', async () => {
    forum.add(6, 'Жук &amp; Ко', { state: 1 });
    forum.add(7, 'Later');
    open();
    expect(reason(await isUser('later'))).toBe('member');
    expect(reason(await isUser('жук\\20\\26\\20ко'))).toBe('no-member');
    forum.add(6, 'Жук &amp; Ко');
    expect(reason(await login('жук\\20\\26\\20ко', token('Жук &amp; Ко')))).toBe('token');
  });

  it('does not ask for every stranger', async () => {
    open();
    await isUser('tari');
    const before = forum.asked.length;
    for (let n = 0; n < 500; n++) await isUser(`stranger${n}`);
    expect(forum.asked.length - before).toBeLessThan(50);
  });
});

describe('an outage', () => {
  it('is answered at once after the first second, and over as soon as the database is back', async () => {
    open();
    expect(reason(await login('tari', SID))).toBe('session');
    forum.failure = DOWN;
    const first = login('tari', SID);
    await clock.advance(1100);
    expect(reason(await first)).toBe('unavailable');
    expect(reason(await login('tari', SID))).toBe('unavailable');
    expect(log.entries.filter(({ event }) => event === 'forum-away')).toHaveLength(1);
    forum.failure = undefined;
    await clock.advance(250);
    expect(reason(await login('tari', SID))).toBe('session');
    expect(log.entries.some(({ event }) => event === 'forum-back')).toBe(true);
  });

  it('of one table alone lasts until that table is back', async () => {
    open();
    expect(reason(await login('tari', SID))).toBe('session');
    const { session } = forum;
    const missing = new ForumError('schema', "Table 'phpbb_sessions' doesn't exist", { code: 'ER_NO_SUCH_TABLE' });
    forum.session = () => Promise.reject(missing);
    for (let n = 0; n < 5; n++) {
      expect(reason(await login('tari', SID))).toBe('unavailable');
      await clock.advance(1500);
    }
    expect(log.entries.map(({ event }) => event).filter((event) => event.startsWith('forum-'))).toEqual(['forum-away']);
    forum.session = session;
    await clock.advance(1500);
    expect(reason(await login('tari', SID))).toBe('session');
    expect(log.entries.at(-1)).toMatchObject({ event: 'forum-back' });
  });

  it('of half a second is waited out', async () => {
    open();
    await login('tari', SID);
    forum.failure = DOWN;
    const asked = login('tari', SID);
    await clock.advance(500);
    forum.failure = undefined;
    await clock.advance(300);
    expect(reason(await asked)).toBe('session');
  });
});

it('the rules are read again each minute', async () => {
  open();
  await login('tari', SID);
  forum.add(5, 'Tari', { email: 'tari@example.org' });
  forum.addressBans = [{ email: '*@example.org', ip: '', exclude: false, end: 0 }];
  await clock.advance(61_000);
  await login('tari', SID);
  await clock.advance(1);
  expect(reason(await login('tari', SID))).toBe('banned');
});

it('after hours without a login the first one is judged by the rules of now', async () => {
  open();
  await login('tari', SID);
  forum.add(5, 'Tari', { email: 'tari@example.org' });
  forum.addressBans = [{ email: '*@example.org', ip: '', exclude: false, end: 0 }];
  await clock.advance(1_200_000);
  expect(reason(await login('tari', SID))).toBe('banned');
});

describe('explaining', () => {
  it('says rule by rule what was found', async () => {
    open();
    const { steps, verdict, localpart } = await explain(authority, 'Tari', bytes(SID), 5000);
    expect(localpart).toBe('tari');
    expect(describeVerdict(verdict, clock.now() / 1000)).toBe('allowed (session, expires in 1 h 1 min)');
    expect(steps.map(({ rule, ok }) => `${rule} ${ok}`)).toEqual([
      'localpart true',
      'session id true',
      'session true',
      'name true',
      'account true',
      'bans true',
      'age true',
    ]);
    expect(JSON.stringify(steps)).not.toContain(SID);
  });

  it.each<[string, () => string, string]>([
    [
      'Tari',
      () => 'nonsense',
      'refused: the secret is neither a token nor looks like a session id ([auth] sid_pattern)',
    ],
    ['SaxBot', () => 'pass:word', 'allowed (bot)'],
    ['Tari', () => token('Tari', 600), 'allowed (token, expires in 10 min)'],
    ['Tari', () => token('Tari', -60), 'refused: the token has expired 1 min ago'],
    ['Alice', () => SID, 'refused: the session belongs to a member with another name'],
  ])('%s: %s', async (user, secret, wanted) => {
    open();
    const { verdict } = await explain(authority, user, bytes(secret()), 5000);
    expect(describeVerdict(verdict, clock.now() / 1000)).toBe(wanted);
  });
});

describe('a flood of refused logins', () => {
  const random = (n: number): string => n.toString(16).padStart(32, '9');
  const queries = (): number => forum.asked.filter((name) => name === 'session' || name === 'sessionsOf').length;

  it('under a member’s name is no flood of queries, and he still gets in', async () => {
    open();
    await login('tari', SID);
    for (let n = 0; n < 200; n++) await login('tari', random(n));
    const before = queries();
    for (let n = 0; n < 1000; n++) {
      expect(reason(await login('tari', random(n)))).toBe('no-session');
      if (n % 100 === 0) expect(reason(await login('tari', SID))).toBe('session');
      await clock.advance(1);
    }
    // The member's own ten logins, and a look at his sessions ten times a second.
    expect(queries() - before).toBeLessThan(30);
  });

  it('shuts out nobody: not a new session, not another member, not a new member', async () => {
    open();
    for (let n = 0; n < 500; n++) await login(n % 2 ? 'tari' : `stranger${n}`, random(n));
    forum.login(5, 'b'.repeat(32), clock.now() / 1000);
    forum.add(6, 'alice');
    forum.login(6, 'c'.repeat(32), clock.now() / 1000);
    await clock.advance(150);
    for (let n = 0; n < 100; n++) await login(`stranger${n}`, random(n));
    expect(reason(await login('tari', 'b'.repeat(32)))).toBe('session');
    expect(reason(await login('alice', 'c'.repeat(32)))).toBe('session');
  });

  it('is over two seconds after it ended', async () => {
    open();
    for (let n = 0; n < 300; n++) await login('tari', random(n));
    await clock.advance(2100);
    const before = forum.asked.filter((name) => name === 'session').length;
    await login('tari', random(1));
    expect(forum.asked.filter((name) => name === 'session').length - before).toBe(1);
  });
});
