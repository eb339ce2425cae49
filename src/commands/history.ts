import { Option } from 'commander';
import type { ExitCode } from '../core/errors.ts';
import { type CommandModule, examples } from './command.ts';

export const command: CommandModule = {
  define(command) {
    command
      .option('--limit <N>', 'the newest N lines (default: 50; all with --since); 0 with --follow: only new ones')
      .option('--since <TIME>', 'not before: 2h, 3d (ago), or ISO 8601 (local time unless it names a zone)')
      .option('--until <TIME>', 'not after: likewise')
      .option('--from <NICK>', 'only what this nickname said, in the room or on IRC')
      .option('--grep <RE>', 'only texts that match this regular expression')
      .option('-i, --ignore-case', 'letter case does not matter for --grep')
      .option('-f, --follow', 'go on printing what is said, until interrupted')
      .option('--json', 'one JSON object a line: id, time, nick, text, kind (chat, announcement, irc, system)')
      .option('--room <JID>', 'another room than that of the configuration')
      .addOption(
        new Option('--as <SECTION>', 'log in with the account of this section')
          .choices(['webridge', 'ircbridge', 'guard'])
          .default('webridge'),
      );
    examples(command, [
      ['saxctl history', 'the last 50 lines'],
      ['saxctl history --since 2h --follow', 'the last two hours, then live'],
      ["saxctl history --since 2026-03-01 --until 2026-03-02 --grep 'https?://'", 'links of a day'],
      ['saxctl history --limit 1000 | less -R', 'page by page (FORCE_COLOR=1 keeps the colours)'],
      ['saxctl history --json --since 1d | jq -r \'select(.kind == "irc") | .text\'', 'for programs'],
    ]);
  },

  async run(context, _args, options): Promise<ExitCode> {
    const { runHistory } = await import('./history-run.ts');
    return runHistory(context, options);
  },
};
