import { EXIT, SaxError } from '../core/errors.ts';
import { type CommandModule, examples } from './command.ts';

type Options = {
  readonly check?: string;
  readonly token?: string;
  readonly ttl?: string;
  readonly json?: boolean;
};

export const command: CommandModule = {
  define(command) {
    command
      .description(
        'Answers ejabberd’s external authentication on stdin and stdout: a member logs in with the id of his forum session or with a signed token, a bot with its password. With --check or --token: a question of yours.',
      )
      .option(
        '--check <USER>',
        'ask once whether USER may log in, and say why; the secret is prompted for or read from stdin',
      )
      .option('--token <USER>', 'print a signed token for USER')
      .option('--ttl <TIME>', 'how long the token is valid (with --token; default: 10m)')
      .option('--json', 'print the result as JSON (with --check or --token)');
    examples(command, [
      ['extauth_program: "saxctl -c /etc/saxctl/saxctl.toml auth"', 'in ejabberd.yml; see docs/auth.md'],
      ['saxctl auth --check Tari', 'asks for a session id, a token or a password'],
      ['saxctl auth --check Tari < sid.txt', 'the same from a script'],
      ['saxctl auth --token Tari --ttl 1h', 'log in as a member, for tests'],
    ]);
  },

  async run(context, args, given) {
    const options = given as Options;
    if (args.length > 0)
      throw new SaxError(EXIT.usage, `auth takes no arguments, got ${JSON.stringify(args[0])}`, {
        hint: 'ask about a member with: saxctl auth --check USER',
      });
    if (options.check !== undefined && options.token !== undefined)
      throw new SaxError(EXIT.usage, 'auth: give --check or --token, not both');
    if (options.ttl !== undefined && options.token === undefined)
      throw new SaxError(EXIT.usage, 'auth: --ttl goes with --token');
    if (options.check !== undefined)
      return (await import('./auth/check.ts')).check(context, options.check, options.json ?? false);
    if (options.token !== undefined)
      return (await import('./auth/token.ts')).token(context, options.token, options.ttl, options.json ?? false);
    if (options.json) throw new SaxError(EXIT.usage, 'auth: --json goes with --check or --token');
    return (await import('./auth/serve.ts')).serve(context);
  },
};
