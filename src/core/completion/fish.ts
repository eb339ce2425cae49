import { type CommandSpec, everyCommand, type FlagSpec, formsOf, oneLine, type ValueSpec } from './model.ts';

/** Completion for fish 3: one `complete` line a word, told apart by the command that stands on the line. */
export function fishCompletion(root: CommandSpec): string {
  const name = root.name;
  const every = everyCommand(root);
  // Only commands that have commands below decide the way; a flag's value must not be taken for one of them.
  const taking = new Set(
    every
      .filter(({ command }) => command.commands.length > 0)
      .flatMap(({ flags }) => flags)
      .filter((flag) => flag.value !== undefined && !flag.optional)
      .flatMap(formsOf),
  );
  const known = every.filter(({ path }) => path !== '').map(({ path }) => path);
  const lines = every.flatMap(({ path, command }) => {
    const at = `-n ${word(`__${name}_at ${path === '' ? '""' : word(path)}`)}`;
    const below = `-n ${word(`__${name}_below ${path === '' ? '""' : word(path)}`)}`;
    return [
      ...command.commands.map(
        (child) => `complete -c ${name} ${at} -a ${word(child.name)} -d ${word(oneLine(child.summary))}`,
      ),
      ...command.flags.map((flag) => `complete -c ${name} ${below} ${flagOf(flag)}`),
      ...command.arguments
        .map((argument) => candidates(argument.value))
        .filter((what) => what !== '')
        .map((what) => `complete -c ${name} ${at} ${what}`),
    ];
  });
  return `# fish completion for ${name}; made by \`${name} completion fish\`, do not edit

# The command that the line names so far, for example "config show".
function __${name}_path
    set -l words (commandline -opc)
    set -e words[1]
    set -l path
    set -l skip 0
    for word in $words
        if test $skip = 1
            set skip 0
            continue
        end
        if contains -- $word ${[...taking].join(' ')}
            set skip 1
            continue
        end
        string match -q -- '-*' $word; and continue
        set -l longer (string join ' ' -- $path $word)
        contains -- "$longer" ${known.map(word).join(' ')}; or break
        set path $path $word
    end
    string join ' ' -- $path
end

function __${name}_at
    test "$(__${name}_path | string collect)" = "$argv[1]"
end

# Flags of a command are accepted behind every command below it.
function __${name}_below
    test -z "$argv[1]"; and return 0
    string match -q -- "$argv[1] *" "$(__${name}_path | string collect) "
end

complete -c ${name} -f
${lines.join('\n')}
`;
}

function flagOf(flag: FlagSpec): string {
  const forms = [
    flag.short === undefined ? '' : `-s ${flag.short.slice(1)}`,
    flag.long === undefined ? '' : `-l ${flag.long.slice(2)}`,
  ];
  const value = flag.value === undefined || flag.optional ? '' : `-x ${candidates(flag.value)}`;
  return [...forms, value, `-d ${word(oneLine(flag.doc))}`].filter((part) => part !== '').join(' ');
}

function candidates(value: ValueSpec): string {
  if (value.choices.length > 0) return `-a ${word(value.choices.join(' '))}`;
  if (value.files === 'files') return `-a ${word('(__fish_complete_path (commandline -ct))')}`;
  if (value.files === 'directories') return `-a ${word('(__fish_complete_directories (commandline -ct))')}`;
  return '';
}

/** A single-quoted word of fish, which escapes the quote and the backslash alone. */
function word(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
