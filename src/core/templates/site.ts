/** What init knows about the site: asked, given by flags, or found in the forum's and ejabberd's own files. */
export type Site = {
  /** The directory that the files are meant for, /etc/saxctl as a rule. */
  readonly directory: string;
  /** How the program is started, for units and ejabberd: `/usr/bin/saxctl`. */
  readonly program: string;
  readonly domain: string;
  readonly mucService: string;
  readonly room: string;
  readonly database: {
    readonly host: string;
    readonly port: number;
    readonly socket: string | undefined;
    readonly name: string;
    readonly tablePrefix: string;
    readonly user: string;
  };
  readonly irc: { readonly servers: readonly string[]; readonly channel: string; readonly nick: string } | undefined;
  readonly guard: boolean;
  /** Group of the web server, which may announce. */
  readonly webGroup: string;
  /** Name of the web site, for nginx. */
  readonly serverName: string;
  /** Source of ejabberd’s module mod_sax_nick, which goes with the guard. */
  readonly nickModule: string;
  readonly secrets: Secrets;
};

/** Each lies in a file of its own name beside saxctl.toml, so that units can load them as credentials. */
export type Secrets = {
  readonly token_key: string;
  readonly database_password: string;
  readonly archive_password: string;
  readonly webridge_password: string;
  readonly ircbridge_password: string;
  readonly guard_password: string;
};

export const STATE_DIRECTORY = '/var/lib/saxctl';
export const SOCKET = '/run/saxctl/say.sock';
export const SPOOL = '/var/spool/saxctl';
export const SNAPSHOT_DIRECTORY = '/var/cache/saxctl';
export const WIDGET_DIRECTORY = '/var/www/saxctl';

/** A file that init writes. */
export type Template = {
  /** Below the directory. */
  readonly path: string;
  readonly mode: number;
  readonly text: string;
  /** What it is for, and where it goes if not here. */
  readonly about: string;
  /** For `--print PART`. */
  readonly part: 'toml' | 'ejabberd' | 'nick-module' | 'nginx' | 'systemd' | 'cron' | 'sql' | 'secrets';
};
