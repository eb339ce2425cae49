/**
 * FNV-1a of 32 bits in eight hex digits, of bytes or of an ASCII text: finds torn and zeroed records. It is no protection against
 * a forger. PHP has the same as `hash('fnv1a32', …)`.
 */
export function fnv1a(input: Uint8Array | string): string {
  let hash = 0x811c9dc5;
  if (typeof input === 'string')
    for (let index = 0; index < input.length; index += 1) hash = Math.imul(hash ^ input.charCodeAt(index), 0x01000193);
  else for (const byte of input) hash = Math.imul(hash ^ byte, 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, '0');
}
