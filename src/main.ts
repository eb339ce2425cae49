import { fileURLToPath } from 'node:url';
import { CommanderError } from 'commander';
import type { CommandModule, Context, GlobalFlags, Io } from './commands/command.ts';
import { COMMANDS } from './commands/table.ts';
import type { LoadedConfig } from './config/load.ts';
import { EXIT, type ExitCode, SaxError } from './core/errors.ts';
import { explain } from './failure.ts';
import { defaultFlags, globalFlags } from './flags.ts';
import { createLog, createRedactor, type Redactor } from './log.ts';
import { buildProgram } from './program.ts';

/** Global flags that take a value: the command's name is the first word that is neither a flag nor such a value. */
const VALUE_FLAGS = ['-c', '--config', '--log-level', '--log-format'];

/**
 * The whole program: parses, runs one command, explains failures. In-process and without globals, so that tests call it.
 * @param line what follows the program's name.
 * @returns the exit code; nothing exits on its own.
 */
export async function main(line: readonly string[], io: Io): Promise<ExitCode> {
  const argv = askedForHelp(line);
  const stop = new AbortController();
  let interrupted = false;
  const redactor = createRedactor();
  let flags = defaultFlags(io);

  const onStop = (signal: 'SIGINT' | 'SIGTERM') => (): void => {
    const code = signal === 'SIGINT' ? EXIT.interrupted : EXIT.temporary;
    if (stop.signal.aborted) io.exit?.(code);
    interrupted ||= signal === 'SIGINT';
    // A daemon that is stopped has done its work and says so itself; anything else ends before it was done.
    stop.abort(new SaxError(code, signal === 'SIGINT' ? 'interrupted' : 'stopped before it was done'));
  };
  const unlisten = (['SIGINT', 'SIGTERM'] as const).map((signal) => io.onSignal?.(signal, onStop(signal)));

  try {
    const name = commandName(argv);
    const module = await loadModule(name);
    let code: ExitCode = EXIT.done;
    const program = buildProgram(
      io,
      new Map(module === undefined ? [] : [[name ?? '', module]]),
      async (command, args) => {
        flags = globalFlags(command, io);
        const context = makeContext(io, flags, redactor, stop.signal, () => interrupted);
        code = (await module?.run(context, args, command.opts())) ?? EXIT.usage;
      },
    );
    await program.parseAsync([...argv], { from: 'user' });
    return interrupted ? EXIT.interrupted : code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    return explain(error, io, flags, redactor, stop.signal);
  } finally {
    for (const un of unlisten) un?.();
  }
}

/** `help CMD` as `CMD --help`: only that loads the command's own flags. An unknown CMD stands alone, so that it is refused. */
function askedForHelp(argv: readonly string[]): readonly string[] {
  const name = commandName(argv);
  if (name === undefined) return argv;
  const at = argv.indexOf(name);
  const topic = name === 'help' ? argv[at + 1] : name;
  if (topic === undefined || topic.startsWith('-')) return argv;
  const known = COMMANDS.some((command) => command.name === topic);
  if (!known) return [...argv.slice(0, at), topic];
  return name === 'help' ? [...argv.slice(0, at), topic, '--help'] : argv;
}

function commandName(argv: readonly string[]): string | undefined {
  for (let index = 0; index < argv.length; index++) {
    const word = argv[index] ?? '';
    if (VALUE_FLAGS.includes(word)) index++;
    else if (!word.startsWith('-')) return word;
  }
  return undefined;
}

async function loadModule(name: string | undefined): Promise<CommandModule | undefined> {
  const entry = COMMANDS.find((candidate) => candidate.name === name);
  return entry === undefined ? undefined : (await entry.load()).command;
}

function makeContext(
  io: Io,
  flags: GlobalFlags,
  redactor: Redactor,
  signal: AbortSignal,
  interrupted: () => boolean,
): Context {
  const log = createLog({
    level: flags.logLevel,
    format: flags.logFormat,
    color: flags.logColor,
    write: (line) => void io.stderr.write(line),
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
    async tree() {
      const modules = new Map<string, CommandModule>();
      for (const { name, load } of COMMANDS) modules.set(name, (await load()).command);
      return buildProgram(io, modules, async () => {});
    },
  };
}

/** The launcher's path, also when this runs from the sources. */
const PROGRAM = fileURLToPath(new URL('../bin/saxctl.js', import.meta.url));

/** Called by the launcher: the real process. */
export async function run(): Promise<void> {
  const { processIo } = await import('./process-io.ts');
  const code = await main(process.argv.slice(2), processIo());
  process.exitCode = code;
  const written = (stream: NodeJS.WriteStream): Promise<void> =>
    new Promise((resolve) => stream.write('', () => resolve()));
  await Promise.all([written(process.stdout), written(process.stderr)]);
  // Not by running out of work: whatever a library still holds open would keep us alive, and Node's own clean-up of handles
  // spins for ever over a TCP socket that was reset while something was still being written to it (seen with Node 20.20).
  process.exit(code);
}
