import { fileURLToPath } from 'node:url';
import { Command, CommanderError, Option } from 'commander';
import type { LogLevel } from './app/ports.ts';
import type { CommandModule, Context, GlobalFlags, Io } from './commands/command.ts';
import { COMMANDS } from './commands/table.ts';
import type { LoadedConfig } from './config/load.ts';
import { causesOf, EXIT, EXIT_MEANINGS, type ExitCode, reasonOf, SaxError } from './core/errors.ts';
import { printable } from './core/escape.ts';
import { createLog, createRedactor, type LogFormat, type Redactor } from './log.ts';
import { VERSION_LINE } from './version.ts';

/** Global flags that take a value: the command's name is the first word that is neither a flag nor such a value. */
const VALUE_FLAGS = ['-c', '--config', '--log-level', '--log-format'];

/**
 * The whole program: parses, runs one command, explains failures. In-process and without globals, so that tests call it.
 * @param argv what follows the program's name.
 * @returns the exit code; nothing exits on its own.
 */
export async function main(argv: readonly string[], io: Io): Promise<ExitCode> {
  const stop = new AbortController();
  let interrupted = false;
  const redactor = createRedactor();
  let flags: GlobalFlags = { ...defaultFlags(io), logLevel: 'info', quiet: false };

  const onStop = (signal: 'SIGINT' | 'SIGTERM') => (): void => {
    const code = signal === 'SIGINT' ? EXIT.interrupted : EXIT.done;
    if (stop.signal.aborted) io.exit?.(code);
    interrupted ||= signal === 'SIGINT';
    stop.abort(new SaxError(code, signal === 'SIGINT' ? 'interrupted' : 'stopped'));
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

/** What went wrong, in one line (and the causes at debug); returns the exit code. */
function explain(error: unknown, io: Io, flags: GlobalFlags, redactor: Redactor, stopped: AbortSignal): ExitCode {
  // Whatever an aborted command throws, the reason is that it was told to stop.
  const failure = stopped.aborted && stopped.reason instanceof SaxError ? stopped.reason : error;
  if (failure instanceof SaxError && failure.exit === EXIT.done) return EXIT.done;
  const known = failure instanceof SaxError;
  const exit = known ? failure.exit : EXIT.defect;
  const what = known
    ? failure.message + (failure.hint === undefined ? '' : `; ${failure.hint}`)
    : `internal error: ${reasonOf(failure)}; please report it with what --log-level debug says`;
  sayError(io, flags, redactor.clean(printable(what, 4000)), exit);
  if (flags.logLevel === 'debug') {
    for (const cause of causesOf(failure)) io.stderr.write(`  because: ${redactor.clean(printable(cause, 2000))}\n`);
    if (!known && failure instanceof Error) io.stderr.write(`${redactor.clean(failure.stack ?? '')}\n`);
  }
  return exit;
}

/** The one line of an error: JSON where JSON was asked for, with a priority for the journal, else plain. */
function sayError(io: Io, flags: GlobalFlags, message: string, exit: ExitCode): void {
  if (flags.logFormat === 'json' && flags.explicitFormat)
    io.stderr.write(
      `${JSON.stringify({ time: new Date().toISOString(), level: 'error', event: 'failed', message, exit })}\n`,
    );
  else io.stderr.write(`${flags.logFormat === 'journald' ? '<3>' : ''}saxctl: ${message}\n`);
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

/** The commander tree; commands whose module is not given are known by name and summary only. */
function buildProgram(
  io: Io,
  modules: ReadonlyMap<string, CommandModule>,
  run: (command: Command, args: readonly string[]) => Promise<void>,
): Command {
  const program = new Command('saxctl');
  const problems: string[] = [];
  const prepare = (command: Command): Command =>
    command
      .exitOverride((error) => {
        // Commander explains over several lines; ours is one.
        if (error.exitCode !== 0 && problems.length > 0)
          sayError(
            io,
            { ...defaultFlags(io), logLevel: 'info', quiet: false },
            oneLine(problems.join(' '), command),
            EXIT.usage,
          );
        throw error;
      })
      .configureOutput({
        writeOut: (text) => void io.stdout.write(text),
        writeErr: (text) => void io.stderr.write(text),
        outputError: (text) => void problems.push(text),
        getOutHelpWidth: () => io.stdout.columns ?? 100,
        getErrHelpWidth: () => io.stderr.columns ?? 100,
        getOutHasColors: () => wantsColor(io, io.stdout),
        getErrHasColors: () => wantsColor(io, io.stderr),
      })
      .configureHelp({ showGlobalOptions: command !== program, helpWidth: 100 });

  prepare(program)
    .description('Operates the chat of a web community: login, nicknames, announcements, IRC, history, and the page.')
    .usage('[flags] COMMAND [arguments]')
    .version(VERSION_LINE, '--version', 'print version, commit and Node, and end')
    .option(
      '-c, --config <FILE>',
      'configuration file (else $SAXCTL_CONFIG, $XDG_CONFIG_HOME/saxctl/saxctl.toml, /etc/saxctl/saxctl.toml)',
    )
    .addOption(
      new Option('--log-level <LEVEL>', 'how much is logged')
        .choices(['error', 'warn', 'info', 'debug'])
        .default('info'),
    )
    .addOption(
      new Option(
        '--log-format <FORMAT>',
        'form of the log (default: pretty on a terminal, journald under systemd, else json)',
      ).choices(['pretty', 'json', 'journald']),
    )
    .option('-q, --quiet', 'log errors only')
    .option('--no-color', 'no colours (also NO_COLOR; FORCE_COLOR forces them)')
    .helpOption('-h, --help', 'print this help, and end')
    .helpCommand('help [COMMAND]', 'print the help of a command')
    .addHelpText('after', HELP_END);

  for (const { name, summary } of COMMANDS) {
    const command = program
      .createCommand(name)
      .summary(summary)
      .description(sentence(summary))
      .helpOption('-h, --help', 'print this help, and end');
    prepare(command);
    const module = modules.get(name);
    if (module === undefined) command.allowUnknownOption().allowExcessArguments();
    else module.define(command);
    command.action(() => run(command, command.args));
    program.addCommand(command);
  }
  return program;
}

const HELP_END = `
Examples:
  saxctl demo                      the whole system on this machine, private and throw-away
  saxctl init /etc/saxctl          write a commented configuration
  saxctl doctor                    what is wrong, and what to change
  saxctl say "Maintenance at 20:00"
  saxctl history --since 2h --follow

Exit codes:
${Object.entries(EXIT_MEANINGS)
  .map(([code, meaning]) => `  ${code.padStart(3)}  ${meaning}`)
  .join('\n')}`;

const sentence = (summary: string): string => `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`;

/** "error: unknown option '--jsn'\n(Did you mean --json?)" as one line with what to do next. */
function oneLine(text: string, command: Command): string {
  const path = command.parent === null ? 'saxctl' : `saxctl ${command.name()}`;
  const line = text
    .replace(/^error: /, '')
    .replace(/\s*\(Did you mean (one of )?([^?]+)\?\)/, '; did you mean $1$2?')
    .trim()
    .replaceAll(/\s*\n\s*/g, ' ');
  return printable(`${line}; see: ${path} --help`, 500);
}

function defaultFlags(io: Io): Pick<GlobalFlags, 'logFormat' | 'color' | 'logColor' | 'explicitFormat'> {
  const logFormat: LogFormat = io.env['JOURNAL_STREAM'] ? 'journald' : io.stderr.isTTY ? 'pretty' : 'json';
  return {
    logFormat: io.stderr.isTTY ? 'pretty' : logFormat,
    color: wantsColor(io, io.stdout),
    logColor: wantsColor(io, io.stderr),
    explicitFormat: false,
  };
}

function wantsColor(io: Io, stream: { isTTY?: boolean }): boolean {
  if (io.env['NO_COLOR']) return false;
  const force = io.env['FORCE_COLOR'];
  if (force !== undefined && force !== '') return force !== '0' && force !== 'false';
  return stream.isTTY === true && io.env['TERM'] !== 'dumb';
}

function globalFlags(command: Command, io: Io): GlobalFlags {
  const given = command.optsWithGlobals<{
    config?: string;
    logLevel: LogLevel;
    logFormat?: LogFormat;
    quiet?: boolean;
    color: boolean;
  }>();
  const fallback = defaultFlags(io);
  return {
    ...(given.config === undefined ? {} : { config: given.config }),
    logLevel: given.quiet ? 'error' : given.logLevel,
    logFormat: given.logFormat ?? fallback.logFormat,
    explicitFormat: given.logFormat !== undefined,
    quiet: given.quiet ?? false,
    color: given.color && fallback.color,
    logColor: given.color && fallback.logColor,
  };
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
  // Whatever a library still holds open must not keep a finished command alive.
  setTimeout(() => process.exit(code), 1000).unref();
}
