import { describeConfiguration } from '../config/describe.ts';
import { bashCompletion } from '../core/completion/bash.ts';
import { fishCompletion } from '../core/completion/fish.ts';
import type { CommandSpec } from '../core/completion/model.ts';
import { zshCompletion } from '../core/completion/zsh.ts';
import { commandPages } from '../core/manual/command-page.ts';
import { configPage } from '../core/manual/config-page.ts';
import '../version.ts';

export function completionFor(shell: 'bash' | 'zsh' | 'fish', tree: CommandSpec): string {
  switch (shell) {
    case 'bash':
      return bashCompletion(tree);
    case 'zsh':
      return zshCompletion(tree);
    case 'fish':
      return fishCompletion(tree);
  }
}

/** Everything that is committed and made from the tree: path below the package → text. */
export function generatedFiles(tree: CommandSpec, version = globalThis.SAXCTL_VERSION ?? '0'): Map<string, string> {
  const pages = [...commandPages(tree, version), configPage(describeConfiguration(), version)];
  return new Map([
    [`completions/${tree.name}.bash`, bashCompletion(tree)],
    [`completions/_${tree.name}`, zshCompletion(tree)],
    [`completions/${tree.name}.fish`, fishCompletion(tree)],
    ...pages.map((page): [string, string] => [`man/${page.file}`, page.text]),
  ]);
}
