# fish completion for saxctl; made by `saxctl completion fish`, do not edit

# The command that the line names so far, for example "config show".
function __saxctl_path
    set -l words (commandline -opc)
    set -e words[1]
    set -l path
    set -l skip 0
    for word in $words
        if test $skip = 1
            set skip 0
            continue
        end
        if contains -- $word -c --config --log-level --log-format
            set skip 1
            continue
        end
        string match -q -- '-*' $word; and continue
        set -l longer (string join ' ' -- $path $word)
        contains -- "$longer" 'demo' 'say' 'history' 'doctor' 'init' 'sync-nicks' 'auth' 'webridge' 'ircbridge' 'guard' 'widget' 'config' 'completion' 'help'; or break
        set path $path $word
    end
    string join ' ' -- $path
end

function __saxctl_at
    test "$(__saxctl_path | string collect)" = "$argv[1]"
end

# Flags of a command are accepted behind every command below it.
function __saxctl_below
    test -z "$argv[1]"; and return 0
    string match -q -- "$argv[1] *" "$(__saxctl_path | string collect) "
end

complete -c saxctl -f
complete -c saxctl -n '__saxctl_at ""' -a 'demo' -d 'run the whole system, private and throw-away, on this machine'
complete -c saxctl -n '__saxctl_at ""' -a 'say' -d 'announce something in the room'
complete -c saxctl -n '__saxctl_at ""' -a 'history' -d 'read what was said in the room'
complete -c saxctl -n '__saxctl_at ""' -a 'doctor' -d 'check the live system and say what to change'
complete -c saxctl -n '__saxctl_at ""' -a 'init' -d 'write a commented configuration and the parts of other servers'
complete -c saxctl -n '__saxctl_at ""' -a 'sync-nicks' -d 'register every member’s username as a nickname'
complete -c saxctl -n '__saxctl_at ""' -a 'auth' -d 'ejabberd’s external authentication on stdin and stdout'
complete -c saxctl -n '__saxctl_at ""' -a 'webridge' -d 'say the site’s announcements in the room'
complete -c saxctl -n '__saxctl_at ""' -a 'ircbridge' -d 'relay between the room and an IRC channel'
complete -c saxctl -n '__saxctl_at ""' -a 'guard' -d 'let nobody look like a member in the room'
complete -c saxctl -n '__saxctl_at ""' -a 'widget' -d 'write the chat widget’s files for the web server'
complete -c saxctl -n '__saxctl_at ""' -a 'config' -d 'show or check the effective configuration'
complete -c saxctl -n '__saxctl_at ""' -a 'completion' -d 'print shell completions'
complete -c saxctl -n '__saxctl_at ""' -a 'help' -d 'print the help of a command'
complete -c saxctl -n '__saxctl_below ""' -l version -d 'print version, commit and Node, and end'
complete -c saxctl -n '__saxctl_below ""' -s c -l config -x -a '(__fish_complete_path (commandline -ct))' -d 'configuration file (else $SAXCTL_CONFIG, $XDG_CONFIG_HOME/saxctl/saxctl.toml, /etc/saxctl/saxctl.toml)'
complete -c saxctl -n '__saxctl_below ""' -l log-level -x -a 'error warn info debug' -d 'how much is logged'
complete -c saxctl -n '__saxctl_below ""' -l log-format -x -a 'pretty json journald' -d 'form of the log (default: pretty on a terminal, journald under systemd, else json)'
complete -c saxctl -n '__saxctl_below ""' -s q -l quiet -d 'log errors only'
complete -c saxctl -n '__saxctl_below ""' -l no-color -d 'no colours (also NO_COLOR; FORCE_COLOR forces them)'
complete -c saxctl -n '__saxctl_below ""' -s h -l help -d 'print this help, and end'
complete -c saxctl -n '__saxctl_below \'demo\'' -l once -d 'send one line through every hop, print a check list with milliseconds, and stop'
complete -c saxctl -n '__saxctl_below \'demo\'' -l json -d 'with --once: one JSON object'
complete -c saxctl -n '__saxctl_below \'demo\'' -s h -l help -d 'print this help, and end'
complete -c saxctl -n '__saxctl_below \'say\'' -l type -x  -d 'what happened (list below); TEXT is then what it happened to'
complete -c saxctl -n '__saxctl_below \'say\'' -l who -x  -d 'who did it'
complete -c saxctl -n '__saxctl_below \'say\'' -l what -x  -d 'to what'
complete -c saxctl -n '__saxctl_below \'say\'' -l where -x  -d 'where'
complete -c saxctl -n '__saxctl_below \'say\'' -l url -x  -d 'http or https address of it'
complete -c saxctl -n '__saxctl_below \'say\'' -l socket -x -a '(__fish_complete_path (commandline -ct))' -d 'socket of the webridge (default: [webridge] socket)'
complete -c saxctl -n '__saxctl_below \'say\'' -l stdin -d 'one announcement a line from standard input'
complete -c saxctl -n '__saxctl_below \'say\'' -l wait -d 'wait until the room has it (default 10000 ms); prints its stanza id and the milliseconds'
complete -c saxctl -n '__saxctl_below \'say\'' -s h -l help -d 'print this help, and end'
complete -c saxctl -n '__saxctl_below \'history\'' -l limit -x  -d 'the newest N lines (default: 50; all with --since); 0 with --follow: only new ones'
complete -c saxctl -n '__saxctl_below \'history\'' -l since -x  -d 'not before: 2h, 3d (ago), or ISO 8601 (local time unless it names a zone)'
complete -c saxctl -n '__saxctl_below \'history\'' -l until -x  -d 'not after: likewise'
complete -c saxctl -n '__saxctl_below \'history\'' -l from -x  -d 'only what this nickname said, in the room or on IRC'
complete -c saxctl -n '__saxctl_below \'history\'' -l grep -x  -d 'only texts that match this regular expression'
complete -c saxctl -n '__saxctl_below \'history\'' -s i -l ignore-case -d 'letter case does not matter for --grep'
complete -c saxctl -n '__saxctl_below \'history\'' -s f -l follow -d 'go on printing what is said, until interrupted'
complete -c saxctl -n '__saxctl_below \'history\'' -l json -d 'one JSON object a line: id, time, nick, text, kind (chat, announcement, irc, system)'
complete -c saxctl -n '__saxctl_below \'history\'' -l room -x  -d 'another room than that of the configuration'
complete -c saxctl -n '__saxctl_below \'history\'' -l as -x -a 'webridge ircbridge guard' -d 'log in with the account of this section'
complete -c saxctl -n '__saxctl_below \'history\'' -s h -l help -d 'print this help, and end'
complete -c saxctl -n '__saxctl_below \'doctor\'' -l url -x  -d 'address of the page with the chat: checks the web server too'
complete -c saxctl -n '__saxctl_below \'doctor\'' -l ejabberd-yml -x -a '(__fish_complete_path (commandline -ct))' -d 'ejabberd’s configuration (default: /etc/ejabberd/ejabberd.yml)'
complete -c saxctl -n '__saxctl_below \'doctor\'' -l nginx-conf -x -a '(__fish_complete_path (commandline -ct))' -d 'nginx’s configuration (default: what nginx -T says)'
complete -c saxctl -n '__saxctl_below \'doctor\'' -l json -d 'one JSON object: ok, counts, checks (name, group, status, message, repair)'
complete -c saxctl -n '__saxctl_below \'doctor\'' -s h -l help -d 'print this help, and end'
complete -c saxctl -n '__saxctl_at \'doctor\'' -a 'config database ejabberd auth room socket irc web clock versions'
complete -c saxctl -n '__saxctl_below \'init\'' -l domain -x  -d 'the XMPP domain, for example chat.example.org (default: the first host of ejabberd.yml)'
complete -c saxctl -n '__saxctl_below \'init\'' -l phpbb-config -x -a '(__fish_complete_path (commandline -ct))' -d 'the forum’s config.php: where its database is'
complete -c saxctl -n '__saxctl_below \'init\'' -l ejabberd-yml -x -a '(__fish_complete_path (commandline -ct))' -d 'ejabberd’s configuration (default: /etc/ejabberd/ejabberd.yml)'
complete -c saxctl -n '__saxctl_below \'init\'' -l irc -x  -d 'an IRC server, for example ircs://irc.libera.chat:6697 (repeatable)'
complete -c saxctl -n '__saxctl_below \'init\'' -l channel -x  -d 'the IRC channel'
complete -c saxctl -n '__saxctl_below \'init\'' -l irc-nick -x  -d 'the nickname on IRC (default: sax)'
complete -c saxctl -n '__saxctl_below \'init\'' -l no-guard -d 'without the guard of nicknames'
complete -c saxctl -n '__saxctl_below \'init\'' -l web-group -x  -d 'the web server’s group (default: www-data)'
complete -c saxctl -n '__saxctl_below \'init\'' -l server-name -x  -d 'the web site’s name, for nginx (default: the domain without “chat.”)'
complete -c saxctl -n '__saxctl_below \'init\'' -l saxctl -x -a 'demo say history doctor init sync-nicks auth webridge ircbridge guard widget config completion' -d 'how units and ejabberd start saxctl (default: where it is now)'
complete -c saxctl -n '__saxctl_below \'init\'' -s y -l yes -d 'ask nothing'
complete -c saxctl -n '__saxctl_below \'init\'' -l print -d 'print instead of writing: everything, or one part'
complete -c saxctl -n '__saxctl_below \'init\'' -l diff -d 'compare what is there with what would be written; exit 1 when they differ'
complete -c saxctl -n '__saxctl_below \'init\'' -s h -l help -d 'print this help, and end'
complete -c saxctl -n '__saxctl_at \'init\'' -a '(__fish_complete_directories (commandline -ct))'
complete -c saxctl -n '__saxctl_below \'sync-nicks\'' -l dry-run -d 'change nothing; print what would be done'
complete -c saxctl -n '__saxctl_below \'sync-nicks\'' -l full -d 'register everybody again, also who is known to be registered'
complete -c saxctl -n '__saxctl_below \'sync-nicks\'' -l user -x  -d 'only this member (repeatable)'
complete -c saxctl -n '__saxctl_below \'sync-nicks\'' -l prune -d 'unregister those who are gone, renamed, deactivated or banned (default)'
complete -c saxctl -n '__saxctl_below \'sync-nicks\'' -l no-prune -d 'leave their nicknames registered'
complete -c saxctl -n '__saxctl_below \'sync-nicks\'' -l concurrency -x  -d 'calls at once (default: 8 with via = "http", one per processor with "ctl")'
complete -c saxctl -n '__saxctl_below \'sync-nicks\'' -l verify -d 'afterwards try to take N of the nicknames (default 20), and report those that were free'
complete -c saxctl -n '__saxctl_below \'sync-nicks\'' -l json -d 'print the result as one JSON object'
complete -c saxctl -n '__saxctl_below \'sync-nicks\'' -s h -l help -d 'print this help, and end'
complete -c saxctl -n '__saxctl_below \'auth\'' -l check -x  -d 'ask once whether USER may log in, and say why; the secret is prompted for or read from stdin'
complete -c saxctl -n '__saxctl_below \'auth\'' -l token -x  -d 'print a signed token for USER'
complete -c saxctl -n '__saxctl_below \'auth\'' -l ttl -x  -d 'how long the token is valid (with --token; default: 10m)'
complete -c saxctl -n '__saxctl_below \'auth\'' -l json -d 'print the result as JSON (with --check or --token)'
complete -c saxctl -n '__saxctl_below \'auth\'' -s h -l help -d 'print this help, and end'
complete -c saxctl -n '__saxctl_below \'webridge\'' -s h -l help -d 'print this help, and end'
complete -c saxctl -n '__saxctl_below \'ircbridge\'' -s h -l help -d 'print this help, and end'
complete -c saxctl -n '__saxctl_below \'guard\'' -s h -l help -d 'print this help, and end'
complete -c saxctl -n '__saxctl_below \'widget\'' -l url -x -a '(__fish_complete_path (commandline -ct))' -d 'where the web server shows DIR'
complete -c saxctl -n '__saxctl_below \'widget\'' -l session -x -a '(__fish_complete_path (commandline -ct))' -d 'URL that answers {"user","password"} for the member who is logged in'
complete -c saxctl -n '__saxctl_below \'widget\'' -l snapshot -x -a '(__fish_complete_path (commandline -ct))' -d 'URL of the file that webridge writes (default: by [webridge] snapshot)'
complete -c saxctl -n '__saxctl_below \'widget\'' -l ws -x -a '(__fish_complete_path (commandline -ct))' -d 'URL of ejabberd’s WebSocket'
complete -c saxctl -n '__saxctl_below \'widget\'' -l bosh -x -a '(__fish_complete_path (commandline -ct))' -d 'URL of ejabberd’s BOSH'
complete -c saxctl -n '__saxctl_below \'widget\'' -l title -x  -d 'heading of the chat'
complete -c saxctl -n '__saxctl_below \'widget\'' -l force -d 'replace files that have other content'
complete -c saxctl -n '__saxctl_below \'widget\'' -l json -d 'print file, integrity and tags as one JSON object'
complete -c saxctl -n '__saxctl_below \'widget\'' -s h -l help -d 'print this help, and end'
complete -c saxctl -n '__saxctl_at \'widget\'' -a '(__fish_complete_directories (commandline -ct))'
complete -c saxctl -n '__saxctl_below \'config\'' -l json -d 'print JSON'
complete -c saxctl -n '__saxctl_below \'config\'' -s h -l help -d 'print this help, and end'
complete -c saxctl -n '__saxctl_at \'config\'' -a 'show check'
complete -c saxctl -n '__saxctl_at \'config\'' -a 'database.host database.port database.socket database.user database.password database.name database.table_prefix database.board database.charset xmpp.service xmpp.domain xmpp.muc_service xmpp.room xmpp.tls_ca ejabberd.via ejabberd.ctl ejabberd.api_url ejabberd.api_token ejabberd.api_user ejabberd.api_password auth.sid_pattern auth.token_key auth.token_key_previous auth.timeout_ms webridge.jid webridge.password webridge.nick webridge.socket webridge.socket_mode webridge.socket_group webridge.spool webridge.entities webridge.snapshot webridge.snapshot_lines ircbridge.jid ircbridge.password ircbridge.nick ircbridge.to_irc ircbridge.to_room ircbridge.ignore ircbridge.catch_up ircbridge.joins ircbridge.highlight ircbridge.colours irc.servers irc.nick irc.username irc.realname irc.channel irc.channel_key irc.sasl_user irc.sasl_password irc.nickserv_password irc.client_cert irc.flood_burst irc.flood_interval_ms irc.tls_ca guard.jid guard.password guard.nick guard.guest_domain guard.end_with_session state.dir metrics.listen'
complete -c saxctl -n '__saxctl_below \'completion\'' -s h -l help -d 'print this help, and end'
complete -c saxctl -n '__saxctl_at \'completion\'' -a 'bash zsh fish'
complete -c saxctl -n '__saxctl_at \'help\'' -a 'demo say history doctor init sync-nicks auth webridge ircbridge guard widget config completion'
