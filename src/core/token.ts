/**
 * The signed token (DESIGN.md 4): `sax1.` + base64url(JSON {"u":username,"e":expiry}) + `.` + base64url(HMAC-SHA256 over
 * everything before this dot). The signature itself is made and compared by app/auth-token.ts; PHP's half is php/saxtoken.php.
 */

const PREFIX = 'sax1.';
/** Far more than a username of 255 characters needs; an HMAC over megabytes is work for free. */
const MAX_LENGTH = 4096;
/** 32 bytes in base64url. */
const SIGNATURE_LENGTH = 43;

export type Token = {
  /** The username as the forum stores it. */
  readonly username: string;
  /** Seconds since 1970; valid before this moment. */
  readonly expires: number;
  /** What the signature covers. */
  readonly signed: string;
  /** base64url, as given. */
  readonly signature: string;
};

/** Whether a secret means to be a token: then it is nothing else. */
export const isToken = (secret: string): boolean => secret.startsWith(PREFIX);

/** The part of a token that is signed. `expires` in seconds since 1970. */
export function tokenBody(username: string, expires: number): string {
  return PREFIX + toBase64Url(new TextEncoder().encode(JSON.stringify({ u: username, e: expires })));
}

/** Reads a token's parts; undefined when it is malformed. Says nothing about signature and expiry. */
export function parseToken(secret: string): Token | undefined {
  if (!isToken(secret) || secret.length > MAX_LENGTH) return undefined;
  const dot = secret.indexOf('.', PREFIX.length);
  const signature = secret.slice(dot + 1);
  if (dot < 0 || signature.length !== SIGNATURE_LENGTH || !/^[A-Za-z0-9_-]+$/.test(signature)) return undefined;
  const payload = fromBase64Url(secret.slice(PREFIX.length, dot));
  if (payload === undefined) return undefined;
  try {
    const { u: username, e: expires } = JSON.parse(payload) as { u?: unknown; e?: unknown };
    if (typeof username !== 'string' || username === '') return undefined;
    if (typeof expires !== 'number' || !Number.isSafeInteger(expires)) return undefined;
    return { username, expires, signed: secret.slice(0, dot), signature };
  } catch {
    return undefined;
  }
}

/** RFC 4648 section 5, without padding. */
export function toBase64Url(bytes: Uint8Array): string {
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function fromBase64Url(text: string): string | undefined {
  if (!/^[A-Za-z0-9_-]+$/.test(text) || text.length % 4 === 1) return undefined;
  try {
    const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
    return utf8.decode(Uint8Array.from(binary, (char) => char.charCodeAt(0)));
  } catch {
    return undefined;
  }
}
