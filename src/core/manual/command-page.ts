import { type CommandSpec, type FlagSpec, formsOf } from '../completion/model.ts';
import { EXIT_MEANINGS } from '../errors.ts';
import { bold, heading, italic, roffText, tagged, titleLine, verbatim } from './roff.ts';

type Page = { readonly file: string; readonly text: string };

/** saxctl(1) and one page for each command, from the tree. */
export function commandPages(root: CommandSpec, version: string): Page[] {
  return [
    { file: `${root.name}.1`, text: rootPage(root, version) },
    ...pagesOf(root).map((command) => ({
      file: `${root.name}-${command.name}.1`,
      text: commandPage(root, command, version),
    })),
  ];
}

/** The parser's own `help` is described by saxctl(1). */
function pagesOf(root: CommandSpec): CommandSpec[] {
  return root.commands.filter((command) => command.name !== 'help');
}

function rootPage(root: CommandSpec, version: string): string {
  const commands = pagesOf(root).map((command) =>
    tagged(`${bold(`${root.name}-${command.name}`)}(1)`, roffText(command.summary)),
  );
  return page([
    titleLine(root.name, 1, version),
    heading('Name'),
    `${roffText(root.name)} \\- ${roffText(root.summary)}`,
    heading('Synopsis'),
    `${bold(root.name)} [${italic('FLAG')}...] ${italic('COMMAND')} [${italic('ARGUMENT')}...]`,
    heading('Description'),
    paragraphs(root.doc),
    heading('Commands'),
    ...commands,
    heading('Options'),
    'Accepted before and after the command.',
    ...root.flags.map(flagEntry),
    ...epilog(root.epilog.replace(/\nExit codes:.*$/s, '')),
    heading('Exit status'),
    ...exitStatus(),
    heading('Environment'),
    tagged(bold('SAXCTL_CONFIG'), roffText('The configuration file, where --config is not given.')),
    tagged(
      `${bold('SAXCTL_')}${italic('SECTION')}${bold('_')}${italic('KEY')}`,
      `Wins over the key of that name in the file; see ${bold('saxctl.toml')}(5).`,
    ),
    tagged(
      `${bold('NO_COLOR')}, ${bold('FORCE_COLOR')}`,
      roffText('No colours at all; colours also where the output is not a terminal.'),
    ),
    tagged(bold('JOURNAL_STREAM'), roffText('Set by systemd: log lines are then written for the journal.')),
    heading('Files'),
    tagged(italic('/etc/saxctl/saxctl.toml'), `The configuration, see ${bold('saxctl.toml')}(5).`),
    heading('See also'),
    `${bold('saxctl.toml')}(5), ${pagesOf(root)
      .map((command) => `${bold(`${root.name}-${command.name}`)}(1)`)
      .join(', ')}`,
  ]);
}

function commandPage(root: CommandSpec, command: CommandSpec, version: string): string {
  const name = `${root.name}-${command.name}`;
  const below = command.commands.flatMap((child) => [
    `.SS "${roffText([root.name, command.name, usage(child)].join(' '))}"`,
    paragraphs(child.doc),
    ...child.flags.map(flagEntry),
    ...(child.epilog.trim() === '' ? [] : [verbatim(child.epilog.trim().split('\n'))]),
  ]);
  return page([
    titleLine(name, 1, version),
    heading('Name'),
    `${roffText(name)} \\- ${roffText(command.summary)}`,
    heading('Synopsis'),
    `${bold(`${root.name} ${command.name}`)}${roffText(usage(command).slice(command.name.length))}`,
    heading('Description'),
    paragraphs(command.doc),
    ...command.arguments.map((argument) => tagged(italic(argument.value.name), roffText(argument.doc))),
    ...(command.flags.length > 0 ? [heading('Options'), ...command.flags.map(flagEntry)] : []),
    ...(below.length > 0 ? [heading('Commands'), ...below] : []),
    ...epilog(command.epilog),
    heading('Exit status'),
    ...exitStatus(),
    heading('See also'),
    `${bold(root.name)}(1) for the options of every command, ${bold('saxctl.toml')}(5)`,
  ]);
}

/** "say [flags] [TEXT...]" */
function usage(command: CommandSpec): string {
  const words = command.arguments.map((argument) => {
    const name = `${argument.value.name}${argument.variadic ? '...' : ''}`;
    return argument.required ? name : `[${name}]`;
  });
  const below = command.commands.length > 0 ? ['COMMAND'] : [];
  return [command.name, ...(command.flags.length > 0 ? ['[FLAG...]'] : []), ...below, ...words].join(' ');
}

function flagEntry(flag: FlagSpec): string {
  const value =
    flag.value === undefined ? '' : flag.optional ? ` [${italic(flag.value.name)}]` : ` ${italic(flag.value.name)}`;
  const choices = flag.value?.choices ?? [];
  const listed =
    choices.length > 0 && !choices.every((choice) => flag.doc.includes(choice)) ? ` (${choices.join(', ')})` : '';
  return tagged(`${formsOf(flag).map(bold).join(', ')}${value}`, roffText(`${flag.doc}${listed}`));
}

function exitStatus(): string[] {
  return Object.entries(EXIT_MEANINGS).map(([code, meaning]) => tagged(bold(code), roffText(meaning)));
}

function paragraphs(text: string): string {
  return text
    .split(/\n{2,}/)
    .map((paragraph) => roffText(paragraph.trim()))
    .join('\n.PP\n');
}

/** What the help prints behind the flags: each "Title:" line becomes a heading, the rest stays as it is. */
function epilog(text: string): string[] {
  const parts: string[] = [];
  let block: string[] = [];
  const flush = () => {
    const lines = block.join('\n').replace(/^\n+/, '').trimEnd();
    if (lines !== '') parts.push(verbatim(lines.split('\n')));
    block = [];
  };
  for (const line of text.split('\n')) {
    const title = /^([A-Z][^:]*):$/.exec(line);
    if (title === null) block.push(line);
    else {
      flush();
      parts.push(heading(title[1] ?? ''));
    }
  }
  flush();
  if (parts.length > 0 && !parts[0]?.startsWith('.SH')) parts.unshift(heading('Notes'));
  return parts;
}

function page(parts: readonly string[]): string {
  return `.\\" Made from the program's own command tree; do not edit.\n${parts.filter((part) => part !== '').join('\n')}\n`;
}
