import { spawn } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Stack } from '../../src/edges/stack/types.ts';
import { saslLogin, type Transport } from '../helpers/sasl-login.ts';
import { runSaxctl, startTestStack } from '../helpers/stack.ts';
import { until } from '../helpers/until.ts';

const LONG = process.env['SAXCTL_LONG'] !== undefined;
const TRANSPORTS: readonly Transport[] = ['tcp', 'bosh', 'websocket'];

/** Localparts as a client sends them: escaped (XEP-0106), in any case; ejabberd prepares them. */
const NAMES: readonly (readonly [member: string, ...localparts: string[]])[] = [
  ['Tari', 'tari', 'Tari', 'TARI'],
  ['Bob Smith', 'bob\\20smith', 'Bob\\20Smith'],
  ['mail@example.org', 'mail\\40example.org'],
  ['a:b/c', 'a\\3ab\\2fc'],
  ["O'Neil", 'o\\27neil'],
  ['Tom & Jerry', 'Tom\\20\\26\\20Jerry'],
  ['<b>Bold</b>', '\\3cb\\3eBold\\3c\\2fb\\3e'],
  ['The "Boss"', 'The\\20\\22Boss\\22'],
  ['back\\20slash', 'back\\5c20slash'],
  ['Jürgen Müßig', 'Jürgen\\20Müßig', 'jürgen\\20müssig'],
  ['ÄRGER', 'ÄRGER', 'ärger'],
  ['Ελλάδα', 'Ελλάδα'],
  ['Пётр', 'Пётр'],
  ['春夏秋冬東西南北花鳥風月山川海空星雪雨雲', '春夏秋冬東西南北花鳥風月山川海空星雪雨雲'],
];

let stack: Stack;
beforeAll(async () => {
  stack = await startTestStack({ parts: ['mariadb', 'ejabberd'] });
});
afterAll(() => stack.stop());

const sid = (name: string): string => stack.member(name).session.sid;

/** The process ids of ejabberd's authentication programs. */
function programs(): Promise<number[]> {
  return new Promise((resolve) => {
    let text = '';
    const ps = spawn('ps', ['-eo', 'pid,args']);
    ps.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    ps.once('close', () =>
      resolve(
        text
          .split('\n')
          .filter((line) => line.includes(stack.config) && / auth$/.test(line))
          .map((line) => Number.parseInt(line, 10))
          .sort((a, b) => a - b),
      ),
    );
  });
}

describe.each(TRANSPORTS)('over %s', (transport) => {
  it('members with difficult names log in with their session, and not with another one’s', async () => {
    for (const [member, ...localparts] of NAMES)
      for (const localpart of localparts) {
        expect(await saslLogin(stack, transport, localpart, sid(member)), localpart).toBe('success');
        expect(await saslLogin(stack, transport, localpart, sid('alice')), localpart).toBe('not-authorized');
      }
    for (const member of ['Expired', 'Inactive', 'Spider', 'Banned', 'BannedTill', 'Forgotten'])
      expect(await saslLogin(stack, transport, member, sid(member)), member).toBe('not-authorized');
  });

  it('two sessions of one member, a token and a bot log in; an ended session does not', async () => {
    const second = '5'.repeat(32);
    await stack.sql(
      'INSERT INTO phpbb_sessions (session_id, session_user_id, session_time) SELECT ?, session_user_id, session_time FROM phpbb_sessions WHERE session_id = ?',
      [second, sid('alice')],
    );
    for (const secret of [sid('alice'), second, sid('alice'), second])
      expect(await saslLogin(stack, transport, 'alice', secret)).toBe('success');
    await stack.sql('DELETE FROM phpbb_sessions WHERE session_id = ?', [second]);
    expect(await saslLogin(stack, transport, 'alice', second)).toBe('not-authorized');
    expect(await saslLogin(stack, transport, 'alice', sid('alice'))).toBe('success');
    const { stdout } = await runSaxctl(stack, ['auth', '--token', 'Tari']);
    expect(await saslLogin(stack, transport, 'tari', stdout.trim())).toBe('success');
    expect(await saslLogin(stack, transport, 'webridge', stack.bots.webridge.password)).toBe('success');
    expect(await saslLogin(stack, transport, 'webridge', `${stack.bots.webridge.password}.`)).toBe('not-authorized');
  });

  it('a packet hidden in a password is no second question', async () => {
    const known = Buffer.from('isuser:tari:chat.test');
    const hidden = Buffer.concat([Buffer.from('x\n'), Buffer.of(1, 44), known, Buffer.from(`:${'p'.repeat(300)}\n`)]);
    for (let round = 0; round < 5; round++) {
      expect(await saslLogin(stack, transport, 'tari', hidden)).toBe('not-authorized');
      // A stale yes would let this one in.
      expect(await saslLogin(stack, transport, 'alice', 'f'.repeat(32))).toBe('not-authorized');
      expect(await saslLogin(stack, transport, 'alice', sid('alice'))).toBe('success');
    }
  });
});

it('a password of 65,509 bytes is refused, and the next login works', async () => {
  const before = await programs();
  for (const length of LONG ? [32_768, 40_000, 49_000, 65_509] : [65_509])
    await saslLogin(stack, 'websocket', 'tari', 'x'.repeat(length));
  expect(await saslLogin(stack, 'tcp', 'tari', sid('Tari'))).toBe('success');
  expect(before).toHaveLength(2);
});

it('40 attackers at once get nothing, and members get in between them', async () => {
  const rounds = LONG ? 20 : 3;
  let attacks = 0;
  let stop = false;
  const outcomes = new Map<string, number>();
  const attackers = Array.from({ length: 40 }, async (_, index) => {
    while (!stop) {
      const secret =
        [sid('Tari'), 'f'.repeat(32), "' OR 1=1 -- ", `x\n\0\x1aisuser:tari:chat.test`, 'sax1.a.b'][index % 5] ?? '';
      const outcome = await saslLogin(stack, TRANSPORTS[index % 3] ?? 'tcp', 'alice', secret);
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      attacks++;
    }
  });
  for (let round = 0; round < rounds; round++) {
    await until(() => attacks >= (round + 1) * 60, 'attacks', 60_000);
    expect(await saslLogin(stack, 'tcp', 'bob\\20smith', sid('Bob Smith'))).toBe('success');
  }
  stop = true;
  await Promise.all(attackers);
  expect(outcomes.get('success')).toBeUndefined();
  expect(outcomes.get('not-authorized')).toBeGreaterThan(100);
}, 180_000);

it('the programs are the same from beginning to end, whatever happened to the database', async () => {
  const before = await programs();
  for (let round = 0; round < (LONG ? 10 : 1); round++) {
    await stack.mariadb.kill();
    expect(await saslLogin(stack, 'tcp', 'tari', sid('Tari'))).toBe('not-authorized');
    await stack.mariadb.start();
    await until(async () => (await saslLogin(stack, 'tcp', 'tari', sid('Tari'))) === 'success', 'a login', 10_000);
  }
  expect(await programs()).toEqual(before);
}, 180_000);

it('the programs end with ejabberd, though it was killed', async () => {
  await stack.ejabberd.kill();
  await until(async () => (await programs()).length === 0, 'the end of the programs');
  expect(await programs()).toEqual([]);
});
