import type { ExitCode } from '../core/errors.ts';
import { type CommandModule, examples } from './command.ts';

export const command: CommandModule = {
  define(command) {
    examples(command, [
      ['saxctl guard', 'guard the room of the configuration'],
      ['saxctl --log-format json guard', 'with a log line for each removal'],
    ]);
  },

  async run(context): Promise<ExitCode> {
    const [{ runDaemon }, { runGuard }] = await Promise.all([import('../lifecycle.ts'), import('./guard-run.ts')]);
    return await runDaemon(context, 'guard', (daemon) => runGuard(daemon));
  },
};
