import net from 'node:net';
import { EXIT, reasonOf, SaxError } from '../../core/errors.ts';
import type { Service } from '../../core/service-url.ts';
import { connectVerified } from './verified.ts';

/** Connects to a server; with TLS its certificate is verified for one of `names`. Rejects with SaxError. */
export async function openConnection(
  { secure, host, port }: Service,
  tls: {
    readonly names: readonly string[];
    readonly caFile?: string | undefined;
    readonly certFile?: string | undefined;
  },
  signal: AbortSignal,
): Promise<net.Socket> {
  if (secure) return await connectVerified({ host, port, ...tls, signal });
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

/** Whether the peer is this machine itself: only then may a password travel without TLS. */
export function isLoopback(socket: net.Socket): boolean {
  const address = socket.remoteAddress ?? '';
  return /^(::ffff:)?127\./i.test(address) || address === '::1';
}
