# bash completion for saxctl; made by `saxctl completion bash`, do not edit

_saxctl_tables() {
  case $1 in
    '')
      commands=(
        'demo	run the whole system, private and throw-away, on this machine'
        'say	announce something in the room'
        'history	read what was said in the room'
        'doctor	check the live system and say what to change'
        'init	write a commented configuration and the parts of other servers'
        'sync-nicks	register every member’s username as a nickname'
        'auth	ejabberd’s external authentication on stdin and stdout'
        'webridge	say the site’s announcements in the room'
        'ircbridge	relay between the room and an IRC channel'
        'guard	let nobody look like a member in the room'
        'widget	write the chat widget’s files for the web server'
        'config	show or check the effective configuration'
        'completion	print shell completions'
        'help	print the help of a command'
      )
      flags=(
        '--version	print version, commit and Node, and end'
        '-c	configuration file (else $SAXCTL_CONFIG, $XDG_CONFIG_HOME/saxctl/saxctl.toml, /etc/saxctl/saxctl.toml)'
        '--config	configuration file (else $SAXCTL_CONFIG, $XDG_CONFIG_HOME/saxctl/saxctl.toml, /etc/saxctl/saxctl.toml)'
        '--log-level	how much is logged'
        '--log-format	form of the log (default: pretty on a terminal, journald under systemd, else json)'
        '-q	log errors only'
        '--quiet	log errors only'
        '--no-color	no colours (also NO_COLOR; FORCE_COLOR forces them)'
        '-h	print this help, and end'
        '--help	print this help, and end'
      )
      ;;
    'demo')
      commands=()
      flags=(
        '--once	send one line through every hop, print a check list with milliseconds, and stop'
        '--json	with --once: one JSON object'
        '-h	print this help, and end'
        '--help	print this help, and end'
        '--version	print version, commit and Node, and end'
        '-c	configuration file (else $SAXCTL_CONFIG, $XDG_CONFIG_HOME/saxctl/saxctl.toml, /etc/saxctl/saxctl.toml)'
        '--config	configuration file (else $SAXCTL_CONFIG, $XDG_CONFIG_HOME/saxctl/saxctl.toml, /etc/saxctl/saxctl.toml)'
        '--log-level	how much is logged'
        '--log-format	form of the log (default: pretty on a terminal, journald under systemd, else json)'
        '-q	log errors only'
        '--quiet	log errors only'
        '--no-color	no colours (also NO_COLOR; FORCE_COLOR forces them)'
      )
      ;;
    'say')
      commands=()
      flags=(
        '--type	what happened (list below); TEXT is then what it happened to'
        '--who	who did it'
        '--what	to what'
        '--where	where'
        '--url	http or https address of it'
        '--socket	socket of the webridge (default: [webridge] socket)'
        '--stdin	one announcement a line from standard input'
        '--wait	wait until the room has it (default 10000 ms); prints its stanza id and the milliseconds'
        '-h	print this help, and end'
        '--help	print this help, and end'
        '--version	print version, commit and Node, and end'
        '-c	configuration file (else $SAXCTL_CONFIG, $XDG_CONFIG_HOME/saxctl/saxctl.toml, /etc/saxctl/saxctl.toml)'
        '--config	configuration file (else $SAXCTL_CONFIG, $XDG_CONFIG_HOME/saxctl/saxctl.toml, /etc/saxctl/saxctl.toml)'
        '--log-level	how much is logged'
        '--log-format	form of the log (default: pretty on a terminal, journald under systemd, else json)'
        '-q	log errors only'
        '--quiet	log errors only'
        '--no-color	no colours (also NO_COLOR; FORCE_COLOR forces them)'
      )
      ;;
    'history')
      commands=()
      flags=(
        '--limit	the newest N lines (default: 50; all with --since); 0 with --follow: only new ones'
        '--since	not before: 2h, 3d (ago), or ISO 8601 (local time unless it names a zone)'
        '--until	not after: likewise'
        '--from	only what this nickname said, in the room or on IRC'
        '--grep	only texts that match this regular expression'
        '-i	letter case does not matter for --grep'
        '--ignore-case	letter case does not matter for --grep'
        '-f	go on printing what is said, until interrupted'
        '--follow	go on printing what is said, until interrupted'
        '--json	one JSON object a line: id, time, nick, text, kind (chat, announcement, irc, system)'
        '--room	another room than that of the configuration'
        '--as	log in with the account of this section'
        '-h	print this help, and end'
        '--help	print this help, and end'
        '--version	print version, commit and Node, and end'
        '-c	configuration file (else $SAXCTL_CONFIG, $XDG_CONFIG_HOME/saxctl/saxctl.toml, /etc/saxctl/saxctl.toml)'
        '--config	configuration file (else $SAXCTL_CONFIG, $XDG_CONFIG_HOME/saxctl/saxctl.toml, /etc/saxctl/saxctl.toml)'
        '--log-level	how much is logged'
        '--log-format	form of the log (default: pretty on a terminal, journald under systemd, else json)'
        '-q	log errors only'
        '--quiet	log errors only'
        '--no-color	no colours (also NO_COLOR; FORCE_COLOR forces them)'
      )
      ;;
    'doctor')
      commands=()
      flags=(
        '--url	address of the page with the chat: checks the web server too'
        '--ejabberd-yml	ejabberd’s configuration (default: /etc/ejabberd/ejabberd.yml)'
        '--nginx-conf	nginx’s configuration (default: what nginx -T says)'
        '--json	one JSON object: ok, counts, checks (name, group, status, message, repair)'
        '-h	print this help, and end'
        '--help	print this help, and end'
        '--version	print version, commit and Node, and end'
        '-c	configuration file (else $SAXCTL_CONFIG, $XDG_CONFIG_HOME/saxctl/saxctl.toml, /etc/saxctl/saxctl.toml)'
        '--config	configuration file (else $SAXCTL_CONFIG, $XDG_CONFIG_HOME/saxctl/saxctl.toml, /etc/saxctl/saxctl.toml)'
        '--log-level	how much is logged'
        '--log-format	form of the log (default: pretty on a terminal, journald under systemd, else json)'
        '-q	log errors only'
        '--quiet	log errors only'
        '--no-color	no colours (also NO_COLOR; FORCE_COLOR forces them)'
      )
      ;;
    'init')
      commands=()
      flags=(
        '--domain	the XMPP domain, for example chat.example.org (default: the first host of ejabberd.yml)'
        '--phpbb-config	the forum’s config.php: where its database is'
        '--ejabberd-yml	ejabberd’s configuration (default: /etc/ejabberd/ejabberd.yml)'
        '--irc	an IRC server, for example ircs://irc.libera.chat:6697 (repeatable)'
        '--channel	the IRC channel'
        '--irc-nick	the nickname on IRC (default: sax)'
        '--no-guard	without the guard of nicknames'
        '--web-group	the web server’s group (default: www-data)'
        '--server-name	the web site’s name, for nginx (default: the domain without “chat.”)'
        '--saxctl	how units and ejabberd start saxctl (default: where it is now)'
        '-y	ask nothing'
        '--yes	ask nothing'
        '--print	print instead of writing: everything, or one part'
        '--diff	compare what is there with what would be written; exit 1 when they differ'
        '-h	print this help, and end'
        '--help	print this help, and end'
        '--version	print version, commit and Node, and end'
        '-c	configuration file (else $SAXCTL_CONFIG, $XDG_CONFIG_HOME/saxctl/saxctl.toml, /etc/saxctl/saxctl.toml)'
        '--config	configuration file (else $SAXCTL_CONFIG, $XDG_CONFIG_HOME/saxctl/saxctl.toml, /etc/saxctl/saxctl.toml)'
        '--log-level	how much is logged'
        '--log-format	form of the log (default: pretty on a terminal, journald under systemd, else json)'
        '-q	log errors only'
        '--quiet	log errors only'
        '--no-color	no colours (also NO_COLOR; FORCE_COLOR forces them)'
      )
      ;;
    'sync-nicks')
      commands=()
      flags=(
        '--dry-run	change nothing; print what would be done'
        '--full	register everybody again, also who is known to be registered'
        '--user	only this member (repeatable)'
        '--prune	unregister those who are gone, renamed, deactivated or banned (default)'
        '--no-prune	leave their nicknames registered'
        '--concurrency	calls at once (default: 8 with via = "http", one per processor with "ctl")'
        '--verify	afterwards try to take N of the nicknames (default 20), and report those that were free'
        '--json	print the result as one JSON object'
        '-h	print this help, and end'
        '--help	print this help, and end'
        '--version	print version, commit and Node, and end'
        '-c	configuration file (else $SAXCTL_CONFIG, $XDG_CONFIG_HOME/saxctl/saxctl.toml, /etc/saxctl/saxctl.toml)'
        '--config	configuration file (else $SAXCTL_CONFIG, $XDG_CONFIG_HOME/saxctl/saxctl.toml, /etc/saxctl/saxctl.toml)'
        '--log-level	how much is logged'
        '--log-format	form of the log (default: pretty on a terminal, journald under systemd, else json)'
        '-q	log errors only'
        '--quiet	log errors only'
        '--no-color	no colours (also NO_COLOR; FORCE_COLOR forces them)'
      )
      ;;
    'auth')
      commands=()
      flags=(
        '--check	ask once whether USER may log in, and say why; the secret is prompted for or read from stdin'
        '--token	print a signed token for USER'
        '--ttl	how long the token is valid (with --token; default: 10m)'
        '--json	print the result as JSON (with --check or --token)'
        '-h	print this help, and end'
        '--help	print this help, and end'
        '--version	print version, commit and Node, and end'
        '-c	configuration file (else $SAXCTL_CONFIG, $XDG_CONFIG_HOME/saxctl/saxctl.toml, /etc/saxctl/saxctl.toml)'
        '--config	configuration file (else $SAXCTL_CONFIG, $XDG_CONFIG_HOME/saxctl/saxctl.toml, /etc/saxctl/saxctl.toml)'
        '--log-level	how much is logged'
        '--log-format	form of the log (default: pretty on a terminal, journald under systemd, else json)'
        '-q	log errors only'
        '--quiet	log errors only'
        '--no-color	no colours (also NO_COLOR; FORCE_COLOR forces them)'
      )
      ;;
    'webridge')
      commands=()
      flags=(
        '-h	print this help, and end'
        '--help	print this help, and end'
        '--version	print version, commit and Node, and end'
        '-c	configuration file (else $SAXCTL_CONFIG, $XDG_CONFIG_HOME/saxctl/saxctl.toml, /etc/saxctl/saxctl.toml)'
        '--config	configuration file (else $SAXCTL_CONFIG, $XDG_CONFIG_HOME/saxctl/saxctl.toml, /etc/saxctl/saxctl.toml)'
        '--log-level	how much is logged'
        '--log-format	form of the log (default: pretty on a terminal, journald under systemd, else json)'
        '-q	log errors only'
        '--quiet	log errors only'
        '--no-color	no colours (also NO_COLOR; FORCE_COLOR forces them)'
      )
      ;;
    'ircbridge')
      commands=()
      flags=(
        '-h	print this help, and end'
        '--help	print this help, and end'
        '--version	print version, commit and Node, and end'
        '-c	configuration file (else $SAXCTL_CONFIG, $XDG_CONFIG_HOME/saxctl/saxctl.toml, /etc/saxctl/saxctl.toml)'
        '--config	configuration file (else $SAXCTL_CONFIG, $XDG_CONFIG_HOME/saxctl/saxctl.toml, /etc/saxctl/saxctl.toml)'
        '--log-level	how much is logged'
        '--log-format	form of the log (default: pretty on a terminal, journald under systemd, else json)'
        '-q	log errors only'
        '--quiet	log errors only'
        '--no-color	no colours (also NO_COLOR; FORCE_COLOR forces them)'
      )
      ;;
    'guard')
      commands=()
      flags=(
        '-h	print this help, and end'
        '--help	print this help, and end'
        '--version	print version, commit and Node, and end'
        '-c	configuration file (else $SAXCTL_CONFIG, $XDG_CONFIG_HOME/saxctl/saxctl.toml, /etc/saxctl/saxctl.toml)'
        '--config	configuration file (else $SAXCTL_CONFIG, $XDG_CONFIG_HOME/saxctl/saxctl.toml, /etc/saxctl/saxctl.toml)'
        '--log-level	how much is logged'
        '--log-format	form of the log (default: pretty on a terminal, journald under systemd, else json)'
        '-q	log errors only'
        '--quiet	log errors only'
        '--no-color	no colours (also NO_COLOR; FORCE_COLOR forces them)'
      )
      ;;
    'widget')
      commands=()
      flags=(
        '--url	where the web server shows DIR'
        '--session	URL that answers {"user","password"} for the member who is logged in'
        '--snapshot	URL of the file that webridge writes (default: by [webridge] snapshot)'
        '--ws	URL of ejabberd’s WebSocket'
        '--bosh	URL of ejabberd’s BOSH'
        '--title	heading of the chat'
        '--force	replace files that have other content'
        '--json	print file, integrity and tags as one JSON object'
        '-h	print this help, and end'
        '--help	print this help, and end'
        '--version	print version, commit and Node, and end'
        '-c	configuration file (else $SAXCTL_CONFIG, $XDG_CONFIG_HOME/saxctl/saxctl.toml, /etc/saxctl/saxctl.toml)'
        '--config	configuration file (else $SAXCTL_CONFIG, $XDG_CONFIG_HOME/saxctl/saxctl.toml, /etc/saxctl/saxctl.toml)'
        '--log-level	how much is logged'
        '--log-format	form of the log (default: pretty on a terminal, journald under systemd, else json)'
        '-q	log errors only'
        '--quiet	log errors only'
        '--no-color	no colours (also NO_COLOR; FORCE_COLOR forces them)'
      )
      ;;
    'config')
      commands=()
      flags=(
        '--json	print JSON'
        '-h	print this help, and end'
        '--help	print this help, and end'
        '--version	print version, commit and Node, and end'
        '-c	configuration file (else $SAXCTL_CONFIG, $XDG_CONFIG_HOME/saxctl/saxctl.toml, /etc/saxctl/saxctl.toml)'
        '--config	configuration file (else $SAXCTL_CONFIG, $XDG_CONFIG_HOME/saxctl/saxctl.toml, /etc/saxctl/saxctl.toml)'
        '--log-level	how much is logged'
        '--log-format	form of the log (default: pretty on a terminal, journald under systemd, else json)'
        '-q	log errors only'
        '--quiet	log errors only'
        '--no-color	no colours (also NO_COLOR; FORCE_COLOR forces them)'
      )
      ;;
    'completion')
      commands=()
      flags=(
        '-h	print this help, and end'
        '--help	print this help, and end'
        '--version	print version, commit and Node, and end'
        '-c	configuration file (else $SAXCTL_CONFIG, $XDG_CONFIG_HOME/saxctl/saxctl.toml, /etc/saxctl/saxctl.toml)'
        '--config	configuration file (else $SAXCTL_CONFIG, $XDG_CONFIG_HOME/saxctl/saxctl.toml, /etc/saxctl/saxctl.toml)'
        '--log-level	how much is logged'
        '--log-format	form of the log (default: pretty on a terminal, journald under systemd, else json)'
        '-q	log errors only'
        '--quiet	log errors only'
        '--no-color	no colours (also NO_COLOR; FORCE_COLOR forces them)'
      )
      ;;
    'help')
      commands=()
      flags=(
        '--version	print version, commit and Node, and end'
        '-c	configuration file (else $SAXCTL_CONFIG, $XDG_CONFIG_HOME/saxctl/saxctl.toml, /etc/saxctl/saxctl.toml)'
        '--config	configuration file (else $SAXCTL_CONFIG, $XDG_CONFIG_HOME/saxctl/saxctl.toml, /etc/saxctl/saxctl.toml)'
        '--log-level	how much is logged'
        '--log-format	form of the log (default: pretty on a terminal, journald under systemd, else json)'
        '-q	log errors only'
        '--quiet	log errors only'
        '--no-color	no colours (also NO_COLOR; FORCE_COLOR forces them)'
        '-h	print this help, and end'
        '--help	print this help, and end'
      )
      ;;
  esac
}

_saxctl_takes_value() {
  case "$1:$2" in
    ':-c' | ':--config' | \
    ':--log-level' | \
    ':--log-format' | \
    'demo:-c' | 'demo:--config' | \
    'demo:--log-level' | \
    'demo:--log-format' | \
    'say:--type' | \
    'say:--who' | \
    'say:--what' | \
    'say:--where' | \
    'say:--url' | \
    'say:--socket' | \
    'say:-c' | 'say:--config' | \
    'say:--log-level' | \
    'say:--log-format' | \
    'history:--limit' | \
    'history:--since' | \
    'history:--until' | \
    'history:--from' | \
    'history:--grep' | \
    'history:--room' | \
    'history:--as' | \
    'history:-c' | 'history:--config' | \
    'history:--log-level' | \
    'history:--log-format' | \
    'doctor:--url' | \
    'doctor:--ejabberd-yml' | \
    'doctor:--nginx-conf' | \
    'doctor:-c' | 'doctor:--config' | \
    'doctor:--log-level' | \
    'doctor:--log-format' | \
    'init:--domain' | \
    'init:--phpbb-config' | \
    'init:--ejabberd-yml' | \
    'init:--irc' | \
    'init:--channel' | \
    'init:--irc-nick' | \
    'init:--web-group' | \
    'init:--server-name' | \
    'init:--saxctl' | \
    'init:-c' | 'init:--config' | \
    'init:--log-level' | \
    'init:--log-format' | \
    'sync-nicks:--user' | \
    'sync-nicks:--concurrency' | \
    'sync-nicks:-c' | 'sync-nicks:--config' | \
    'sync-nicks:--log-level' | \
    'sync-nicks:--log-format' | \
    'auth:--check' | \
    'auth:--token' | \
    'auth:--ttl' | \
    'auth:-c' | 'auth:--config' | \
    'auth:--log-level' | \
    'auth:--log-format' | \
    'webridge:-c' | 'webridge:--config' | \
    'webridge:--log-level' | \
    'webridge:--log-format' | \
    'ircbridge:-c' | 'ircbridge:--config' | \
    'ircbridge:--log-level' | \
    'ircbridge:--log-format' | \
    'guard:-c' | 'guard:--config' | \
    'guard:--log-level' | \
    'guard:--log-format' | \
    'widget:--url' | \
    'widget:--session' | \
    'widget:--snapshot' | \
    'widget:--ws' | \
    'widget:--bosh' | \
    'widget:--title' | \
    'widget:-c' | 'widget:--config' | \
    'widget:--log-level' | \
    'widget:--log-format' | \
    'config:-c' | 'config:--config' | \
    'config:--log-level' | \
    'config:--log-format' | \
    'completion:-c' | 'completion:--config' | \
    'completion:--log-level' | \
    'completion:--log-format' | \
    'help:-c' | 'help:--config' | \
    'help:--log-level' | \
    'help:--log-format') return 0 ;;
  esac
  return 1
}

# What may follow a flag: fills candidates, or says in files that the shell knows better.
_saxctl_value() {
  case "$1:$2" in
    ':-c' | ':--config') files=files ;;
    ':--log-level') candidates=('error' 'warn' 'info' 'debug') ;;
    ':--log-format') candidates=('pretty' 'json' 'journald') ;;
    'demo:-c' | 'demo:--config') files=files ;;
    'demo:--log-level') candidates=('error' 'warn' 'info' 'debug') ;;
    'demo:--log-format') candidates=('pretty' 'json' 'journald') ;;
    'say:--type') : ;;
    'say:--who') : ;;
    'say:--what') : ;;
    'say:--where') : ;;
    'say:--url') : ;;
    'say:--socket') files=files ;;
    'say:--wait') : ;;
    'say:-c' | 'say:--config') files=files ;;
    'say:--log-level') candidates=('error' 'warn' 'info' 'debug') ;;
    'say:--log-format') candidates=('pretty' 'json' 'journald') ;;
    'history:--limit') : ;;
    'history:--since') : ;;
    'history:--until') : ;;
    'history:--from') : ;;
    'history:--grep') : ;;
    'history:--room') : ;;
    'history:--as') candidates=('webridge' 'ircbridge' 'guard') ;;
    'history:-c' | 'history:--config') files=files ;;
    'history:--log-level') candidates=('error' 'warn' 'info' 'debug') ;;
    'history:--log-format') candidates=('pretty' 'json' 'journald') ;;
    'doctor:--url') : ;;
    'doctor:--ejabberd-yml') files=files ;;
    'doctor:--nginx-conf') files=files ;;
    'doctor:-c' | 'doctor:--config') files=files ;;
    'doctor:--log-level') candidates=('error' 'warn' 'info' 'debug') ;;
    'doctor:--log-format') candidates=('pretty' 'json' 'journald') ;;
    'init:--domain') : ;;
    'init:--phpbb-config') files=files ;;
    'init:--ejabberd-yml') files=files ;;
    'init:--irc') : ;;
    'init:--channel') : ;;
    'init:--irc-nick') : ;;
    'init:--web-group') : ;;
    'init:--server-name') : ;;
    'init:--saxctl') candidates=('demo' 'say' 'history' 'doctor' 'init' 'sync-nicks' 'auth' 'webridge' 'ircbridge' 'guard' 'widget' 'config' 'completion') ;;
    'init:--print') candidates=('toml' 'ejabberd' 'nick-module' 'nginx' 'systemd' 'cron' 'sql') ;;
    'init:-c' | 'init:--config') files=files ;;
    'init:--log-level') candidates=('error' 'warn' 'info' 'debug') ;;
    'init:--log-format') candidates=('pretty' 'json' 'journald') ;;
    'sync-nicks:--user') : ;;
    'sync-nicks:--concurrency') : ;;
    'sync-nicks:--verify') : ;;
    'sync-nicks:-c' | 'sync-nicks:--config') files=files ;;
    'sync-nicks:--log-level') candidates=('error' 'warn' 'info' 'debug') ;;
    'sync-nicks:--log-format') candidates=('pretty' 'json' 'journald') ;;
    'auth:--check') : ;;
    'auth:--token') : ;;
    'auth:--ttl') : ;;
    'auth:-c' | 'auth:--config') files=files ;;
    'auth:--log-level') candidates=('error' 'warn' 'info' 'debug') ;;
    'auth:--log-format') candidates=('pretty' 'json' 'journald') ;;
    'webridge:-c' | 'webridge:--config') files=files ;;
    'webridge:--log-level') candidates=('error' 'warn' 'info' 'debug') ;;
    'webridge:--log-format') candidates=('pretty' 'json' 'journald') ;;
    'ircbridge:-c' | 'ircbridge:--config') files=files ;;
    'ircbridge:--log-level') candidates=('error' 'warn' 'info' 'debug') ;;
    'ircbridge:--log-format') candidates=('pretty' 'json' 'journald') ;;
    'guard:-c' | 'guard:--config') files=files ;;
    'guard:--log-level') candidates=('error' 'warn' 'info' 'debug') ;;
    'guard:--log-format') candidates=('pretty' 'json' 'journald') ;;
    'widget:--url') files=files ;;
    'widget:--session') files=files ;;
    'widget:--snapshot') files=files ;;
    'widget:--ws') files=files ;;
    'widget:--bosh') files=files ;;
    'widget:--title') : ;;
    'widget:-c' | 'widget:--config') files=files ;;
    'widget:--log-level') candidates=('error' 'warn' 'info' 'debug') ;;
    'widget:--log-format') candidates=('pretty' 'json' 'journald') ;;
    'config:-c' | 'config:--config') files=files ;;
    'config:--log-level') candidates=('error' 'warn' 'info' 'debug') ;;
    'config:--log-format') candidates=('pretty' 'json' 'journald') ;;
    'completion:-c' | 'completion:--config') files=files ;;
    'completion:--log-level') candidates=('error' 'warn' 'info' 'debug') ;;
    'completion:--log-format') candidates=('pretty' 'json' 'journald') ;;
    'help:-c' | 'help:--config') files=files ;;
    'help:--log-level') candidates=('error' 'warn' 'info' 'debug') ;;
    'help:--log-format') candidates=('pretty' 'json' 'journald') ;;
    *) return 1 ;;
  esac
}

_saxctl_position() {
  case "$1:$2" in
    'say:'*) : ;;
    'doctor:'*) candidates=('config' 'database' 'ejabberd' 'auth' 'room' 'socket' 'irc' 'web' 'clock' 'versions') ;;
    'init:0') files=directories ;;
    'widget:0') files=directories ;;
    'config:0') candidates=('show' 'check') ;;
    'config:'*) candidates=('database.host' 'database.port' 'database.socket' 'database.user' 'database.password' 'database.name' 'database.table_prefix' 'database.board' 'database.charset' 'xmpp.service' 'xmpp.domain' 'xmpp.muc_service' 'xmpp.room' 'xmpp.tls_ca' 'ejabberd.via' 'ejabberd.ctl' 'ejabberd.api_url' 'ejabberd.api_token' 'ejabberd.api_user' 'ejabberd.api_password' 'auth.sid_pattern' 'auth.token_key' 'auth.token_key_previous' 'auth.timeout_ms' 'webridge.jid' 'webridge.password' 'webridge.nick' 'webridge.socket' 'webridge.socket_mode' 'webridge.socket_group' 'webridge.spool' 'webridge.entities' 'webridge.snapshot' 'webridge.snapshot_lines' 'ircbridge.jid' 'ircbridge.password' 'ircbridge.nick' 'ircbridge.to_irc' 'ircbridge.to_room' 'ircbridge.ignore' 'ircbridge.catch_up' 'ircbridge.joins' 'ircbridge.highlight' 'ircbridge.colours' 'irc.servers' 'irc.nick' 'irc.username' 'irc.realname' 'irc.channel' 'irc.channel_key' 'irc.sasl_user' 'irc.sasl_password' 'irc.nickserv_password' 'irc.client_cert' 'irc.flood_burst' 'irc.flood_interval_ms' 'irc.tls_ca' 'guard.jid' 'guard.password' 'guard.nick' 'guard.guest_domain' 'guard.end_with_session' 'state.dir' 'metrics.listen') ;;
    'completion:0') candidates=('bash' 'zsh' 'fish') ;;
    'help:0') candidates=('demo' 'say' 'history' 'doctor' 'init' 'sync-nicks' 'auth' 'webridge' 'ircbridge' 'guard' 'widget' 'config' 'completion') ;;
    *) return 1 ;;
  esac
}

_saxctl() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
  local path='' position=0 index word files='' flags=() commands=() candidates=()
  COMPREPLY=()
  # "--flag=value" arrives as three words, since = breaks words.
  if [[ $cur == = ]]; then cur=''; elif [[ $prev == = ]]; then prev=${COMP_WORDS[COMP_CWORD - 2]}; fi

  _saxctl_tables ''
  local only_words=''
  for ((index = 1; index < COMP_CWORD; index++)); do
    word=${COMP_WORDS[index]}
    if [[ -n $only_words ]]; then ((position++)); continue; fi
    case $word in
      --) only_words=1; continue ;;
      =) ((index++)); continue ;;
      -*)
        if [[ ${COMP_WORDS[index + 1]} != = ]] && _saxctl_takes_value "$path" "$word"; then ((index++)); fi
        continue ;;
    esac
    local child found=''
    if ((position == 0)); then
      for child in "${commands[@]}"; do
        if [[ ${child%%$'\t'*} == "$word" ]]; then found=1; break; fi
      done
    fi
    if [[ -n $found ]]; then
      path=${path:+$path }$word
      _saxctl_tables "$path"
    else
      ((position++))
    fi
  done

  if [[ -z $only_words && $prev == -* ]] && _saxctl_value "$path" "$prev"; then
    :
  elif [[ -z $only_words && $cur == -* ]]; then
    candidates=("${flags[@]}")
  elif ((position == 0 && ${#commands[@]} > 0)); then
    candidates=("${commands[@]}")
  else
    _saxctl_position "$path" "$position" || return 0
  fi

  if [[ $files == directories ]]; then compopt -o dirnames; return 0; fi
  if [[ $files == files ]]; then compopt -o default; return 0; fi

  local matching=() width=0 text
  for word in "${candidates[@]}"; do
    text=${word%%$'\t'*}
    [[ $text == "$cur"* ]] || continue
    matching+=("$word")
    ((${#text} > width)) && width=${#text}
  done
  compopt -o nosort 2>/dev/null
  # Menu completion (37) and insert-all (42) put the candidates on the line as they are.
  if ((${#matching[@]} == 1 || COMP_TYPE == 37 || COMP_TYPE == 42)); then
    COMPREPLY=("${matching[@]%%$'\t'*}")
    return 0
  fi
  for word in "${matching[@]}"; do
    text=${word%%$'\t'*}
    if [[ $word == *$'\t'?* ]]; then
      printf -v text "%-${width}s  (%s)" "$text" "${word#*$'\t'}"
      ((${#text} >= ${COLUMNS:-80})) && text="${text:0:${COLUMNS:-80}-2}…"
    fi
    COMPREPLY+=("$text")
  done
}

complete -F _saxctl saxctl
