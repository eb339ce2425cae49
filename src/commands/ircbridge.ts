import { type CommandModule, examples } from './command.ts';

export const command: CommandModule = {
  define(command) {
    examples(command, [
      ['saxctl ircbridge', 'join the room and the channel of the configuration'],
      ['saxctl --log-level debug ircbridge', 'and say what it does'],
    ]);
  },

  async run(context) {
    const [{ runDaemon }, { startIrcBridge }, { keepHeapSmall }] = await Promise.all([
      import('../lifecycle.ts'),
      import('./ircbridge-run.ts'),
      import('../heap.ts'),
    ]);
    keepHeapSmall();
    return await runDaemon(context, 'ircbridge', startIrcBridge);
  },
};
