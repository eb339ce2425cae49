import { type CommandModule, examples } from './command.ts';

export const command: CommandModule = {
  define(command) {
    examples(command, [
      ['saxctl webridge', 'as configured: socket, room, snapshot'],
      ['systemd-socket-activate --datagram -l /run/saxctl/say.sock saxctl webridge', 'with a socket that outlives it'],
    ]);
  },

  async run(context) {
    const [{ runDaemon }, { runWebridge }, { keepHeapSmall }] = await Promise.all([
      import('../lifecycle.ts'),
      import('./webridge-run.ts'),
      import('../heap.ts'),
    ]);
    keepHeapSmall();
    return await runDaemon(context, 'webridge', (daemon) => runWebridge(context, daemon));
  },
};
