import { type CommandSpec, everyCommand, type FlagSpec, formsOf, oneLine, quoted, type ValueSpec } from './model.ts';

/** Completion for zsh: one function a command, by _arguments, with descriptions. */
export function zshCompletion(root: CommandSpec): string {
  const functions = everyCommand(root).map(({ path, command, flags }) => {
    const specs = [
      ...flags.map(flagSpec),
      ...(command.commands.length > 0
        ? [`'1: :->command'`, `'*:: :->rest'`]
        : command.arguments.map((argument, index) => {
            const place = argument.variadic ? '*' : String(index + 1);
            const colon = argument.required || argument.variadic ? ':' : '::';
            return quoted(`${place}${colon}${escaped(argument.value.name)}:${action(argument.value)}`);
          })),
    ];
    const body = [`  _arguments -C -S ${specs.map((spec) => `\\\n    ${spec}`).join(' ')}`];
    if (command.commands.length > 0) body.push(descend(root.name, path, command));
    return `${functionName(root.name, path)}() {
  local curcontext="$curcontext" state line
  typeset -A opt_args
${body.join('\n')}
}`;
  });
  return `#compdef ${root.name}
# zsh completion for ${root.name}; made by \`${root.name} completion zsh\`, do not edit

${functions.join('\n\n')}

if [[ $funcstack[1] == _${root.name} ]]; then
  _${root.name} "$@"
else
  compdef _${root.name} ${root.name}
fi
`;
}

/** The part that lists the commands below, and hands over to the one that was named. */
function descend(program: string, path: string, command: CommandSpec): string {
  const names = command.commands.map((child) => quoted(`${escaped(child.name)}:${oneLine(child.summary)}`));
  const branches = command.commands.map(
    (child) => `        ${child.name}) ${functionName(program, path === '' ? child.name : `${path} ${child.name}`)} ;;`,
  );
  return `  case $state in
    command)
      local -a commands=(
        ${names.join('\n        ')}
      )
      _describe -t commands 'command' commands
      ;;
    rest)
      case $line[1] in
${branches.join('\n')}
      esac
      ;;
  esac`;
}

function functionName(program: string, path: string): string {
  return `_${program}${path === '' ? '' : `_${path.replaceAll(/[ -]/g, '_')}`}`;
}

function flagSpec(flag: FlagSpec): string {
  const forms = formsOf(flag);
  const doc = `[${oneLine(flag.doc).replaceAll(/[[\]\\]/g, '\\$&')}]`;
  const value =
    flag.value === undefined ? '' : `${flag.optional ? '::' : ':'}${escaped(flag.value.name)}:${action(flag.value)}`;
  const typed = forms.map((form) =>
    flag.value === undefined ? form : form.startsWith('--') ? `${form}=` : `${form}+`,
  );
  const exclusive = flag.repeatable ? '*' : `(${forms.join(' ')})`;
  return typed.length === 1
    ? quoted(`${exclusive}${typed[0]}${doc}${value}`)
    : `${quoted(exclusive)}{${typed.join(',')}}${quoted(`${doc}${value}`)}`;
}

function action(value: ValueSpec): string {
  if (value.choices.length > 0) return `(${value.choices.map(escaped).join(' ')})`;
  if (value.files === 'files') return '_files';
  if (value.files === 'directories') return '_files -/';
  return ' ';
}

function escaped(text: string): string {
  return text.replaceAll(':', '\\:');
}
