import { Argument, Option } from 'commander';
import { EXIT, SaxError } from '../core/errors.ts';
import { type CommandModule, examples } from './command.ts';

const SHELLS = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof SHELLS)[number];

export const command: CommandModule = {
  define(command) {
    command
      .addArgument(new Argument('[SHELL]', 'which shell').choices(SHELLS))
      .addOption(
        new Option('--write <DIR>', 'write completions/ and man/ below DIR (for building the package)').hideHelp(),
      );
    examples(command, [
      ['saxctl completion bash > /etc/bash_completion.d/saxctl', 'for all users of bash'],
      ['saxctl completion zsh > /usr/local/share/zsh/site-functions/_saxctl', 'for all users of zsh'],
      ['saxctl completion fish > ~/.config/fish/completions/saxctl.fish', 'for you in fish'],
    ]);
  },

  async run(context, args, options) {
    const { describeTree } = await import('./tree.ts');
    const tree = describeTree(await context.tree());
    const directory = options['write'];
    if (typeof directory === 'string') {
      const { generatedFiles } = await import('./generated.ts');
      const { writeGenerated } = await import('../edges/files/write-generated.ts');
      await writeGenerated(directory, generatedFiles(tree));
      return EXIT.done;
    }
    const shell = args[0];
    if (shell === undefined)
      throw new SaxError(EXIT.usage, 'no shell is named', { hint: 'saxctl completion bash, zsh or fish' });
    const { completionFor } = await import('./generated.ts');
    context.io.stdout.write(completionFor(shell as Shell, tree));
    return EXIT.done;
  },
};
