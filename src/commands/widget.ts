import { type CommandModule, examples } from './command.ts';

export const command: CommandModule = {
  define(command) {
    command
      .argument('<DIR>', 'directory that the web server serves; made when it is not there')
      .option('--url <PATH>', 'where the web server shows DIR', '/chat/widget/')
      .option(
        '--session <PATH>',
        'URL that answers {"user","password"} for the member who is logged in',
        '/chat/session.php',
      )
      .option('--snapshot <PATH>', 'URL of the file that webridge writes (default: by [webridge] snapshot)')
      .option('--ws <PATH>', 'URL of ejabberd’s WebSocket', '/ws')
      .option('--bosh <PATH>', 'URL of ejabberd’s BOSH', '/bosh')
      .option('--title <TEXT>', 'heading of the chat', 'Chat')
      .option('--force', 'replace files that have other content')
      .option('--json', 'print file, integrity and tags as one JSON object');
    examples(command, [
      ['saxctl widget /var/www/chat/widget', 'write the files, print the tags to paste'],
      ['saxctl widget /srv/www/w --url https://static.example.org/w/', 'served from elsewhere'],
    ]);
  },

  async run(context, args, options) {
    const { runWidget } = await import('./widget-run.ts');
    return runWidget(context, args[0] ?? '', options);
  },
};
