import net from 'node:net';
import type { TLSSocket } from 'node:tls';
import { EXIT, reasonOf, SaxError } from '../../core/errors.ts';
import { connectVerified } from '../tls/verified.ts';

export type Service = { readonly secure: boolean; readonly host: string; readonly port: number };

/** Reads `xmpp://host:port` (plain, or STARTTLS) and `xmpps://host:port` (TLS from the first byte, XEP-0368). */
export function parseService(service: string): Service {
  const match = /^(xmpps?):\/\/(\[[0-9a-f:.]+\]|[^\s:/[\]]+)(?::(\d{1,5}))?\/?$/i.exec(service);
  const port = Number(match?.[3] ?? (match?.[1]?.toLowerCase() === 'xmpps' ? 5223 : 5222));
  if (match?.[1] === undefined || match[2] === undefined || port < 1 || port > 65_535)
    throw new SaxError(EXIT.config, `xmpp.service: not an address: ${JSON.stringify(service)}`, {
      hint: 'write xmpp://host:port or xmpps://host:port',
    });
  return { secure: match[1].toLowerCase() === 'xmpps', host: match[2].replace(/^\[|\]$/g, ''), port };
}

/** Whether the peer of a connection is this machine itself: only then may a password travel without TLS. */
export function isLoopback(address: string | undefined): boolean {
  return address !== undefined && (/^(::ffff:)?127\./i.test(address) || address === '::1');
}

/** Opens the connection to the server; TLS is verified for the XMPP domain or the host that was configured. */
export async function openSocket(
  { secure, host, port }: Service,
  domain: string,
  caFile: string | undefined,
  signal: AbortSignal,
): Promise<net.Socket | TLSSocket> {
  if (secure) return await connectVerified({ host, port, names: namesFor(domain, host), caFile, signal });
  const socket = net.connect({ host, port });
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      if (signal.aborted) reject(signal.reason);
    });
    return socket;
  } catch (error) {
    socket.on('error', () => {});
    socket.destroy();
    throw new SaxError(EXIT.unavailable, `cannot connect to ${host}:${port}: ${reasonOf(error)}`, { cause: error });
  }
}

/** RFC 6120 section 13.7.2: the domain, or the host that a person configured. */
export function namesFor(domain: string, host: string): readonly string[] {
  return host === domain ? [domain] : [domain, host];
}
