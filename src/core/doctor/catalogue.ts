/**
 * Every check of doctor by group, in the order in which they run, with the question that it answers. The one list: the
 * program can name no other (by type), docs/doctor.md holds the same, and a test has seen each of them red and green.
 */
export const CATALOGUE = {
  config: {
    'config.valid': 'is the configuration one that every command takes?',
    'config.complete': 'is everything set without which the site cannot work?',
    'config.secrets': 'can every file with a secret be read?',
    'config.file-mode': 'can others read the secrets in saxctl.toml?',
    'config.directory-mode': 'can others put another saxctl.toml in its place?',
    'config.warnings': 'is a variable set that no key belongs to, or a secret where it is seen?',
    'config.token-key': 'are tokens signed, with a key that cannot be guessed?',
    'config.domains': 'are the bots of the chat’s domain, each with an account of its own?',
  },
  database: {
    'database.connect': 'does the forum’s database answer?',
    'database.tables': 'can the tables be read that logins and nicknames come from?',
    'database.rights': 'may the account do more than read?',
    'database.indexes': 'are sessions and members found without reading the whole table?',
    'database.session-table': 'is one session found fast, among how many?',
    'database.localparts': 'has every member a JID, and nobody else the same?',
  },
  ejabberd: {
    'ejabberd.yml': 'is ejabberd.yml YAML?',
    'ejabberd.auth-method': 'does ejabberd ask an external program?',
    'ejabberd.auth-program': 'is it saxctl auth, in a place that ejabberd’s service can see?',
    'ejabberd.auth-cache': 'is every login asked anew?',
    'ejabberd.pool-size': 'do enough programs answer, and not too many?',
    'ejabberd.sasl': 'is PLAIN the one way to log in?',
    'ejabberd.stanza-size': 'can a long password end the authentication programs?',
    'ejabberd.websocket': 'does ejabberd ping before a proxy loses patience?',
    'ejabberd.listeners': 'are HTTP and API on loopback only?',
    'ejabberd.api-rights': 'may the API register nicknames, and not everything?',
    'ejabberd.shaper': 'are the bots free of the limit of 3 kB/s?',
    'ejabberd.fail2ban': 'could wrong passwords lock out the whole site?',
    'ejabberd.log-level': 'are session ids written to the log?',
    'muc.register': 'are nicknames registered by sync-nicks alone?',
    'muc.create': 'who may open rooms?',
    'muc.admin': 'does a bridge speak without being in the room?',
    'muc.room-defaults': 'does a room that is made anew keep archive and persistence?',
    'muc.max-users': 'how many may be in a room?',
    'archive.module': 'is there an archive, and does it survive a kill?',
    'archive.sql-restart': 'does the archive come back soon after its database?',
    'ejabberd.resume': 'how long does a lost client keep its nickname?',
    'ejabberd.running': 'does ejabberd run?',
    'ejabberd.nick-command': 'does ejabberdctl know the command that registers nicknames?',
    'ejabberd.locale': 'would cron’s sync-nicks register names beyond ASCII as garbage?',
    'ejabberd.api': 'does the API take nicknames from this machine? (with via = "http")',
    'ejabberd.apparmor': 'may ejabberd’s service start Node?',
    'ejabberd.port-mapper': 'is Erlang’s port mapper open to the network?',
  },
  auth: {
    'auth.rules': 'does saxctl auth itself let the bots in, and a made-up session not?',
    'auth.login-webridge': 'does this bot log in, all the way through ejabberd and saxctl auth?',
    'auth.login-ircbridge': 'does this bot log in?',
    'auth.login-guard': 'does this bot log in?',
    'auth.refusal': 'is a wrong password refused?',
  },
  room: {
    'room.exists': 'is there a room?',
    'room.options': 'is it archived, persistent, open to members, moderated for the guard?',
    'room.affiliations': 'is the guard its owner, and no bot banned?',
    'room.nicknames': 'has somebody else a bot’s nickname?',
    'room.nick-module': 'does ejabberd itself hold members to their nickname? (with a guard)',
    'room.archive': 'does its archive answer?',
  },
  socket: {
    'socket.directory': 'can others put a socket of theirs in its place?',
    'socket.listens': 'does webridge listen, with mode and group as configured?',
    'socket.queue': 'how many announcements does the kernel keep?',
    'socket.spool': 'is what the site says kept while nobody listens?',
    'state.directory': 'can outboxes be kept, and by nobody else changed?',
    'metrics.health': 'does the daemon with this address do its job?',
  },
  irc: {
    'irc.names': 'are nickname and channel such as IRC allows?',
    'irc.server-N': 'does this server answer, with a right certificate, SASL where needed, and room for our names?',
    'irc.servers': 'can at least one server be used?',
  },
  web: {
    'web.websocket-timeout': 'does nginx close a quiet WebSocket?',
    'web.bosh-timeout': 'does nginx cut a held BOSH poll?',
    'web.forwarded-for': 'does ejabberd see the browsers’ own addresses?',
    'web.certificate': 'is the certificate valid, and for how long?',
    'web.http2': 'can many tabs be open at once?',
    'web.websocket': 'does /ws reach ejabberd?',
    'web.bosh': 'does /bosh reach ejabberd?',
    'web.api': 'is the API closed to the world?',
  },
  clock: {
    'clock.database': 'has the database the same time?',
    'clock.web': 'has the web server the same time?',
  },
  versions: {
    'versions.node': 'is Node new enough?',
    'versions.native': 'do UNIX datagrams work?',
    'versions.ejabberd': 'is ejabberd one that is known to work?',
    'versions.database': 'is the database still maintained?',
    'versions.forum': 'was this phpBB ever tried?',
  },
} as const;

export type GroupName = keyof typeof CATALOGUE;

type Listed = { [Group in GroupName]: keyof (typeof CATALOGUE)[Group] }[GroupName];

/** The servers are numbered as they are configured. */
export type CheckName = Exclude<Listed, 'irc.server-N'> | `irc.server-${number}`;

export const GROUP_NAMES = Object.keys(CATALOGUE) as readonly GroupName[];
