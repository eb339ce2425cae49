import type { GlobalFlags, Io } from './commands/command.ts';
import { causesOf, EXIT, type ExitCode, reasonOf, SaxError } from './core/errors.ts';
import { printable } from './core/escape.ts';
import type { Redactor } from './log.ts';

/** What went wrong, in one line (and the causes at debug); returns the exit code. */
export function explain(
  error: unknown,
  io: Io,
  flags: GlobalFlags,
  redactor: Redactor,
  stopped: AbortSignal,
): ExitCode {
  // Whatever an aborted command throws, the reason is that it was told to stop.
  const failure = stopped.aborted && stopped.reason instanceof SaxError ? stopped.reason : error;
  const known = failure instanceof SaxError;
  const exit = known ? failure.exit : EXIT.defect;
  const what = known
    ? failure.message + (failure.hint === undefined ? '' : `; ${failure.hint}`)
    : `internal error: ${reasonOf(failure)}; please report it with what --log-level debug says`;
  sayError(io, flags, printable(redactor.clean(what), 4000), exit);
  if (flags.logLevel === 'debug') {
    for (const cause of causesOf(failure)) io.stderr.write(`  because: ${printable(redactor.clean(cause), 2000)}\n`);
    if (!known && failure instanceof Error)
      for (const line of redactor.clean(failure.stack ?? '').split('\n')) io.stderr.write(`${printable(line, 2000)}\n`);
  }
  return exit;
}

/** The one line of an error: JSON where JSON was asked for, with a priority for the journal, else plain. */
export function sayError(io: Io, flags: GlobalFlags, message: string, exit: ExitCode): void {
  if (flags.logFormat === 'json' && flags.explicitFormat)
    io.stderr.write(
      `${JSON.stringify({ time: new Date().toISOString(), level: 'error', event: 'failed', message, exit })}\n`,
    );
  else io.stderr.write(`${flags.logFormat === 'journald' ? '<3>' : ''}saxctl: ${message}\n`);
}
