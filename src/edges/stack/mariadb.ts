import { execFile } from 'node:child_process';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Connection } from 'mysql2/promise';
import { cached } from './cache.ts';
import { createDaemon } from './daemon.ts';
import type { HeldPort } from './ports.ts';
import { probeConnection } from './probe.ts';
import { requireProgram } from './programs.ts';
import { createProxy } from './proxy.ts';
import { createStackServer, type StackServer } from './server.ts';

const run = promisify(execFile);

/** Small, and as safe as a kill of the process (not of the machine) needs. */
const OPTIONS = [
  '--no-defaults',
  '--skip-networking',
  '--skip-name-resolve',
  '--skip-log-bin',
  '--performance-schema=OFF',
  '--innodb-buffer-pool-size=32M',
  '--innodb-log-file-size=8M',
  '--innodb-flush-log-at-trx-commit=2',
  '--innodb-use-native-aio=0',
  '--character-set-server=utf8mb4',
  '--max-connections=300',
];

/** MariaDB as root refuses to run without being told so. */
const asRoot = (): string[] => (process.getuid?.() === 0 ? ['--user=root'] : []);

export type MariaDb = {
  readonly server: StackServer;
  /** The UNIX socket, past every proxy. */
  readonly socket: string;
  /** The port of a second proxy, for ejabberd's archive: cutting the forum's database off leaves it alone. */
  readonly archivePort: number;
};

/** Prepares a private MariaDB in `directory`; it is not running yet. Listens on a UNIX socket, the proxies are its ports. */
export async function createMariaDb(directory: string, ports: readonly [HeldPort, HeldPort]): Promise<MariaDb> {
  const program = requireProgram('mariadbd');
  const data = join(directory, 'mysql');
  const socket = join(directory, 'mysql.sock');
  const logFile = join(directory, 'mariadb.log');
  await cp(await template(program), data, { recursive: true });
  const daemon = createDaemon({
    name: 'mariadbd',
    command: program,
    args: [
      ...OPTIONS,
      ...asRoot(),
      `--datadir=${data}`,
      `--socket=${socket}`,
      `--pid-file=${join(directory, 'mysql.pid')}`,
    ],
    directory,
    env: { HOME: directory },
    logFile,
    // The greeting of the protocol: a length, a sequence number, then 10 (protocol version).
    probe: () => probeConnection({ path: socket }, { expect: /^...\0\n/s }),
    readyWithinMs: 30_000,
  });
  const [front, back] = ports;
  const archive = createProxy(back.port, { path: socket });
  const server = createStackServer('mariadb', daemon, {
    proxies: [createProxy(front.port, { path: socket })],
    aside: [archive],
    directPort: 0,
    logFiles: [logFile],
  });
  return { socket, archivePort: back.port, server };
}

/** A connection as root, past the proxies. */
export async function connectAsRoot(socket: string, database?: string): Promise<Connection> {
  // CommonJS: its names are under `default` once it is bundled.
  const { default: mysql } = await import('mysql2/promise');
  return mysql.createConnection({
    socketPath: socket,
    user: 'root',
    charset: 'utf8mb4',
    ...(database === undefined ? {} : { database }),
  });
}

/** An empty data directory: made in 1.6 s, copied in 0.1 s. */
async function template(mariadbd: string): Promise<string> {
  const installer = requireProgram('mariadb-install-db');
  const { stdout: version } = await run(mariadbd, ['--no-defaults', '--version']);
  return cached('mariadb', [version, ...OPTIONS], async (directory) => {
    await run(installer, [
      '--no-defaults',
      '--auth-root-authentication-method=normal',
      '--skip-test-db',
      '--skip-name-resolve',
      '--performance-schema=OFF',
      '--innodb-log-file-size=8M',
      ...asRoot(),
      `--datadir=${directory}`,
    ]);
  });
}
