import { Command, Option } from 'commander';
import type { CommandModule, Io } from './commands/command.ts';
import { COMMANDS } from './commands/table.ts';
import { EXIT, EXIT_MEANINGS } from './core/errors.ts';
import { printable } from './core/escape.ts';
import { sayError } from './failure.ts';
import { defaultFlags, wantsColor } from './flags.ts';
import { VERSION_LINE } from './version.ts';

/** The commander tree; commands whose module is not given are known by name and summary only. */
export function buildProgram(
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
          sayError(io, defaultFlags(io), oneLine(problems.join(' '), command), EXIT.usage);
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
