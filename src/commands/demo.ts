import { type CommandModule, examples } from './command.ts';

export const command: CommandModule = {
  define(command) {
    command
      .option('--once', 'send one line through every hop, print a check list with milliseconds, and stop')
      .option('--json', 'with --once: one JSON object');
    examples(command, [
      ['saxctl demo', 'everything on this machine, until Ctrl-C; prints where to point browser and IRC client'],
      ['saxctl demo --once', 'does it work here? Exit 0 or 1'],
    ]);
    command.addHelpText(
      'after',
      '\nNothing of this machine’s own servers is used or changed: private servers on loopback ports, in a throw-away directory.',
    );
  },

  async run(context, _args, options) {
    const { runDemo } = await import('./demo-run.ts');
    return runDemo(context, { once: options['once'] === true, json: options['json'] === true });
  },
};
