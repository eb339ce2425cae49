import type { LogLevel } from './app/ports/log.ts';
import { serve } from './commands/auth/serve.ts';
import type { GlobalFlags, Io } from './commands/command.ts';
import { leave, withContext } from './context.ts';
import { defaultFlags } from './flags.ts';
import { processIo } from './process-io.ts';

/**
 * `saxctl auth` for ejabberd, without the parser of command lines and in one file: ejabberd starts it anew whenever it likes,
 * and the first login waits for it.
 * @returns false when the line is not as plain as ejabberd's: then the whole program must read it.
 */
export async function runGate(argv: readonly string[]): Promise<boolean> {
  const io = processIo();
  const flags = plainFlags(argv, io);
  if (flags === undefined) return false;
  await leave(await withContext(io, noTree, (makeContext) => serve(makeContext(flags))));
  return true;
}

const noTree = (): Promise<never> => Promise.reject(new Error('this is auth alone'));

/** The flags of `[-c FILE] [-q] [--log-level LEVEL] [--no-color] auth`, as commander would read them; undefined for any other line. */
export function plainFlags(argv: readonly string[], io: Io): GlobalFlags | undefined {
  const fallback = defaultFlags(io);
  let flags = fallback;
  let quiet = false;
  let level: LogLevel = 'info';
  let commands = 0;
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at] ?? '';
    const value = argv[at + 1];
    if (word === 'auth') commands++;
    else if (word === '-q' || word === '--quiet') quiet = true;
    else if (word === '--no-color') flags = { ...flags, color: false, logColor: false };
    else if (value === undefined || value.startsWith('-')) return undefined;
    else if (word === '-c' || word === '--config') flags = { ...flags, config: argv[++at] ?? '' };
    else if (word === '--log-level' && isLevel(value)) {
      level = value;
      at++;
    } else return undefined;
  }
  return commands === 1 ? { ...flags, quiet, logLevel: quiet ? 'error' : level } : undefined;
}

const isLevel = (word: string): word is LogLevel => ['error', 'warn', 'info', 'debug'].includes(word);
