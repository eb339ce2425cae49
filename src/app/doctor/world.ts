import type { CheckName } from '../../core/doctor/catalogue.ts';
import type { IrcProbe } from '../../core/doctor/irc.ts';
import type { FileFacts } from '../../core/doctor/machine.ts';
import { type Finding, problem, type Verdict } from '../../core/doctor/verdict.ts';
import type { Answer } from '../../core/doctor/web.ts';
import type { Yml } from '../../core/doctor/yml.ts';
import { reasonOf, SaxError } from '../../core/errors.ts';
import type { Explanation } from '../auth-explain.ts';
import type { ChatSession } from '../ports/chat.ts';
import type { Members } from '../ports/forum.ts';

type Optional = string | undefined;
type Account = { readonly jid: Optional; readonly password: Optional; readonly nick: Optional };

/** The keys of the configuration that doctor looks at. */
export type Settings = {
  readonly database: {
    readonly host: string;
    readonly port: number;
    readonly socket: Optional;
    readonly user: Optional;
    readonly name: Optional;
    readonly table_prefix: string;
    readonly board: Optional;
  };
  readonly xmpp: { readonly domain: Optional; readonly muc_service: Optional; readonly room: Optional };
  readonly ejabberd: { readonly via: string; readonly api_url: Optional };
  readonly auth: { readonly token_key: Optional };
  readonly webridge: Account & {
    readonly socket: string;
    readonly socket_mode: number;
    readonly socket_group: Optional;
    readonly spool: Optional;
  };
  readonly ircbridge: Account;
  readonly guard: Account;
  readonly irc: {
    readonly servers: readonly string[];
    readonly nick: Optional;
    readonly channel: Optional;
    readonly channel_key: Optional;
    readonly sasl_password: Optional;
    readonly nickserv_password: Optional;
  };
  readonly state: { readonly dir: Optional };
  readonly metrics: { readonly listen: Optional };
};

/** The configuration as it was read. */
export type Loaded = {
  readonly config: Settings;
  readonly file: Optional;
  /** Where each value came from, by `section.key`. */
  readonly origins: ReadonlyMap<string, { readonly source: 'default' | 'file' | 'environment' }>;
  readonly warnings: readonly string[];
};

export type Bot = {
  readonly section: 'webridge' | 'ircbridge' | 'guard';
  readonly jid: string;
  readonly password: string;
};

/** What doctor can look at. Nothing here changes anything. */
export type World = {
  readonly loaded: Loaded;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly nodeVersion: string;
  readonly now: () => number;
  readonly monotonic: () => number;
  /** The named ejabberd.yml as text; undefined when it cannot be read. */
  readonly ejabberdYml: { readonly path: string; readonly text: string | undefined };
  readonly parseYaml: (text: string) => unknown;
  /** URL of the page, where one was given. */
  readonly url: string | undefined;
  /** nginx’s configuration as text, where it could be had. */
  readonly nginx: () => Promise<string | undefined>;
  readonly file: (path: string) => Promise<FileFacts | undefined>;
  readonly readText: (path: string) => Promise<string | undefined>;
  readonly writable: (path: string) => Promise<boolean>;
  readonly space: (path: string) => Promise<{ bytes: number; files: number } | undefined>;
  /** Paths of the UNIX sockets that somebody holds open. */
  readonly boundSockets: () => Promise<ReadonlySet<string>>;
  /** TCP ports that listen. */
  readonly listening: () => Promise<readonly { address: string; port: number; program: string }[]>;
  readonly locales: () => Promise<readonly string[]>;
  /** Loads the native part; rejects with the reason. */
  readonly native: () => Promise<void>;
  readonly sql: (statement: string, values?: readonly (string | number)[]) => Promise<readonly (readonly unknown[])[]>;
  readonly members: () => Members;
  readonly ctl: (...args: readonly string[]) => Promise<{ readonly code: number | undefined; readonly text: string }>;
  /** What `saxctl auth` itself says to this login, and why. */
  readonly explain: (user: string, secret: string) => Promise<Explanation>;
  readonly login: (bot: Bot) => Promise<ChatSession>;
  readonly irc: (server: string) => Promise<IrcProbe>;
  readonly http: (url: string, headers?: Readonly<Record<string, string>>) => Promise<Answer>;
  readonly tls: (
    url: string,
  ) => Promise<{ protocol: string | undefined; days: number | undefined; failure: string | undefined }>;
  readonly close: () => Promise<void>;
};

/** What the groups of checks share in one run. */
export type Shared = {
  readonly world: World;
  readonly bots: readonly Bot[];
  /** Options of ejabberd.yml for our domain; undefined when it could not be read. */
  yml: Yml | undefined;
  /** `ejabberdctl status`, asked once: each call of ejabberdctl takes half a second. */
  readonly status: () => Promise<{ readonly code: number | undefined; readonly text: string }>;
  databaseWorks: boolean;
  session: ChatSession | undefined;
};

/** A check that is about to run, then what it found. */
export type Progress = (name: string) => void;

export type Group = (shared: Shared, check: Check) => AsyncGenerator<Finding>;

/** Runs one check; what it throws is a problem too, never the end of doctor. */
export type Check = (name: CheckName, run: () => Verdict | Promise<Verdict>) => Promise<Finding>;

export function checker(group: string, progress: Progress, redact: (text: string) => string): Check {
  return async (name, run) => {
    progress(name);
    try {
      return { group, name, ...(await run()) };
    } catch (error) {
      const hint =
        error instanceof SaxError && error.hint !== undefined ? `# ${error.hint}` : 'saxctl --log-level debug doctor';
      return { group, name, ...problem(redact(reasonOf(error)), hint) };
    }
  };
}
