import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';

/** A loopback port that no other private stack of this machine can choose while we hold it. */
export type HeldPort = { readonly port: number; release(): void };

const LOWEST = 15_000;

/**
 * Finds a free loopback port below the ephemeral range: above it a client that reconnects to a dead server's port can be
 * given that very port by the kernel and connect to itself. Two stacks starting at once are kept apart by an abstract
 * UNIX socket named after the port: the kernel drops it with the process, so nothing stale is ever left.
 */
export async function holdPort(): Promise<HeldPort> {
  const highest = Math.max(LOWEST + 1000, firstEphemeralPort());
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const port = LOWEST + Math.floor(Math.random() * (highest - LOWEST));
    const lock = await tryListen({ path: `\0saxctl-port-${port}` });
    if (lock === undefined) continue;
    const trial = await tryListen({ host: '127.0.0.1', port, exclusive: true });
    if (trial === undefined) {
      lock.close();
      continue;
    }
    await new Promise((resolve) => trial.close(resolve));
    lock.unref();
    return { port, release: () => lock.close() };
  }
  throw new Error('no free loopback port found');
}

function firstEphemeralPort(): number {
  try {
    return Number(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').trim().split(/\s+/)[0]);
  } catch {
    return 32_768;
  }
}

function tryListen(
  where: { path: string } | { host: string; port: number; exclusive: true },
): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', () => resolve(undefined));
    server.listen(where, () => resolve(server));
  });
}
