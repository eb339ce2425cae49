import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { Writable } from 'node:stream';

/** Where the answers go; everything else that is written to standard output ends up on standard error. */
export type AnswerOutput = { readonly fd: number } | { readonly write: (bytes: Uint8Array) => boolean };

const KEY = Symbol.for('saxctl.answers');

/** Flags of the program that take a value. */
const VALUE_FLAGS = ['-c', '--config', '--log-level', '--log-format'];
/** With these `auth` is an ordinary command for people. */
const FOR_PEOPLE = /^(--check|--token|--help|-h|--version)(=|$)/;

/** Whether this command line is the authentication program: then standard output carries answers and nothing else. */
export function servesAnswers(argv: readonly string[]): boolean {
  let command: string | undefined;
  for (let index = 0; index < argv.length; index++) {
    const word = argv[index] ?? '';
    if (FOR_PEOPLE.test(word)) return false;
    if (VALUE_FLAGS.includes(word)) index++;
    else if (!word.startsWith('-')) command ??= word;
  }
  return command === 'auth';
}

/**
 * Takes fd 1 away from everybody: called before anything else is loaded. One line of a library there is read by ejabberd as
 * a length, and every login hangs for 30 s. The pipe is opened anew under another number and fd 1 becomes standard error,
 * so native code and children are caught too; where that is impossible (a socket), the ways of JavaScript are closed.
 */
export function claimStdout(): void {
  const answers = claimDescriptor() ?? claimStream();
  Object.defineProperty(globalThis, KEY, { value: answers });
  // Not standard error itself: whoever listens to errors of his output must not end us when nobody reads the log.
  const aside = new Writable({
    write(chunk, _encoding, done) {
      process.stderr.write(chunk);
      done();
    },
  });
  Object.defineProperty(process, 'stdout', { configurable: true, enumerable: true, get: () => aside });
}

export function claimedOutput(): AnswerOutput | undefined {
  return (globalThis as unknown as Record<symbol, AnswerOutput | undefined>)[KEY];
}

function claimDescriptor(): AnswerOutput | undefined {
  const { O_WRONLY, O_NONBLOCK, O_APPEND } = fs.constants;
  let fd: number | undefined;
  try {
    if (!fs.fstatSync(1).isFIFO()) return undefined;
    // Not blocking, as a pipe without a reader would stop us here; the new description is ours alone.
    fd = fs.openSync('/proc/self/fd/1', O_WRONLY | O_NONBLOCK);
    fs.closeSync(1);
    if (openError(O_WRONLY | O_APPEND) === 1) return { fd };
  } catch {
    // No /proc, or no reader: the other way.
  }
  return fd === undefined ? undefined : { fd };
}

/** Opens standard error once more; the lowest free number is the 1 that was just closed. */
function openError(flags: number): number {
  try {
    return fs.openSync('/proc/self/fd/2', flags);
  } catch {
    return fs.openSync('/dev/null', flags);
  }
}

function claimStream(): AnswerOutput {
  const { stdout, stderr } = process;
  const write = stdout.write.bind(stdout);
  // A preloaded module may already hold this object.
  stdout.write = stderr.write.bind(stderr);
  const writeSync = fs.writeSync as (fd: number, ...rest: unknown[]) => number;
  const writeAsync = fs.write as (fd: number, ...rest: unknown[]) => void;
  Object.assign(fs, {
    writeSync: (fd: number, ...rest: unknown[]) => writeSync(fd === 1 ? 2 : fd, ...rest),
    write: (fd: number, ...rest: unknown[]) => writeAsync(fd === 1 ? 2 : fd, ...rest),
  });
  syncBuiltinESMExports();
  stdout.on('error', () => process.exit(0));
  return { write: (bytes) => write(bytes) };
}
