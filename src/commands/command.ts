import type { Readable, Writable } from 'node:stream';
import type { Command } from 'commander';
import type { Log, LogLevel } from '../app/ports/log.ts';
import type { Config, LoadedConfig } from '../config/load.ts';
import type { ExitCode } from '../core/errors.ts';
import type { LogFormat } from '../log.ts';

/** The process as a command sees it; tests give their own. */
export type Io = {
  readonly stdin: Readable & { isTTY?: boolean };
  readonly stdout: Writable & { isTTY?: boolean; columns?: number };
  readonly stderr: Writable & { isTTY?: boolean; columns?: number };
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Listens to a signal of the process; absent in tests that send none. Returns how to stop listening. */
  onSignal?(signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP', handler: () => void): () => void;
  /** Hears of what nobody caught; absent in tests. */
  onDefect?(handler: (error: unknown) => void): void;
  /** Ends the process at once: second signal, or a daemon that does not finish in time. */
  exit?(code: ExitCode): void;
};

export type GlobalFlags = {
  readonly config?: string;
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
  /** `--log-format` was given: final errors take that form too. */
  readonly explicitFormat: boolean;
  readonly quiet: boolean;
  /** Colours on stdout (flag, NO_COLOR, FORCE_COLOR, terminal: decided once). */
  readonly color: boolean;
  /** The same for stderr. */
  readonly logColor: boolean;
};

/** What every command gets. `config()` reads and validates on first use and throws a SaxError with exit 78. */
export type Context = {
  readonly io: Io;
  readonly flags: GlobalFlags;
  readonly log: Log;
  config(): Promise<Config>;
  /** Reads again and tells where the values came from; for `config show`, `doctor` and reload. */
  loadConfig(): Promise<LoadedConfig>;
  /** Aborted when a person or a supervisor wants us to stop (SIGINT, SIGTERM). */
  readonly signal: AbortSignal;
  /** True when it was a person (SIGINT), not a supervisor. */
  interrupted(): boolean;
  /** Masks secrets in text that does not go through the log. */
  redact(text: string): string;
  /** The path of the program, to start ourselves again (demo's extauth, examples in help). */
  readonly program: string;
  /** The commander tree with every command declared; for completions and manual pages. */
  tree(): Promise<Command>;
};

/**
 * A command: `define` declares flags, arguments and examples and must stay cheap (it also runs for completions and man
 * pages, so a command's file loads its app and edges by `await import()` inside `run`); `run` does it.
 */
export type CommandModule = {
  define(command: Command): void;
  run(context: Context, args: readonly string[], options: Readonly<Record<string, unknown>>): Promise<ExitCode>;
};

/** Examples at the end of a command's help, one per line: what it does, then the line to copy. */
export function examples(command: Command, lines: readonly (readonly [line: string, what: string])[]): void {
  const width = Math.max(...lines.map(([line]) => line.length));
  const text = lines.map(([line, what]) => `  ${line.padEnd(width)}  ${what}`).join('\n');
  command.addHelpText('after', `\nExamples:\n${text}`);
}
