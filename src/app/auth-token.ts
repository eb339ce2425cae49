import { createHmac, timingSafeEqual } from 'node:crypto';
import { parseToken, toBase64Url, tokenBody } from '../core/token.ts';

/** `[auth] token_key` and `token_key_previous`: the first signs, both are accepted. */
export type TokenKeys = readonly string[];

const mac = (key: string, signed: string): Buffer => createHmac('sha256', key).update(signed).digest();

/** A token for the member with this username (as the forum stores it). `expires` in seconds since 1970. */
export function signToken(key: string, username: string, expires: number): string {
  const signed = tokenBody(username, expires);
  return `${signed}.${toBase64Url(mac(key, signed))}`;
}

export type TokenCheck =
  | { readonly ok: true; readonly username: string; readonly expires: number }
  | { readonly ok: false; readonly reason: 'bad-token' | 'token-expired' | 'no-token-key'; readonly expires?: number };

/**
 * Whether one of our keys signed the token and it has not expired; who it names must still be looked up.
 * @param now seconds since 1970. There is no leeway: a token's life is measured in minutes, clocks are off by less.
 */
export function checkToken(keys: TokenKeys, secret: string, now: number): TokenCheck {
  if (keys.length === 0) return { ok: false, reason: 'no-token-key' };
  const token = parseToken(secret);
  if (token === undefined) return { ok: false, reason: 'bad-token' };
  const given = Buffer.from(token.signature);
  let signed = false;
  // Every key is tried and compared whole: how long it takes says nothing.
  for (const key of keys) {
    const wanted = Buffer.from(toBase64Url(mac(key, token.signed)));
    if (wanted.length === given.length && timingSafeEqual(wanted, given)) signed = true;
  }
  if (!signed) return { ok: false, reason: 'bad-token' };
  if (token.expires <= now) return { ok: false, reason: 'token-expired', expires: token.expires };
  return { ok: true, username: token.username, expires: token.expires };
}
