import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkToken, signToken } from '../../../src/app/auth-token.ts';
import { parseToken, tokenBody } from '../../../src/core/token.ts';

const KEY = '0123456789abcdef0123456789abcdef';
const OLD = 'the key before the last rotation';
const NOW = 1_700_000_000;

describe('a token', () => {
  it('is the form of the contract, to the letter', () => {
    // Made with openssl: printf %s "$body" | openssl dgst -sha256 -hmac "$KEY" -binary | basenc --base64url
    expect(tokenBody('Tari', NOW)).toBe('sax1.eyJ1IjoiVGFyaSIsImUiOjE3MDAwMDAwMDB9');
    expect(signToken(KEY, 'Tari', NOW)).toBe(
      'sax1.eyJ1IjoiVGFyaSIsImUiOjE3MDAwMDAwMDB9.6EvPlElgN8X9l_zZZhElFlyLJfPpXJa1uU0gCABu4B8',
    );
  });

  it('says whom and until when, for every name and time', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', minLength: 1 }),
        fc.integer({ min: NOW + 1, max: 4e9 }),
        (name, expires) => {
          expect(checkToken([KEY], signToken(KEY, name, expires), NOW)).toEqual({ ok: true, username: name, expires });
        },
      ),
    );
  });

  it('is taken with the present and the previous key, and with no other', () => {
    const keys = [KEY, OLD];
    expect(checkToken(keys, signToken(KEY, 'Tari', NOW + 9), NOW).ok).toBe(true);
    expect(checkToken(keys, signToken(OLD, 'Tari', NOW + 9), NOW).ok).toBe(true);
    expect(checkToken([KEY], signToken(OLD, 'Tari', NOW + 9), NOW)).toEqual({ ok: false, reason: 'bad-token' });
    expect(checkToken([], signToken(KEY, 'Tari', NOW + 9), NOW)).toEqual({ ok: false, reason: 'no-token-key' });
  });

  it.each([
    [1, true],
    [0, false],
    [-1, false],
    [-86_400, false],
    [86_400 * 365, true],
  ])('that expires in %i s is valid: %s', (seconds, valid) => {
    const check = checkToken([KEY], signToken(KEY, 'Tari', NOW + seconds), NOW);
    expect(check.ok).toBe(valid);
    if (!check.ok) expect(check.reason).toBe('token-expired');
  });

  it('is refused when one character is another', () => {
    const token = signToken(KEY, 'Tari', NOW + 60);
    for (let at = 0; at < token.length; at++) {
      const other = token[at] === 'A' ? 'B' : 'A';
      const forged = token.slice(0, at) + other + token.slice(at + 1);
      const check = checkToken([KEY], forged, NOW);
      // The last character of the signature carries two bits that mean nothing; they are compared all the same.
      expect(check.ok, forged).toBe(false);
    }
  });

  it.each([
    'sax1.',
    'sax1..',
    'sax1.e30.x',
    'sax2.eyJ1IjoiVGFyaSIsImUiOjE3MDAwMDAwMDB9.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
    `sax1.${'A'.repeat(5000)}.${'A'.repeat(43)}`,
    `sax1.e30.${'A'.repeat(43)}`,
    `sax1.W10.${'A'.repeat(43)}`,
    `sax1.bnVsbA.${'A'.repeat(43)}`,
    `sax1.!!!!.${'A'.repeat(43)}`,
    `sax1.eyJ1IjoiIiwiZSI6MX0.${'A'.repeat(43)}`,
    `sax1.eyJ1IjoxLCJlIjoxfQ.${'A'.repeat(43)}`,
    `sax1.eyJ1IjoiYSIsImUiOjEuNX0.${'A'.repeat(43)}`,
    `sax1.eyJ1IjoiYSIsImUiOiIxIn0.${'A'.repeat(43)}`,
  ])('that is malformed has no parts: %s', (text) => expect(parseToken(text)).toBeUndefined());

  it('is nothing but refused, whatever follows its prefix', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary-ascii', maxLength: 120 }), (rest) => {
        expect(checkToken([KEY], `sax1.${rest}`, NOW).ok).toBe(false);
      }),
    );
  });
});
