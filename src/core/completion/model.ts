/**
 * The command tree as plain data: what completions and manual pages are written from. Nothing of the argument parser's
 * library reaches further than the function that makes this.
 */

/** What may stand for a value; `files` and `directories` are left to the shell. */
export type ValueSpec = {
  /** As written in the help: FILE, N, LEVEL. */
  readonly name: string;
  readonly choices: readonly string[];
  readonly files: 'none' | 'files' | 'directories';
};

export type FlagSpec = {
  /** With the dashes: `--config`; undefined where a flag has a short form only. */
  readonly long: string | undefined;
  readonly short: string | undefined;
  readonly doc: string;
  /** Undefined for a switch. */
  readonly value: ValueSpec | undefined;
  /** The value may be left out (`--wait [MS]`). */
  readonly optional: boolean;
  readonly repeatable: boolean;
};

export type ArgumentSpec = {
  readonly doc: string;
  readonly value: ValueSpec;
  readonly required: boolean;
  readonly variadic: boolean;
};

export type CommandSpec = {
  readonly name: string;
  /** One line for lists of commands. */
  readonly summary: string;
  /** Whole description, may be several lines. */
  readonly doc: string;
  readonly flags: readonly FlagSpec[];
  readonly arguments: readonly ArgumentSpec[];
  readonly commands: readonly CommandSpec[];
  /** What the help prints behind the flags: examples, tables. */
  readonly epilog: string;
};

/** A command with the way to it: `path` is '' for the root, 'config show' for a nested one. */
export type PlacedCommand = {
  readonly path: string;
  readonly command: CommandSpec;
  /** Own flags and those of all commands above, which are accepted here too. */
  readonly flags: readonly FlagSpec[];
};

/** Every command of the tree, root first, each with the flags that it accepts. */
export function everyCommand(root: CommandSpec): PlacedCommand[] {
  const walk = (command: CommandSpec, path: string, inherited: readonly FlagSpec[]): PlacedCommand[] => {
    const own = new Set(command.flags.map(nameOf));
    const flags = [...command.flags, ...inherited.filter((flag) => !own.has(nameOf(flag)))];
    const below = command.commands.flatMap((child) =>
      walk(child, path === '' ? child.name : `${path} ${child.name}`, flags),
    );
    return [{ path, command, flags }, ...below];
  };
  return walk(root, '', []);
}

/** The forms of a flag as typed, short first. */
export function formsOf(flag: FlagSpec): string[] {
  return [flag.short, flag.long].filter((form) => form !== undefined);
}

function nameOf(flag: FlagSpec): string {
  return flag.long ?? flag.short ?? '';
}

/** One line, no tabs: fit for a list entry of a shell. */
export function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim();
}

/** A text as one single-quoted word of sh, bash and zsh. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
