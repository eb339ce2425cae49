import type { Say } from '../app/say.ts';
import { EXIT, type ExitCode, SaxError } from '../core/errors.ts';
import { TYPE_FORM, WORDING } from '../core/wording.ts';
import { type CommandModule, type Context, examples } from './command.ts';

const DEFAULT_WAIT_MS = 10_000;
/** A burst from a pipe is quicker than any reader. */
const STDIN_PATIENCE_MS = 10_000;

export const command: CommandModule = {
  define(command) {
    command
      .argument('[text...]', 'what to say, as it is')
      .option('--type <type>', 'what happened (list below); TEXT is then what it happened to')
      .option('--who <name>', 'who did it')
      .option('--what <title>', 'to what')
      .option('--where <place>', 'where')
      .option('--url <url>', 'http or https address of it')
      .option('--socket <path>', 'socket of the webridge (default: [webridge] socket)')
      .option('--stdin', 'one announcement a line from standard input')
      .option(
        '--wait [ms]',
        `wait until the room has it (default ${DEFAULT_WAIT_MS} ms); prints its stanza id and the milliseconds`,
      );
    examples(command, [
      ['saxctl say "Maintenance at 22:00"', 'one line'],
      ['saxctl say --type new-topic --who Tari --what "First post" --where News', 'worded for its type'],
      ['tail -F events.log | saxctl say --stdin', 'one announcement a line'],
      ['saxctl say --wait 5000 "Backup done" || mail -s "chat is down" root', 'be sure'],
    ]);
    const width = Math.max(...Object.keys(WORDING).map((type) => type.length));
    const types = Object.entries(WORDING).map(([type, words]) => `  ${type.padEnd(width)}  ${words}`);
    command.addHelpText(
      'after',
      `\nTypes and their words ([wording] in saxctl.toml replaces them):\n${types.join('\n')}`,
    );
  },

  async run(context, typed, options) {
    // `--wait TEXT`: the text is no number of milliseconds, and belongs to the rest.
    const swallowed = typeof options['wait'] === 'string' && !/^-?\d+$/.test(options['wait']) ? [options['wait']] : [];
    const args = [...swallowed, ...typed];
    const given = (name: string): string | undefined => options[name] as string | undefined;
    const words = {
      type: given('type'),
      who: given('who'),
      what: given('what'),
      where: given('where'),
      url: given('url'),
    };
    check(words, args, options);
    const waitMs = readWait(swallowed.length > 0 ? true : options['wait']);
    const [{ say }, { systemClock }] = await Promise.all([import('../app/say.ts'), import('../clock.ts')]);
    const path = given('socket') ?? (await context.config()).webridge.socket;
    const stdin = options['stdin'] === true;
    const sender = await openSender(waitMs !== undefined, context.signal);
    try {
      for await (const text of stdin ? lines(context) : [args.join(' ')]) {
        const what: Say = { path, text, words, waitMs, patienceMs: stdin ? STDIN_PATIENCE_MS : 0 };
        const said = await say(what, sender, systemClock);
        if (said !== undefined) context.io.stdout.write(`${said.id ?? '-'} ${said.ms}\n`);
      }
    } finally {
      sender.close();
    }
    return EXIT.done satisfies ExitCode;
  },
};

function check(
  { type, ...words }: Readonly<Record<'type' | 'who' | 'what' | 'where' | 'url', string | undefined>>,
  args: readonly string[],
  options: Readonly<Record<string, unknown>>,
): void {
  const usage = (message: string, hint: string): SaxError => new SaxError(EXIT.usage, message, { hint });
  const extra = Object.entries(words).find(([, value]) => value !== undefined)?.[0];
  if (type === undefined && extra !== undefined)
    throw usage(`--${extra} needs --type`, 'see saxctl say --help for the types');
  if (type !== undefined && !TYPE_FORM.test(type))
    throw usage(`--type: not a type: ${JSON.stringify(type)}`, 'small letters, digits and hyphens, at most 32');
  if (options['stdin'] === true && args.length > 0) throw usage('either TEXT or --stdin', 'leave one out');
  if (options['stdin'] !== true && args.length === 0 && type === undefined)
    throw usage('nothing to say', 'give a text, --type or --stdin');
  if (args.length > 0 && words.what !== undefined) throw usage('either TEXT or --what', 'leave one out');
  if (options['stdin'] === true && words.what !== undefined) throw usage('either --stdin or --what', 'leave one out');
}

function readWait(value: unknown): number | undefined {
  if (value === undefined || value === false) return undefined;
  if (value === true) return DEFAULT_WAIT_MS;
  const ms = Number(value);
  if (ms > 0 && ms < 100_000_000) return ms;
  throw new SaxError(EXIT.usage, `--wait: not milliseconds: ${JSON.stringify(value)}`, { hint: 'write --wait 5000' });
}

async function openSender(answered: boolean, signal: AbortSignal) {
  if (answered) {
    const asker = (await import('../edges/dgram/ask.ts')).openAsker();
    // Whoever interrupts does not wait for the room.
    const interrupted = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
    interrupted.catch(() => undefined);
    return { ...asker, answer: (ms: number) => Promise.race([asker.answer(ms), interrupted]) };
  }
  const { sendDatagram } = await import('../edges/dgram/send.ts');
  return { send: sendDatagram, close() {} };
}

async function* lines({ io, signal }: Context): AsyncGenerator<string> {
  const { createInterface } = await import('node:readline');
  for await (const line of createInterface({ input: io.stdin, crlfDelay: Number.POSITIVE_INFINITY, signal }))
    if (line !== '') yield line;
}
