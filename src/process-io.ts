import type { Io } from './commands/command.ts';
import { EXIT, reasonOf, SaxError } from './core/errors.ts';

/** The real process as Io. A reader of our output that went away (`| head`) is no error worth a word. */
export function processIo(): Io {
  const { stdout, stderr, env } = process;
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(process.exitCode ?? 0);
    throw new SaxError(EXIT.cannotCreate, `the result could not be written to standard output: ${reasonOf(error)}`, {
      hint: 'is the disk full?',
      cause: error,
    });
  });
  // When nobody reads the log, the work goes on.
  stderr.on('error', () => {});
  return {
    // Opened when it is read: `auth` reads it in another way.
    get stdin() {
      return process.stdin;
    },
    stdout,
    stderr,
    env,
    onSignal(signal, handler) {
      process.on(signal, handler);
      return () => process.off(signal, handler);
    },
    onDefect(handler) {
      process.on('uncaughtException', (error) => {
        // Who listens too (auth) has another way to go on.
        if (process.listenerCount('uncaughtException') === 1) handler(error);
      });
    },
    exit: (code) => process.exit(code),
  };
}
