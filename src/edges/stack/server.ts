import { readFile } from 'node:fs/promises';
import type { Daemon } from './daemon.ts';
import type { NetworkProxy, OwnedProxy } from './proxy.ts';

/** A server of the stack with the network in front of it. Everything that a test does to one is one call. */
export type StackServer = Omit<NetworkProxy, 'port'> & {
  readonly name: string;
  /** The port that clients use (the proxy's). */
  readonly port: number;
  /** The same behind TLS; 0 without. */
  readonly tlsPort: number;
  /** The server's own port, past the proxy; 0 where it listens on a UNIX socket only. */
  readonly directPort: number;
  /** kill -9. Clients see resets, then refused connections, until `start`. */
  kill(): Promise<void>;
  /** An orderly end; refused connections until `start`. */
  stop(): Promise<void>;
  /** Starts it again on the same ports with what it had on disk. */
  start(): Promise<void>;
  /** An orderly end and a new start. */
  restart(): Promise<void>;
  /** SIGSTOP: accepts in the kernel, never answers. */
  freeze(): void;
  thaw(): void;
  pid(): number | undefined;
  /** Everything that it logged, stdout and stderr. */
  log(): Promise<string>;
};

/**
 * Puts a daemon and its proxies together; the first proxy is the one that `port` names, and all are broken and mended
 * together. `aside` are proxies of other clients: down while the server is, untouched by `cut` and `stall`.
 */
export function createStackServer(
  name: string,
  daemon: Daemon,
  options: {
    proxies: readonly [OwnedProxy, ...OwnedProxy[]];
    /** The port of the proxy in front of TLS. */
    tlsPort?: number;
    aside?: readonly OwnedProxy[];
    directPort: number;
    logFiles: readonly string[];
  },
): StackServer {
  const { proxies, aside = [], directPort, logFiles } = options;
  const [first] = proxies;
  const down = (): Promise<unknown> => Promise.all([...proxies, ...aside].map((proxy) => proxy.cut()));
  const each = (action: (proxy: OwnedProxy) => Promise<void> | void): Promise<unknown> =>
    Promise.all(proxies.map(action));
  const server: StackServer = {
    name,
    port: first.port,
    tlsPort: options.tlsPort ?? 0,
    directPort,
    async cut() {
      await each((proxy) => proxy.cut());
    },
    stall() {
      for (const proxy of proxies) proxy.stall();
    },
    async mend() {
      await each((proxy) => proxy.mend());
    },
    delay(ms) {
      for (const proxy of proxies) proxy.delay(ms);
    },
    connections: () => proxies.reduce((sum, proxy) => sum + proxy.connections(), 0),
    async kill() {
      await daemon.kill();
      await down();
    },
    async stop() {
      await daemon.stop();
      await down();
    },
    async start() {
      await daemon.start();
      await Promise.all([...proxies, ...aside].map((proxy) => proxy.mend()));
    },
    async restart() {
      await server.stop();
      await server.start();
    },
    freeze: () => daemon.freeze(),
    thaw: () => daemon.thaw(),
    pid: () => daemon.pid(),
    async log() {
      const texts = await Promise.all(logFiles.map((file) => readFile(file, 'utf8').catch(() => '')));
      return texts.join('\n');
    },
  };
  return server;
}
