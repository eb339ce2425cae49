/**
 * What tests against the real servers commonly need.
 *
 *   const stack = await startTestStack({ parts: ['mariadb', 'ejabberd'] });   // ready in ~3 s; a file's beforeAll
 *   afterAll(() => stack.stop());                                              // ends all, removes the directory
 *
 *   stack.config                       the generated saxctl.toml; every command works with `-c`
 *   stack.member('Bob Smith')          a sample member with .session.sid (see src/edges/stack/members.ts for all names)
 *   stack.sql('UPDATE phpbb_sessions …', [..])      as the database's root, past the proxies (`archive.archive` is MAM's table)
 *   stack.api('get_room_occupants', {name:'sax', service: stack.mucService})   mod_http_api, past the proxies
 *   stack.ejabberd.kill() | stop() | start() | restart() | freeze() | thaw()   so for mariadb, irc1, irc2, ngircd, nginx
 *   stack.ejabberd.cut() | stall() | mend() | delay(ms)                        the network in front of it
 *   stack.bots.webridge                jid, password, nick; accepted by `saxctl auth` from the same configuration
 *   await runSaxctl(stack, ['say', 'hi'])            bin/saxctl.js to its end: {code, stdout, stderr}
 *   const child = startSaxctl(stack, ['webridge'])   a daemon: child.logged(/"event":"ready"/), child.kill(), child.stop()
 *   await until(() => …) of ./until.ts waits for a truthy value; saxctl(argv) of ./fake-io.ts runs in this process
 *
 * The proxies live in this process: never use execFileSync or spawnSync against a stack, they would wait for each other.
 * bin/saxctl.js runs dist/: `npm run build` (or `npm test`, which builds) comes first.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startStack } from '../../src/edges/stack/stack.ts';
import type { Stack, StackOptions } from '../../src/edges/stack/types.ts';

const beside = fileURLToPath(new URL('../../bin/saxctl.js', import.meta.url));
/** Benches are bundled elsewhere and run in the root of the repository. */
export const PROGRAM = existsSync(beside) ? beside : resolve('bin/saxctl.js');

/** A stack whose ejabberd asks `bin/saxctl.js auth`. */
export function startTestStack(options: StackOptions = {}): Promise<Stack> {
  return startStack({ program: PROGRAM, ...options });
}

/** A stack for the length of `work`, ended whatever happens. */
export async function withStack<T>(options: StackOptions, work: (stack: Stack) => Promise<T>): Promise<T> {
  const stack = await startTestStack(options);
  try {
    return await work(stack);
  } finally {
    await stack.stop();
  }
}

export type Finished = {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
};

export type RunningSaxctl = {
  readonly child: ChildProcess;
  /** What it has written so far. */
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Resolves when stderr matches; rejects when the process ends before or time is over. */
  logged(pattern: RegExp, withinMs?: number): Promise<void>;
  readonly finished: Promise<Finished>;
  /** SIGKILL, waits for the end. */
  kill(): Promise<Finished>;
  /** SIGTERM, waits for the end. */
  stop(): Promise<Finished>;
};

/** Starts bin/saxctl.js with the stack's configuration. JSON logs, no colours, nothing of this machine's environment. */
export function startSaxctl(
  stack: Pick<Stack, 'config' | 'env'>,
  argv: readonly string[],
  /** `keepStdin`: it stays open, as ejabberd holds that of `auth`. */
  options: { stdin?: string; keepStdin?: boolean; env?: Readonly<Record<string, string>> } = {},
): RunningSaxctl {
  const child = spawn(process.execPath, [PROGRAM, '--config', stack.config, ...argv], {
    env: {
      PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin',
      LANG: 'C.UTF-8',
      NO_COLOR: '1',
      ...stack.env,
      ...options.env,
    },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  child.stdin.on('error', () => undefined);
  if (options.keepStdin !== true) child.stdin.end(options.stdin ?? '');
  let over = false;
  const finished = new Promise<Finished>((resolve) => {
    child.once('close', (code, signal) => {
      over = true;
      resolve({ code, signal, stdout, stderr });
    });
  });
  return {
    child,
    stdout: () => stdout,
    stderr: () => stderr,
    finished,
    async logged(pattern, withinMs = 60_000) {
      const deadline = performance.now() + withinMs;
      while (!pattern.test(stderr)) {
        if (over)
          throw new Error(
            `saxctl ${argv.join(' ')} ended (${child.exitCode ?? child.signalCode}) before ${pattern}: ${stderr.slice(-2000)}`,
          );
        if (performance.now() > deadline)
          throw new Error(`saxctl ${argv.join(' ')} did not log ${pattern}: ${stderr.slice(-2000)}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    kill() {
      child.kill('SIGKILL');
      return finished;
    },
    stop() {
      child.kill('SIGTERM');
      return finished;
    },
  };
}

/** Runs bin/saxctl.js to its end. */
export function runSaxctl(
  stack: Pick<Stack, 'config' | 'env'>,
  argv: readonly string[],
  options: { stdin?: string; env?: Readonly<Record<string, string>> } = {},
): Promise<Finished> {
  return startSaxctl(stack, argv, options).finished;
}
