import type { Command } from 'commander';
import type { LogLevel } from './app/ports/log.ts';
import type { GlobalFlags, Io } from './commands/command.ts';
import type { LogFormat } from './log.ts';

/** What holds before, or without, any flag: by terminal and environment. */
export function defaultFlags(io: Io): GlobalFlags {
  return {
    logFormat: io.stderr.isTTY ? 'pretty' : io.env['JOURNAL_STREAM'] ? 'journald' : 'json',
    color: wantsColor(io, io.stdout),
    logColor: wantsColor(io, io.stderr),
    explicitFormat: false,
    logLevel: 'info',
    quiet: false,
  };
}

/** NO_COLOR wins over FORCE_COLOR, that over the terminal (no-color.org, force-color.org). */
export function wantsColor(io: Io, stream: { isTTY?: boolean }): boolean {
  if (io.env['NO_COLOR']) return false;
  const force = io.env['FORCE_COLOR'];
  if (force !== undefined && force !== '') return force !== '0' && force !== 'false';
  return stream.isTTY === true && io.env['TERM'] !== 'dumb';
}

/** The global flags of a parsed command line. */
export function globalFlags(command: Command, io: Io): GlobalFlags {
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
