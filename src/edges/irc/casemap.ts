/** Comparison of nicknames and channels as the server does it (RPL_ISUPPORT CASEMAPPING; RFC 1459 section 2.2). */
export function lowerBy(casemapping: unknown): (text: string) => string {
  if (casemapping === 'ascii') return (text) => text.replace(/[A-Z]/g, (char) => char.toLowerCase());
  const last = casemapping === 'strict-rfc1459' ? ']' : '^';
  return (text) =>
    text.replace(/[A-Z[\\\]^]/g, (char) => (char <= last ? String.fromCharCode(char.charCodeAt(0) + 32) : char));
}
