import net from 'node:net';
import { EXIT, reasonOf, SaxError } from '../../core/errors.ts';
import { connectVerified } from '../tls/verified.ts';

export type IrcServer = { readonly secure: boolean; readonly host: string; readonly port: number };

/** Reads `irc://host:port` and `ircs://host:port` (ports 6667 and 6697 when left out). Throws SaxError with EXIT.config. */
export function parseIrcServer(url: string): IrcServer {
  const match = /^(ircs?):\/\/(\[[0-9a-f:.]+\]|[^\s:/[\]]+)(?::(\d{1,5}))?\/?$/i.exec(url);
  const secure = match?.[1]?.toLowerCase() === 'ircs';
  const port = Number(match?.[3] ?? (secure ? 6697 : 6667));
  if (match?.[2] === undefined || port < 1 || port > 65_535)
    throw new SaxError(EXIT.config, `irc.servers: not an address: ${JSON.stringify(url)}`, {
      hint: 'write ircs://host:port or irc://host:port',
    });
  return { secure, host: match[2].replace(/^\[|\]$/g, ''), port };
}

/** Connects; with TLS the certificate is verified for the host's name. Rejects with SaxError. */
export async function openIrcSocket(
  { secure, host, port }: IrcServer,
  caFile: string | undefined,
  certFile: string | undefined,
  signal: AbortSignal,
): Promise<net.Socket> {
  if (secure) return await connectVerified({ host, port, names: [host], caFile, certFile, signal });
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

/** Whether the peer is this machine: only then may a password travel without TLS. */
export function isLocal(socket: net.Socket): boolean {
  const address = socket.remoteAddress ?? '';
  return /^(::ffff:)?127\./i.test(address) || address === '::1';
}
