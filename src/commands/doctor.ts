import { Argument } from 'commander';
import { GROUP_NAMES, type GroupName } from '../core/doctor/catalogue.ts';
import { type CommandModule, examples } from './command.ts';

export const command: CommandModule = {
  define(command) {
    command
      .addArgument(new Argument('[GROUP...]', 'only these groups of checks').choices(GROUP_NAMES))
      .option('--url <URL>', 'address of the page with the chat: checks the web server too')
      .option('--ejabberd-yml <FILE>', 'ejabberd’s configuration (default: /etc/ejabberd/ejabberd.yml)')
      .option('--nginx-conf <FILE>', 'nginx’s configuration (default: what nginx -T says)')
      .option('--json', 'one JSON object: ok, counts, checks (name, group, status, message, repair)');
    examples(command, [
      ['saxctl doctor', 'everything on this machine; exit 1 when something is a problem'],
      ['saxctl doctor --url https://forum.example.org/', 'the web server too'],
      ['saxctl doctor database auth', 'why can nobody log in?'],
      ['saxctl doctor --json | jq \'.checks[] | select(.status == "problem")\'', 'for programs'],
    ]);
  },

  async run(context, args, options) {
    const { runDoctor } = await import('./doctor-run.ts');
    return runDoctor(context, args as readonly GroupName[], options);
  },
};
