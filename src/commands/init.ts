import { Argument, Option } from 'commander';
import { type CommandModule, examples } from './command.ts';

const PARTS = ['toml', 'ejabberd', 'nick-module', 'nginx', 'systemd', 'cron', 'sql'];

export const command: CommandModule = {
  define(command) {
    command
      .addArgument(new Argument('[DIR]', 'where the files go, and where they will be used').default('/etc/saxctl'))
      .option(
        '--domain <NAME>',
        'the XMPP domain, for example chat.example.org (default: the first host of ejabberd.yml)',
      )
      .option('--phpbb-config <FILE>', 'the forum’s config.php: where its database is')
      .option('--ejabberd-yml <FILE>', 'ejabberd’s configuration (default: /etc/ejabberd/ejabberd.yml)')
      .option('--irc <URL>', 'an IRC server, for example ircs://irc.libera.chat:6697 (repeatable)', collect)
      .option('--channel <NAME>', 'the IRC channel')
      .option('--irc-nick <NICK>', 'the nickname on IRC (default: sax)')
      .option('--no-guard', 'without the guard of nicknames')
      .option('--web-group <GROUP>', 'the web server’s group (default: www-data)')
      .option('--server-name <NAME>', 'the web site’s name, for nginx (default: the domain without “chat.”)')
      .option('--saxctl <COMMAND>', 'how units and ejabberd start saxctl (default: where it is now)')
      .option('-y, --yes', 'ask nothing')
      .addOption(
        new Option('--print [PART]', 'print instead of writing: everything, or one part')
          .choices(PARTS)
          .conflicts('diff'),
      )
      .option('--diff', 'compare what is there with what would be written; exit 1 when they differ');
    examples(command, [
      ['saxctl init', 'ask, then write /etc/saxctl'],
      ['saxctl init ./saxctl --domain chat.example.org --phpbb-config /var/www/forum/config.php', 'ask nothing'],
      ['saxctl init --irc ircs://irc.libera.chat:6697 --channel "#example"', 'with a relay to IRC'],
      ['saxctl init --print nginx', 'one part, on stdout'],
      ['saxctl init --diff', 'what has changed since'],
    ]);
  },

  async run(context, args, options) {
    const { runInit } = await import('./init-run.ts');
    return runInit(context, args[0] ?? '/etc/saxctl', options);
  },
};

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}
