import type { ExitCode } from '../core/errors.ts';
import { type CommandModule, examples } from './command.ts';

export const command: CommandModule = {
  define(command) {
    command
      .option('--dry-run', 'change nothing; print what would be done')
      .option('--full', 'register everybody again, also who is known to be registered')
      .option('--user <NAME>', 'only this member (repeatable)', (name: string, names: string[]) => [...names, name], [])
      .option('--prune', 'unregister those who are gone, renamed, deactivated or banned (default)')
      .option('--no-prune', 'leave their nicknames registered')
      .option('--concurrency <N>', 'calls at once (default: 8 with via = "http", one per processor with "ctl")')
      .option('--verify [N]', 'afterwards try to take N of the nicknames (default 20), and report those that were free')
      .option('--json', 'print the result as one JSON object');
    examples(command, [
      ['saxctl sync-nicks', 'register what is new, for cron'],
      ['saxctl sync-nicks --dry-run', 'what it would do'],
      ['saxctl sync-nicks --user "Bob Smith"', 'right after a registration or a change of name'],
      ['saxctl sync-nicks --full --verify', 'after ejabberd lost its data'],
    ]);
  },

  async run(context, _args, options): Promise<ExitCode> {
    const [{ runSyncNicks }, { keepHeapSmall }] = await Promise.all([
      import('./sync-nicks-run.ts'),
      import('../heap.ts'),
    ]);
    keepHeapSmall();
    return runSyncNicks(context, options);
  },
};
