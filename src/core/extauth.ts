/**
 * ejabberd's external authentication, as bytes (ejabberd guide, "External Authentication"; src/extauth.erl): packets with a
 * 2-byte big-endian length, `operation:user:server[:secret]`, answered by exactly 4 bytes each. One answer too many is a
 * stranger's login, so a packet is nothing but its length: what is inside never moves the border.
 */

export const YES: Uint8Array = Uint8Array.of(0, 2, 0, 1);
export const NO: Uint8Array = Uint8Array.of(0, 2, 0, 0);

/** Cuts a stream into packets, however it was split or joined on the way. Holds at most one packet that is not complete. */
export type PacketSplitter = {
  /** The packets that are complete with this chunk. They may share the chunk's memory. */
  push(chunk: Uint8Array): Uint8Array[];
  /** Bytes of a packet that is not complete. */
  pending(): number;
};

export function createPacketSplitter(): PacketSplitter {
  /** The packet being gathered: its length when that is known, and how much of it is there. */
  let high: number | undefined;
  let body: Uint8Array | undefined;
  let filled = 0;

  return {
    push(chunk) {
      const packets: Uint8Array[] = [];
      let at = 0;
      while (at < chunk.length) {
        if (body !== undefined) {
          const part = chunk.subarray(at, at + body.length - filled);
          body.set(part, filled);
          filled += part.length;
          at += part.length;
          if (filled < body.length) return packets;
          packets.push(body);
          body = undefined;
          continue;
        }
        if (high === undefined) {
          high = chunk[at++];
          continue;
        }
        const length = high * 256 + (chunk[at++] ?? 0);
        high = undefined;
        if (at + length <= chunk.length) {
          packets.push(chunk.subarray(at, at + length));
          at += length;
        } else {
          body = new Uint8Array(length);
          filled = 0;
        }
      }
      return packets;
    },
    pending: () => (body === undefined ? (high === undefined ? 0 : 1) : filled + 2),
  };
}

export type AuthRequest =
  | { readonly op: 'auth'; readonly user: string; readonly server: string; readonly secret: Uint8Array }
  | { readonly op: 'isuser'; readonly user: string; readonly server: string }
  /** `name` is what was asked for, if it is one of ejabberd's operations: answered no. */
  | { readonly op: 'other'; readonly name: string }
  | { readonly op: 'malformed' };

/** Operations of ejabberd that change accounts or check certificates: the forum is master of those. */
const OTHERS = ['setpass', 'tryregister', 'removeuser', 'removeuser3', 'certauth'];

const COLON = 0x3a;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** A packet's question. Only the first three colons separate: the secret is the rest, whatever its bytes. */
export function parseAuthRequest(packet: Uint8Array): AuthRequest {
  const first = packet.indexOf(COLON);
  if (first < 0) return { op: 'malformed' };
  const name = ascii(packet.subarray(0, first));
  if (name !== 'auth' && name !== 'isuser') return OTHERS.includes(name) ? { op: 'other', name } : { op: 'malformed' };
  const second = packet.indexOf(COLON, first + 1);
  if (second < 0) return { op: 'malformed' };
  const third = packet.indexOf(COLON, second + 1);
  const end = third < 0 ? packet.length : third;
  if ((name === 'auth') !== third >= 0) return { op: 'malformed' };
  const user = decode(packet.subarray(first + 1, second));
  const server = decode(packet.subarray(second + 1, end));
  // A user of nothing but soft hyphens arrives as ''.
  if (user === undefined || server === undefined || user === '' || server === '') return { op: 'malformed' };
  return name === 'auth'
    ? { op: 'auth', user, server, secret: packet.subarray(end + 1) }
    : { op: 'isuser', user, server };
}

/** The bytes as a text of printable ASCII without spaces; '' when they are something else. */
export function ascii(bytes: Uint8Array): string {
  for (const byte of bytes) if (byte <= 0x20 || byte >= 0x7f) return '';
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

function decode(bytes: Uint8Array): string | undefined {
  const plain = ascii(bytes);
  if (plain !== '' || bytes.length === 0) return plain;
  try {
    const text = utf8.decode(bytes);
    // ejabberd never sends control characters in a name; whoever does wants something else.
    return /[\u0000-\u001f\u007f]/.test(text) ? undefined : text;
  } catch {
    return undefined;
  }
}
