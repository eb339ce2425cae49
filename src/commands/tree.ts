import type { Argument, Command, Option } from 'commander';
import { describeConfiguration } from '../config/describe.ts';
import type { ArgumentSpec, CommandSpec, FlagSpec, ValueSpec } from '../core/completion/model.ts';

/** The parser's commands are event emitters, which its types do not say. */
type Emitter = { emit(event: string, context: object): boolean };

/** Words by the name of a value, where the parser has no list of its own. */
type NamedWords = Readonly<Record<string, readonly string[]>>;

/** The argument parser's tree as plain data. Flags and commands that the help hides are left out. */
export function describeTree(root: Command): CommandSpec {
  const names = root.commands.map((command) => command.name());
  return describe(root, {
    KEY: describeConfiguration().flatMap((section) => section.keys.map((key) => `${key.section}.${key.name}`)),
    COMMAND: names,
  });
}

function describe(command: Command, words: NamedWords): CommandSpec {
  const help = command.createHelp();
  const doc = command.description();
  return {
    name: command.name(),
    summary: command.summary() || doc,
    doc: doc || command.summary(),
    flags: help.visibleOptions(command).map((option) => describeFlag(option, words)),
    arguments: command.registeredArguments.map((argument) => describeArgument(argument, words)),
    commands: help.visibleCommands(command).map((child) => describe(child, words)),
    epilog: epilogOf(command),
  };
}

function describeFlag(option: Option, words: NamedWords): FlagSpec {
  const value = /[<[]([^>\]]+?)(?:\.\.\.)?[>\]]/.exec(option.flags)?.[1];
  return {
    long: option.long ?? undefined,
    short: option.short ?? undefined,
    doc: option.description,
    value: value === undefined ? undefined : describeValue(value, option.argChoices, words),
    optional: option.optional,
    repeatable: option.variadic || /repeatable/.test(option.description),
  };
}

function describeArgument(argument: Argument, words: NamedWords): ArgumentSpec {
  return {
    doc: argument.description,
    value: describeValue(argument.name(), argument.argChoices, words),
    required: argument.required,
    variadic: argument.variadic,
  };
}

function describeValue(name: string, choices: readonly string[] | undefined, words: NamedWords): ValueSpec {
  const files = /^(?:FILE|PATH|SOCKET)$/i.test(name)
    ? 'files'
    : /^DIR(?:ECTORY)?$/i.test(name)
      ? 'directories'
      : 'none';
  return { name, choices: choices ?? words[name] ?? [], files };
}

/** The text that addHelpText put behind the flags: the parser gives it out only by its event. */
function epilogOf(command: Command): string {
  let text = '';
  const write = (chunk: string) => {
    text += chunk;
  };
  (command as unknown as Emitter).emit('afterHelp', { error: false, command, write });
  return text;
}
