import { type Command, CommanderError } from 'commander';
import type { CommandModule, Io } from './commands/command.ts';
import { COMMANDS } from './commands/table.ts';
import { leave, withContext } from './context.ts';
import { EXIT, type ExitCode } from './core/errors.ts';
import { globalFlags } from './flags.ts';
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
  return withContext(
    io,
    () => wholeTree(io),
    async (makeContext) => {
      const name = commandName(argv);
      const module = await loadModule(name);
      let code: ExitCode = EXIT.done;
      const program = buildProgram(
        io,
        new Map(module === undefined ? [] : [[name ?? '', module]]),
        async (command, args) => {
          const context = makeContext(globalFlags(command, io));
          code = (await module?.run(context, args, command.opts())) ?? EXIT.usage;
        },
      );
      try {
        await program.parseAsync([...argv], { from: 'user' });
      } catch (error) {
        if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
        throw error;
      }
      return code;
    },
  );
}

async function wholeTree(io: Io): Promise<Command> {
  const modules = new Map<string, CommandModule>();
  for (const { name, load } of COMMANDS) modules.set(name, (await load()).command);
  return buildProgram(io, modules, async () => {});
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
    // `-qc FILE` is `-q -c FILE`.
    if (VALUE_FLAGS.includes(word) || /^-[a-z]+c$/.test(word)) index++;
    else if (!word.startsWith('-')) return word;
  }
  return undefined;
}

async function loadModule(name: string | undefined): Promise<CommandModule | undefined> {
  const entry = COMMANDS.find((candidate) => candidate.name === name);
  return entry === undefined ? undefined : (await entry.load()).command;
}

/** Called by the launcher: the real process. */
export async function run(): Promise<void> {
  const { processIo } = await import('./process-io.ts');
  await leave(await main(process.argv.slice(2), processIo()));
}
