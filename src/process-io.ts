import type { Io } from './commands/command.ts';

/** The real process as Io. A reader of our output that went away (`| head`) is no error worth a word. */
export function processIo(): Io {
  const { stdout, stderr, env } = process;
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(process.exitCode ?? 0);
    throw error;
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
    exit: (code) => process.exit(code),
  };
}
