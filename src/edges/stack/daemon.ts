import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { MARK, signalQuietly } from './process-table.ts';

export type DaemonSpec = {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly directory: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly logFile: string;
  /** Throws while the server does not answer yet. */
  readonly probe: () => Promise<void>;
  readonly readyWithinMs: number;
  readonly stopSignal?: NodeJS.Signals;
};

/** One server process in the foreground that dies with us. */
export type Daemon = {
  /** Starts it and resolves when it answers. Rejects with the end of its log when it ends first. */
  start(): Promise<void>;
  /** Asks it to end and waits; after 15 s it is killed. */
  stop(): Promise<void>;
  /** SIGKILL, and waits until it is gone. */
  kill(): Promise<void>;
  /** SIGSTOP: the peer that accepts and never speaks. */
  freeze(): void;
  thaw(): void;
  pid(): number | undefined;
};

const SETPRIV = ['/usr/bin/setpriv', '/bin/setpriv'].find((path) => existsSync(path));

/**
 * Spawns in a session of its own (a terminal's Ctrl-C is ours alone to handle) and, where setpriv is there, with the
 * kernel's promise to kill it when we die. Servers must be told to stay in the foreground.
 */
export function createDaemon(spec: DaemonSpec): Daemon {
  let child: ChildProcess | undefined;
  let exited: Promise<void> = Promise.resolve();
  let frozen = false;

  const signal = (name: NodeJS.Signals): void => {
    if (child?.pid !== undefined && child.exitCode === null && child.signalCode === null)
      signalQuietly(child.pid, name);
  };

  const kill = async (): Promise<void> => {
    frozen = false;
    signal('SIGKILL');
    await exited;
    child = undefined;
  };

  return {
    async start() {
      if (child !== undefined && child.exitCode === null && child.signalCode === null) return;
      const log = openSync(spec.logFile, 'a', 0o600);
      const [command, args] =
        SETPRIV === undefined
          ? [spec.command, spec.args]
          : [SETPRIV, ['--pdeathsig', 'KILL', spec.command, ...spec.args]];
      const fresh = spawn(command, args, {
        detached: true,
        cwd: spec.cwd ?? spec.directory,
        env: {
          PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
          LANG: 'C.UTF-8',
          ...spec.env,
          [MARK]: spec.directory,
        },
        stdio: ['ignore', log, log],
      });
      closeSync(log);
      child = fresh;
      let failure: Error | undefined;
      exited = new Promise((resolve) => {
        fresh.once('error', (error) => {
          failure = error;
          resolve();
        });
        fresh.once('exit', () => resolve());
      });
      const ended = (): boolean => failure !== undefined || fresh.exitCode !== null || fresh.signalCode !== null;
      const deadline = performance.now() + spec.readyWithinMs;
      for (let wait = 5; ; wait = Math.min(wait * 1.5, 60)) {
        if (ended()) throw new Error(`${spec.name} ended while starting: ${failure?.message ?? tail(spec.logFile)}`);
        try {
          await spec.probe();
          if (!ended()) return;
        } catch (error) {
          if (performance.now() > deadline) {
            await kill();
            throw new Error(`${spec.name} does not answer: ${String(error)}; its log ends with: ${tail(spec.logFile)}`);
          }
        }
        await new Promise((resolve) => setTimeout(resolve, wait));
      }
    },
    async stop() {
      if (frozen) signal('SIGCONT');
      frozen = false;
      signal(spec.stopSignal ?? 'SIGTERM');
      const timer = setTimeout(() => signal('SIGKILL'), 15_000);
      await exited;
      clearTimeout(timer);
      child = undefined;
    },
    kill,
    freeze() {
      frozen = true;
      signal('SIGSTOP');
    },
    thaw() {
      frozen = false;
      signal('SIGCONT');
    },
    pid: () => child?.pid,
  };
}

/** The last lines of a log, on one line. */
function tail(file: string): string {
  try {
    return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-6).join(' | ').slice(-1500);
  } catch {
    return '(no log)';
  }
}
