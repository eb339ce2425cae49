import { connect, createServer, type NetConnectOpts, type Server, type Socket } from 'node:net';

/** The network between a client and a server, as a test can break it. */
export type NetworkProxy = {
  readonly port: number;
  /** The cable is pulled with a bang: open connections are reset, new ones are refused until `mend`. */
  cut(): Promise<void>;
  /** Half-dead: connections stay open and new ones are accepted, but not a byte is forwarded until `mend`. */
  stall(): void;
  /** Undoes `cut`, `stall` and `delay`; bytes held back by `stall` go through. */
  mend(): Promise<void>;
  /** Every byte arrives `ms` later, each way. 0 switches it off. */
  delay(ms: number): void;
  /** How many clients are connected now. */
  connections(): number;
};

/** A reset where there is a TCP connection; Node throws ERR_INVALID_HANDLE_TYPE for a UNIX socket and for one that never came about. */
function reset(socket: Socket): void {
  try {
    if (!socket.connecting && !socket.pending) socket.resetAndDestroy();
  } catch {
    // A UNIX socket has no reset; its end is seen all the same.
  }
  socket.destroy();
}

export type OwnedProxy = NetworkProxy & { close(): Promise<void> };

/** A TCP proxy on loopback `port` in front of `target` (a port or a UNIX socket). Not listening before `mend` was called once. */
export function createProxy(port: number, target: NetConnectOpts): OwnedProxy {
  const pairs = new Set<readonly [Socket, Socket]>();
  let server: Server | undefined;
  let stalled = false;
  let delayMs = 0;

  const forward = (from: Socket, to: Socket): void => {
    let last: Promise<unknown> = Promise.resolve();
    const inOrder = (action: () => void): void => {
      if (delayMs === 0) {
        last = last.then(action);
        return;
      }
      const due = new Promise((resolve) => setTimeout(resolve, delayMs));
      last = last.then(() => due).then(action);
    };
    from.on('data', (chunk) => {
      inOrder(() => {
        if (!to.writable) return;
        if (!to.write(chunk) && !from.destroyed) {
          from.pause();
          to.once('drain', () => {
            if (!stalled) from.resume();
          });
        }
      });
    });
    from.on('end', () => inOrder(() => to.end()));
    from.on('error', () => reset(to));
    from.on('close', () => inOrder(() => to.destroySoon()));
  };

  const accept = (client: Socket): void => {
    const upstream = connect(target);
    const pair = [client, upstream] as const;
    pairs.add(pair);
    client.setNoDelay(true);
    upstream.setNoDelay(true);
    client.on('close', () => pairs.delete(pair));
    forward(client, upstream);
    forward(upstream, client);
    if (stalled) for (const socket of pair) socket.pause();
  };

  const resetAll = (): void => {
    for (const [client, upstream] of pairs) {
      reset(client);
      reset(upstream);
    }
    pairs.clear();
  };

  const listen = async (): Promise<void> => {
    if (server !== undefined) return;
    const fresh = createServer({ allowHalfOpen: true }, accept);
    server = fresh;
    await new Promise<void>((resolve, reject) => {
      fresh.once('error', reject);
      fresh.listen({ port, host: '127.0.0.1', backlog: 511, exclusive: true }, resolve);
    });
  };

  const cut = async (): Promise<void> => {
    const old = server;
    server = undefined;
    const closed = old === undefined ? undefined : new Promise((resolve) => old.close(resolve));
    resetAll();
    await closed;
  };

  return {
    port,
    cut,
    close: cut,
    stall() {
      stalled = true;
      for (const pair of pairs) for (const socket of pair) socket.pause();
    },
    async mend() {
      stalled = false;
      delayMs = 0;
      for (const pair of pairs) for (const socket of pair) socket.resume();
      await listen();
    },
    delay(ms) {
      delayMs = ms;
    },
    connections: () => pairs.size,
  };
}
