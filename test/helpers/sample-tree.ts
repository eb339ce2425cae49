import { Argument, Command, Option } from 'commander';
import { describeTree } from '../../src/commands/tree.ts';
import type { CommandSpec } from '../../src/core/completion/model.ts';

/** A tree with one of everything that completions and manual pages know. */
export function sampleTree(): CommandSpec {
  const root = new Command('saxctl').description('operates a chat');
  root.option('-c, --config <FILE>', 'configuration file');
  root.addOption(new Option('--log-level <LEVEL>', 'how much to log').choices(['error', 'warn', 'info', 'debug']));
  root.option('-q, --quiet', 'only errors: it’s [quiet]');
  const say = root.command('say').description('announce something: in the room').argument('[TEXT...]', 'what to say');
  say.addOption(new Option('--type <T>', 'which type').choices(['chat', 'new-topic', 'news']));
  say.option('--wait [MS]', 'until the room has it');
  say.addHelpText('after', "\nExamples:\n  saxctl say 'It''s on'   say it\n  .dotted line");
  root.command('init').description('write files').argument('[DIR]', 'where');
  root
    .command('completion')
    .description('print completions')
    .addArgument(new Argument('<SHELL>', 'shell').choices(['bash', 'zsh']));
  const config = root.command('config').description('show or check');
  config.command('show').description('print values').argument('[KEY...]', 'which keys').option('--json', 'as JSON');
  config.command('check').description('only validate');
  return describeTree(root);
}
