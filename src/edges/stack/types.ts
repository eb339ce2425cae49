import type { TomlSections } from './config-file.ts';
import type { Board } from './forum-sql.ts';
import type { ExtraMember, Member, Session } from './members.ts';
import type { NetworkProxy } from './proxy.ts';
import type { StackServer } from './server.ts';

export type Part = 'mariadb' | 'ejabberd' | 'irc1' | 'irc2' | 'ngircd' | 'nginx';

export type StackOptions = {
  /** What runs; mariadb, ejabberd and irc1 by default. ejabberd brings mariadb with it (the archive). */
  readonly parts?: readonly Part[];
  readonly board?: Board;
  /** Members besides the sample ones. */
  readonly members?: readonly ExtraMember[];
  /** bin/saxctl.js, which answers ejabberd's questions as `saxctl -c CONFIG auth`. */
  readonly program?: string;
  /** Another authentication program, as shell words; wins over `program`. Without either every question is left unanswered. */
  readonly extauth?: string;
  /** Nobody speaks in the room without voice, which the guard gives. */
  readonly moderated?: boolean;
  /** Source of mod_sax_nick.erl: compiled and loaded, so that ejabberd itself holds members to their registered nickname. */
  readonly nickModule?: string;
  /** IRC servers without flood protection. */
  readonly ircUnlimited?: boolean;
  /** irc1 and irc2 (then like irc1) are one network, whose inner link is `ircLink`. */
  readonly ircLinked?: boolean;
  /** A self-signed certificate for 127.0.0.1 and localhost: `tlsPort` of ejabberd and the InspIRCds, https on nginx. */
  readonly tls?: boolean;
  /** Keys put over those of the generated saxctl.toml; undefined removes one. */
  readonly config?: TomlSections;
  /** nginx' document root; its widget directory is served below /chat/widget/. */
  readonly site?: { readonly root: string; readonly widget: string };
  /** Called when a step is done, for progress. */
  readonly onStep?: (step: string, ms: number) => void;
};

export type Bot = { readonly jid: string; readonly password: string; readonly nick: string };

export type Bots = { readonly webridge: Bot; readonly ircbridge: Bot; readonly guard: Bot };

export type Stack = {
  /** The throw-away directory (0700). */
  readonly directory: string;
  /** Path of the generated saxctl.toml: every command works with `-c`. */
  readonly config: string;
  readonly domain: string;
  readonly mucService: string;
  readonly room: string;
  readonly channel: string;
  readonly members: readonly Member[];
  readonly bots: Bots;
  /** The webridge's datagram socket, the state directory and the snapshot file of saxctl.toml. */
  readonly saySocket: string;
  readonly stateDir: string;
  readonly snapshot: string;
  readonly snapshotDirectory: string;
  /** `OPER root PASSWORD` on every IRC server. */
  readonly operPassword: string;
  /** PEM file of the certificate, for `tls_ca`; '' without `tls`. */
  readonly tlsCa: string;
  /** Environment for children: marked, so that they end with the stack, and without the machine's own configuration. */
  readonly env: Readonly<Record<string, string>>;
  readonly mariadb: StackServer;
  readonly ejabberd: StackServer;
  readonly irc1: StackServer;
  readonly irc2: StackServer;
  readonly ngircd: StackServer;
  readonly nginx: StackServer;
  /** The network between irc1 and irc2 (`ircLinked`): cut it for a netsplit. */
  readonly ircLink: NetworkProxy;
  /** MariaDB's UNIX socket, past the proxies. */
  readonly databaseSocket: string;
  /** ejabberd's HTTP listener through the proxy: http://127.0.0.1:PORT, with /bosh, /ws, /api. */
  readonly httpUrl: string;
  /** Its port; 0 without ejabberd. */
  readonly httpPort: number;
  /** The command for `[ejabberd] ctl`. */
  readonly ctl: string;
  /** A command of ejabberd's API, past the proxy. Rejects with ejabberd's own words. */
  api(command: string, parameters?: Readonly<Record<string, unknown>>): Promise<unknown>;
  /** A statement as the database's root in the forum's database (`archive.` names the archive's), past the proxies. */
  sql(
    statement: string,
    parameters?: readonly (string | number)[],
  ): Promise<readonly Readonly<Record<string, unknown>>[]>;
  /** A sample member by name. */
  member(name: string): Member & { readonly session: Session };
  /** Ends everything and removes the directory. */
  stop(): Promise<void>;
};
