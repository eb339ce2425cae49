import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isPlain, nameDecoder } from '../../../../src/core/phpbb/names.ts';
import { unpackAccount, unpackSession } from '../../../../src/core/phpbb/packed.ts';
import { statements } from '../../../../src/core/phpbb/statements.ts';

describe('a packed row', () => {
  it('is read, with a ban in each row', () => {
    const row = (ban: string): string => `ab12 1700000000 1 127.0.0.1 7 0 ${ban} t@example.org\nTom &amp; Jerry`;
    expect(unpackSession('phpbb3', [row(' ')])).toEqual({
      board: 'phpbb3',
      sessionId: 'ab12',
      time: 1_700_000_000,
      flag: true,
      ip: '127.0.0.1',
      id: 7,
      state: 0,
      bans: [],
      email: 't@example.org',
      username: 'Tom &amp; Jerry',
    });
    expect(unpackSession('phpbb3', [row('0 0'), row('1 99')])?.bans).toEqual([
      { exclude: false, end: 0 },
      { exclude: true, end: 99 },
    ]);
  });

  it('keeps every name and address', () => {
    fc.assert(
      fc.property(fc.uint16Array({ maxLength: 30 }), fc.string({ maxLength: 30 }), (units, address) => {
        const username = String.fromCharCode(...units);
        const email = address.replaceAll('\n', '');
        expect(unpackAccount('phpbb3', [`-1 2 0 5 ${email}\n${username}`])).toEqual({
          board: 'phpbb3',
          id: -1,
          state: 2,
          bans: [{ exclude: false, end: 5 }],
          email,
          username,
        });
      }),
      { numRuns: 50 },
    );
  });

  it('of another form is nobody', () => {
    for (const row of ['', 'x', '1 2 3 4', 'a b c d e f g h i'])
      expect([unpackAccount('phpbb3', [row]), unpackSession('phpbb3', [row])]).toEqual([undefined, undefined]);
  });
});

describe('names', () => {
  it('are decoded as what they are, whatever the table says', () => {
    const decode = nameDecoder('latin1');
    expect(decode?.(Uint8Array.of(0x4a, 0xfc, 0x72))).toBe('Jür');
    expect(decode?.(new TextEncoder().encode('Жук'))).toBe('Жук');
    expect(decode?.(Uint8Array.of(0x80))).toBe('€');
    expect(nameDecoder('cp1251')?.(Uint8Array.of(0xc6))).toBe('Ж');
    expect(nameDecoder('utf8mb4')).toBeUndefined();
    expect(nameDecoder('utf8_general_ci')).toBeUndefined();
    expect(() => nameDecoder('klingon')).toThrow(RangeError);
  });

  it('are plain when nothing in them means something else', () => {
    for (const name of ['Tari', 'Bob Smith', "O'Neil", 'a:b/c', '~!@#$%^*()']) expect(isPlain(name)).toBe(true);
    for (const name of ['a&amp;b', 'a\\20b', 'é', 'x¹y', 'a\tb']) expect(isPlain(name)).toBe(false);
  });
});

describe('statements', () => {
  it('take no prefix that is not the beginning of a table’s name', () => {
    for (const prefix of ['x`; DROP', 'a b', "'", 'ä_', 'x'.repeat(60)])
      expect(() => statements('phpbb3', prefix, false)).toThrow(RangeError);
    expect(statements('phpbb3', '', false).page).toContain('`users`');
    expect(statements('phpbb2', 'forum_', false).session).toContain('`forum_sessions`');
  });
});
