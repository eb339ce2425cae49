%%% A registered nickname binds both ways: nobody else may use it (that is mod_muc's own rule), and its owner may use no
%%% other one. sync-nicks registers every member's name, so members are called in the room as on the site, decided by the
%%% server itself: at the join and at every change of nickname, before anybody sees anything. Who has no registered
%%% nickname (bots, guests, members of a minute ago) passes; saxctl guard looks at them.
%%%
%%% Install: erlc -o DIR mod_sax_nick.erl, "-pa DIR" in ERL_OPTIONS of ejabberdctl.cfg, mod_sax_nick: {} among the modules.
%%% Needs no header of ejabberd; tried with 23.01.
-module(mod_sax_nick).
-behaviour(gen_mod).

-export([start/2, stop/1, reload/3, depends/2, mod_options/1, mod_doc/0, check/3]).

start(Host, _Opts) ->
    ejabberd_hooks:add(muc_filter_presence, Host, ?MODULE, check, 10).

stop(Host) ->
    ejabberd_hooks:delete(muc_filter_presence, Host, ?MODULE, check, 10).

reload(_Host, _NewOpts, _OldOpts) -> ok.

depends(_Host, _Opts) -> [{mod_muc, hard}].

mod_options(_Host) -> [].

mod_doc() ->
    #{desc => <<"Members use their registered nickname in rooms, and no other.">>}.

%% muc_filter_presence: `drop', or the presence.
check(Presence, _Room, Nick) ->
    case xmpp:get_type(Presence) of
        available -> allow(Presence, Nick, registered(Presence));
        _ -> Presence
    end.

allow(Presence, Nick, Nick) -> Presence;
allow(Presence, _Nick, none) -> Presence;
allow(Presence, _Nick, Registered) ->
    Text = <<"Members are called here as on the site. Please come as ", Registered/binary, ".">>,
    ejabberd_router:route_error(Presence, xmpp:err_not_acceptable(Text, xmpp:get_lang(Presence))),
    drop.

%% The nickname registered for the sender at the service of the room.
registered(Presence) ->
    Service = jid_server(xmpp:get_to(Presence)),
    Host = ejabberd_router:host_of_route(Service),
    Db = gen_mod:db_mod(Host, mod_muc),
    case Db:get_nick(Host, Service, xmpp:get_from(Presence)) of
        Nick when is_binary(Nick), Nick =/= <<>> -> Nick;
        _ -> none
    end.

jid_server(Jid) ->
    {_, Server, _} = jid:tolower(Jid),
    Server.
