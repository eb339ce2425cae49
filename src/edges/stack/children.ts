import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createDaemon, type Daemon } from './daemon.ts';
import type { Stack } from './types.ts';

/** saxctl itself as a child of a private stack. */
export type Children = {
  /** Starts a daemon of ours; resolves when it logs that it works. */
  start(name: string): Promise<void>;
  /** Runs a command to its end; what it printed. Rejects with its error line. */
  run(argv: readonly string[], env?: Readonly<Record<string, string>>): Promise<string>;
  logFile(name: string): string;
  /** Ends all in turn, properly. */
  stop(): Promise<void>;
};

/** `program` is bin/saxctl.js. Children carry the stack's mark and die with us. */
export function createChildren(stack: Stack, program: string): Children {
  const daemons: Daemon[] = [];
  const logFile = (name: string): string => join(stack.directory, `${name}.log`);
  return {
    logFile,
    async start(name) {
      const daemon = createDaemon({
        name: `saxctl ${name}`,
        command: process.execPath,
        args: [program, '--config', stack.config, '--log-format', 'json', name],
        directory: stack.directory,
        env: { ...stack.env },
        logFile: logFile(name),
        probe: async () => {
          if (!/"event":"ready"/.test(await readFile(logFile(name), 'utf8'))) throw new Error('not ready yet');
        },
        readyWithinMs: 60_000,
      });
      daemons.push(daemon);
      await daemon.start();
    },
    run: (argv, env = {}) =>
      new Promise((resolve, reject) => {
        execFile(
          process.execPath,
          [program, '--config', stack.config, ...argv],
          {
            env: { PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin', LANG: 'C.UTF-8', ...stack.env, ...env },
            timeout: 60_000,
          },
          (error, stdout, stderr) => {
            // Exit 1 is "done, but something was refused": the output says what.
            if (error === null || error.code === 1) resolve(stdout);
            else reject(new Error(stderr.trim().split('\n').at(-1) || error.message));
          },
        );
      }),
    async stop() {
      await Promise.all(daemons.map((daemon) => daemon.stop()));
    },
  };
}
