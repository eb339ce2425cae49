/**
 * What ejabberd has to be told, each line with its why. One text for the private stack (tests, demo) and for what
 * `saxctl init` writes, so that what is tested is what is shipped.
 */

export type EjabberdSite = {
  readonly domain: string;
  readonly mucService: string;
  /** Shell words of the external authentication program, already quoted for `sh -c "exec …"`. */
  readonly extauthProgram: string;
  readonly extauthPoolSize: number;
  /** Bare JIDs of our bots: no traffic limit, may create rooms. */
  readonly bots: readonly string[];
  /** Bare JID of the guard, owner of every room; none: no guard. */
  readonly guard: string | undefined;
  readonly c2sPort: number;
  readonly httpPort: number;
  /** A further port with TLS from the first byte (XEP-0368), for bots on another machine; `pem` holds certificate and key. */
  readonly directTls?: { readonly port: number; readonly pem: string };
  /** Where the archive lives. */
  readonly sql: {
    readonly host: string;
    readonly port: number;
    readonly database: string;
    readonly user: string;
    readonly password: string;
  };
  /** Nobody speaks without voice, which the guard gives after his check. */
  readonly moderated: boolean;
  /**
   * share/ejabberd/mod_sax_nick: members can have no other nickname than their registered one. In what is shipped it is
   * commented out: it must be compiled first, and ejabberd does not start with a module that is not there.
   */
  readonly nickModule?: 'loaded' | 'commented' | undefined;
  /** Behind nginx every browser has nginx' address: without this the ban on wrong passwords would lock out everybody. */
  readonly failToBan: boolean;
  /** Further API commands that loopback may call without a password (the private stack's own administration). */
  readonly furtherCommands?: readonly string[];
};

/** A part of ejabberd.yml: `text` is YAML at top level. */
export type EjabberdPart = { readonly title: string; readonly text: string };

const quoted = (text: string): string => JSON.stringify(text);
const items = (indent: string, list: readonly string[]): string =>
  list.map((item) => `${indent}- ${quoted(item)}`).join('\n');

/** Every part in the order of the file. */
export function ejabberdParts(site: EjabberdSite): EjabberdPart[] {
  return [
    { title: 'Domain', text: `hosts:\n  - ${quoted(site.domain)}` },
    { title: 'Login by the forum', text: authentication(site) },
    { title: 'Archive in MySQL or MariaDB', text: database(site) },
    { title: 'Ports, all on loopback: nginx is what the world sees', text: listeners(site) },
    { title: 'Who may what', text: rules(site) },
    { title: 'Modules', text: modules(site) },
  ];
}

/** The parts as one file, each under its title. */
export function ejabberdYml(site: EjabberdSite): string {
  return ejabberdParts(site)
    .map(({ title, text }) => `## ${title}\n${text}\n`)
    .join('\n');
}

function authentication(site: EjabberdSite): string {
  return `auth_method: [external]
extauth_program: ${quoted(site.extauthProgram)}
# One process answers one question at a time; two keep a slow query from stopping everybody.
extauth_pool_size: ${site.extauthPoolSize}
# With the cache (on by default) an ended session still logs in for an hour, and a new session id is refused unasked.
auth_use_cache: false
# External authentication needs the secret itself, so PLAIN is the one mechanism; passwords go over TLS or loopback only.
disable_sasl_mechanisms: ["DIGEST-MD5", "X-OAUTH2"]`;
}

function database({ sql }: EjabberdSite): string {
  return `# Mnesia's archive slows down with every line and loses the last ones when the server is killed.
sql_type: mysql
sql_server: ${quoted(sql.host)}
sql_port: ${sql.port}
sql_database: ${quoted(sql.database)}
sql_username: ${quoted(sql.user)}
sql_password: ${quoted(sql.password)}
sql_pool_size: 2
# After an outage of the database: try again soon (30 s by default, and lines said meanwhile are not archived).
sql_start_interval: 1`;
}

function listeners(site: EjabberdSite): string {
  const tls =
    site.directTls === undefined
      ? ''
      : `
  -
    # Bots on another machine: TLS from the first byte.
    port: ${site.directTls.port}
    ip: "127.0.0.1"
    module: ejabberd_c2s
    tls: true
    max_stanza_size: 65536
    shaper: c2s_shaper
    access: c2s`;
  const certificates = site.directTls === undefined ? '' : `certfiles:\n  - ${quoted(site.directTls.pem)}\n`;
  return `${certificates}listen:
  -
    # Bots on the same machine. Browsers never come here.
    port: ${site.c2sPort}
    ip: "127.0.0.1"
    module: ejabberd_c2s
    # A password of 65.5 kB or more would not fit a question to the authentication program and end it.
    max_stanza_size: 65536
    shaper: c2s_shaper
    access: c2s${tls}
  -
    # nginx passes /bosh and /ws on, never /api: all the world would count as loopback.
    port: ${site.httpPort}
    ip: "127.0.0.1"
    module: ejabberd_http
    request_handlers:
      /bosh: mod_bosh
      /ws: ejabberd_http_ws
      /api: mod_http_api
# A second belt against proxies that close what is silent.
websocket_ping_interval: 30`;
}

function rules(site: EjabberdSite): string {
  const commands = ['muc_register_nick', 'muc_unregister_nick', ...(site.furtherCommands ?? [])];
  const guard = site.guard === undefined ? '' : `\n  saxguard:\n    user:\n      - ${quoted(site.guard)}`;
  return `acl:
  saxbots:
    user:
${items('      ', site.bots)}${guard}
access_rules:
  c2s:
    allow: all
  muc_create:
    allow: saxbots${guard === '' ? '' : '\n  muc_admin:\n    allow: saxguard'}
api_permissions:
  "console commands":
    from: [ejabberd_ctl]
    who: all
    what: "*"
  # sync-nicks over HTTP, from this machine only and nothing but this.
  "saxctl":
    from: mod_http_api
    who:
      ip: "127.0.0.1/8"
    what:
${items('      ', commands)}
shaper:
  normal:
    rate: 3000
    burst_size: 20000
shaper_rules:
  max_user_sessions: 20
  # A bot speaks for many: at 3 kB/s it would fall behind by minutes.
  c2s_shaper:
    none: saxbots
    normal: all`;
}

function modules(site: EjabberdSite): string {
  const owner =
    site.guard === undefined
      ? ''
      : `
    # The guard owns every room, also one made anew. Never a bridge: an owner of all may speak without being inside, so a
    # lost seat would go unnoticed.
    access_admin: muc_admin`;
  return `modules:
  mod_adhoc: {}
  mod_admin_extra: {}
  mod_bosh: {}
  mod_disco: {}${
    site.failToBan
      ? '\n  # Needs X-Forwarded-For by nginx and trusted_proxies, else 20 expired sessions lock out the whole site.\n  mod_fail2ban: {}'
      : ''
  }
  mod_http_api: {}
  mod_mam:
    db_type: sql
    default: never
    assume_mam_usage: true
    request_activates_archiving: false
    # A room that is destroyed by mistake and made again still has its history, and the bridges can tell what was said.
    clear_archive_on_room_destroy: false
  mod_muc:
    host: ${quoted(site.mucService)}
    access: all
    access_create: muc_create
    access_persistent: muc_create${owner}
    access_mam: all
    # Nicknames are registered by sync-nicks alone: a member could take another's name before his first sync.
    access_register: none
    # One bot, one widget: rooms for a whole community.
    max_users: 1000
    # Here and not only in the room: what was changed shortly before a crash is lost, and the room is made anew with these.
    default_room_options:
      persistent: true
      mam: true
      public: true
      allow_change_subj: false
      allow_private_messages: true
      max_users: 1000
      moderated: ${site.moderated}
      members_by_default: ${!site.moderated}${
        site.moderated
          ? `
      # Who has not been looked at by the guard can do nothing that others would see.
      allow_visitor_nickchange: false
      allow_visitor_status: false
      allow_private_messages_from_visitors: nobody
      allow_voice_requests: false`
          : ''
      }
    history_size: 30
  mod_muc_admin: {}
${nickModule(site)}  mod_ping:
    send_pings: false
  mod_stream_mgmt:
    # A page that is left, or a phone asleep, keeps its seat this long.
    resume_timeout: 60
    resend_on_timeout: if_offline
  mod_version:
    show_os: false`;
}

function nickModule(site: EjabberdSite): string {
  if (site.nickModule === undefined) return '';
  const lines = ['mod_sax_nick:', '  exempt:', '    allow: saxbots'];
  const sign = site.nickModule === 'loaded' ? '' : '# ';
  return `  # The module that goes with the guard: who has voice cannot change his nickname and speak in the same packet. Bots may.
${lines.map((line) => `  ${sign}${line}\n`).join('')}`;
}
