import { namedError } from '../state/libc.ts';

const AF_UNIX = 1;
/** `sun_path` of sockaddr_un (unix(7)). */
const PATH_BYTES = 108;
/** Room for any address that the kernel gives back. */
export const ADDRESS_BYTES = 2 + PATH_BYTES;

/**
 * The kernel's form of a UNIX socket address (unix(7)): a path, or `@name` for the abstract name space. The length counts,
 * since an abstract name may hold any byte. Throws ENAMETOOLONG instead of cutting, EINVAL for an empty path or a zero byte.
 */
export function encodeAddress(path: string): { bytes: Uint8Array; length: number } {
  const abstract = path.startsWith('@');
  const name = Buffer.from(abstract ? path.slice(1) : path, 'utf8');
  if (name.length === 0 || (!abstract && name.includes(0)))
    throw namedError('EINVAL', 'socket address', JSON.stringify(path));
  if (name.length > PATH_BYTES - 1) throw namedError('ENAMETOOLONG', 'socket address', path);
  const bytes = Buffer.alloc(ADDRESS_BYTES);
  bytes.writeUInt16LE(AF_UNIX, 0);
  name.copy(bytes, abstract ? 3 : 2);
  return { bytes, length: (abstract ? 3 : 2) + name.length + (abstract ? 0 : 1) };
}

/** The other way; undefined for a sender that has no address. */
export function decodeAddress(bytes: Uint8Array, length: number): string | undefined {
  if (length <= 2) return undefined;
  const name = Buffer.from(bytes.buffer, bytes.byteOffset + 2, length - 2);
  if (name[0] === 0) return `@${name.toString('utf8', 1)}`;
  const end = name.indexOf(0);
  return name.toString('utf8', 0, end === -1 ? name.length : end);
}
