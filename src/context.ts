import { fileURLToPath } from 'node:url';
import type { Context, GlobalFlags, Io } from './commands/command.ts';
import type { LoadedConfig } from './config/load.ts';
import { EXIT, type ExitCode, SaxError } from './core/errors.ts';
import { explain } from './failure.ts';
import { defaultFlags } from './flags.ts';
import { createLog, createRedactor, type Redactor } from './log.ts';

/** When nobody reads the log, no more than this is kept for him, bytes: a daemon must not grow with it. */
const UNREAD = 1 << 20;

/**
 * Runs what a command line asks for: stop signals, and the explanation of what goes wrong.
 * @param tree every command as declared, for those who describe them.
 * @param work gets how to make a command's context once the flags are known.
 * @returns the exit code; nothing exits on its own but at a second signal.
 */
export async function withContext(
  io: Io,
  tree: Context['tree'],
  work: (makeContext: (flags: GlobalFlags) => Context) => Promise<ExitCode>,
): Promise<ExitCode> {
  const stop = new AbortController();
  let interrupted = false;
  const redactor = createRedactor();
  let flags = defaultFlags(io);

  const onStop = (signal: 'SIGINT' | 'SIGTERM') => (): void => {
    const code = signal === 'SIGINT' ? EXIT.interrupted : EXIT.temporary;
    if (stop.signal.aborted) io.exit?.(code);
    interrupted ||= signal === 'SIGINT';
    // A daemon that is stopped has done its work and says so itself; anything else ends before it was done.
    toldToStop = true;
    stop.abort(new SaxError(code, signal === 'SIGINT' ? 'interrupted' : 'stopped before it was done'));
  };
  const unlisten = (['SIGINT', 'SIGTERM'] as const).map((signal) => io.onSignal?.(signal, onStop(signal)));
  // What nobody caught ends the process too: in the same words, without Node's own print of source and stack.
  // To the very end: a full disk under our output is heard of when the command is done.
  io.onDefect?.((error) => io.exit?.(explain(error, io, flags, redactor, NEVER)));

  try {
    const code = await work((given) => {
      flags = given;
      return makeContext(io, tree, flags, redactor, stop.signal, () => interrupted);
    });
    return interrupted ? EXIT.interrupted : code;
  } catch (error) {
    return explain(error, io, flags, redactor, stop.signal);
  } finally {
    for (const un of unlisten) un?.();
  }
}

const NEVER = new AbortController().signal;

function makeContext(
  io: Io,
  tree: Context['tree'],
  flags: GlobalFlags,
  redactor: Redactor,
  signal: AbortSignal,
  interrupted: () => boolean,
): Context {
  const log = createLog({
    level: flags.logLevel,
    format: flags.logFormat,
    color: flags.logColor,
    write: (line) => {
      if (io.stderr.writableLength < UNREAD) io.stderr.write(line);
    },
    redactor,
    now: () => new Date(),
  });
  let loaded: LoadedConfig | undefined;
  const warned = new Set<string>();
  return {
    io,
    flags,
    log,
    signal,
    interrupted,
    redact: redactor.clean,
    program: PROGRAM,
    async loadConfig() {
      const { loadConfig } = await import('./config/load.ts');
      loaded = loadConfig(io.env, flags.config, redactor.add);
      for (const warning of loaded.warnings) if (!warned.has(warning)) log.warn('config', warning);
      for (const warning of loaded.warnings) warned.add(warning);
      return loaded;
    },
    async config() {
      return (loaded ?? (await this.loadConfig())).config;
    },
    tree,
  };
}

/** The launcher's path, also when this runs from the sources. */
const PROGRAM = fileURLToPath(new URL('../bin/saxctl.js', import.meta.url));

let toldToStop = false;
/** How long a reader that does not read is waited for, once we were told to stop, milliseconds. */
const READER_MS = 500;

/** Ends the real process with this code when its output is written; told to stop, it waits for no reader. */
export async function leave(code: ExitCode): Promise<never> {
  process.exitCode = code;
  const written = (stream: NodeJS.WriteStream): Promise<void> =>
    new Promise((resolve) => stream.write('', () => resolve()));
  const all = Promise.all([written(process.stdout), written(process.stderr)]);
  await (toldToStop ? Promise.race([all, new Promise((resolve) => setTimeout(resolve, READER_MS))]) : all);
  // Not by running out of work: whatever a library still holds open would keep us alive, and Node's own clean-up of handles
  // spins for ever over a TCP socket that was reset while something was still being written to it (seen with Node 20.20).
  process.exit(code);
}
