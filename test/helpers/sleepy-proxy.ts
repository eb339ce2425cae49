/**
 * A TCP proxy as a sleeping or far-away machine sees the network: `doze` makes the connections of now dead without closing
 * them (new ones work, as after waking), `cut` resets them, `refuse` turns new ones away, `rtt` adds a round-trip time.
 */
import { connect, createServer, type Server, type Socket } from 'node:net';

export type SleepyProxy = {
  readonly port: number;
  doze(): void;
  cut(): void;
  refuse(on: boolean): void;
  close(): Promise<void>;
};

/**
 * Starts one in front of a port of loopback.
 * @param rtt ms added to each round trip; half each way, and once more for a new connection (SYN).
 */
export async function startSleepyProxy(target: number, rtt = 0): Promise<SleepyProxy> {
  const pairs = new Set<{ client: Socket; upstream: Socket; isDead: boolean }>();
  let isRefusing = false;

  const server: Server = createServer({ allowHalfOpen: true }, (client) => {
    if (isRefusing) return void client.resetAndDestroy();
    const upstream = connect(target, '127.0.0.1');
    const pair = { client, upstream, isDead: false };
    pairs.add(pair);
    const opened = performance.now() + rtt;
    const forward = (from: Socket, to: Socket) => {
      from.setNoDelay(true);
      let due = 0;
      const later = (run: () => void) => {
        if (!rtt) return run();
        // Never before what came earlier, and never before the connection would have been there.
        due = Math.max(due, performance.now() + rtt / 2, opened + rtt / 2);
        setTimeout(run, due - performance.now());
      };
      from.on('data', (chunk) => later(() => !pair.isDead && to.writable && to.write(chunk)));
      from.on('end', () => later(() => !pair.isDead && to.end()));
      from.on('error', () => later(() => !pair.isDead && to.destroy()));
      from.on('close', () => {
        later(() => !pair.isDead && to.destroySoon());
      });
    };
    forward(client, upstream);
    forward(upstream, client);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const reset = () => {
    for (const { client, upstream } of pairs) {
      client.resetAndDestroy();
      upstream.resetAndDestroy();
    }
  };
  const address = server.address();

  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    doze() {
      for (const pair of pairs) pair.isDead = true;
    },
    cut: reset,
    refuse(on) {
      isRefusing = on;
    },
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      reset();
      await closed;
    },
  };
}
