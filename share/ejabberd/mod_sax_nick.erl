%%% Nobody is called in a room as somebody else, decided by the server itself: at the join and at every change of nickname,
%%% before anybody sees anything.
%%%
%%% 1. Who has a registered nickname can use no other one. (That nobody else can use it is mod_muc's own rule.) sync-nicks
%%%    registers every member's name, so members are called here as on the site.
%%% 2. Who has none (a member of a minute ago, a guest) keeps the nickname under which he got voice: ejabberd would let him
%%%    take it along to another one, also out of the room and in again, together with a line in the same packet. saxctl
%%%    guard, who looks at each nickname before he gives voice, takes the voice back when somebody leaves.
%%%
%%% `exempt' is an access rule: those may be called anything (bots, who take their own nickname back when it is free again).
%%% Needs no header of ejabberd, nor anything of the version; tried with 23.01.
-module(mod_sax_nick).
-behaviour(gen_mod).

-export([start/2, stop/1, reload/3, depends/2, mod_options/1, mod_opt_type/1, mod_doc/0]).
-export([check/3, features/5]).

%% After so many new occupants without a registered nickname a room forgets those of them who have no voice.
-define(REMEMBERED, 10000).

start(Host, _Opts) ->
    ejabberd_hooks:add(muc_filter_presence, Host, ?MODULE, check, 10),
    ejabberd_hooks:add(disco_local_features, Host, ?MODULE, features, 75).

stop(Host) ->
    ejabberd_hooks:delete(muc_filter_presence, Host, ?MODULE, check, 10),
    ejabberd_hooks:delete(disco_local_features, Host, ?MODULE, features, 75).

reload(_Host, _NewOpts, _OldOpts) -> ok.

depends(_Host, _Opts) -> [{mod_muc, hard}].

mod_opt_type(exempt) -> econf:acl().

mod_options(_Host) -> [{exempt, none}].

mod_doc() ->
    #{desc => <<"Members use their registered nickname in rooms, and no other.">>}.

%% Tells saxctl doctor that the module is at work.
features({error, _} = Error, _From, _To, _Node, _Lang) -> Error;
features({result, Features}, _From, _To, <<>>, _Lang) -> {result, [feature() | Features]};
features(empty, _From, _To, <<>>, _Lang) -> {result, [feature()]};
features(Features, _From, _To, _Node, _Lang) -> Features.

feature() -> <<"saxctl:registered-nickname">>.

%% muc_filter_presence, in the process of the room: `drop', or the presence.
check(Presence, Room, Nick) ->
    From = xmpp:get_from(Presence),
    case xmpp:get_type(Presence) of
        available ->
            Host = ejabberd_router:host_of_route(service(Presence)),
            case exempt(Host, From) of
                true -> Presence;
                false -> allow(Presence, Nick, registered(Host, Presence), {Host, From, Room})
            end;
        _ ->
            _ = voiced(xmpp:get_from(Presence), Room),
            Presence
    end.

exempt(Host, From) ->
    acl:match_rule(Host, gen_mod:get_module_opt(Host, ?MODULE, exempt), From) =:= allow.

allow(Presence, Nick, Nick, _) -> Presence;
allow(Presence, Nick, none, {_Host, From, Room}) ->
    Known = voiced(From, Room),
    case has_voice(From, Room) of
        true when Known =/= undefined, Known =/= Nick ->
            refuse(Presence, <<"You have voice here as ", Known/binary, " and keep this name while you have it.">>);
        _ ->
            %% Who is here and has no voice may ask for any name; whether he gets it is not known yet, and not what counts.
            case sessions(From, Room) of
                [] -> remember(key(From), Nick, Room);
                _ -> ok
            end,
            Presence
    end;
allow(Presence, Nick, Registered, {Host, From, _Room}) ->
    case mod_muc:can_use_nick(Host, service(Presence), From, Nick) of
        true ->
            refuse(Presence, <<"Members are called here as on the site. Please come as ", Registered/binary, ".">>);
        false ->
            %% Somebody else's: mod_muc itself refuses it, by <conflict/>, which clients know.
            Presence
    end.

refuse(Presence, Text) ->
    ejabberd_router:route_error(Presence, xmpp:err_not_acceptable(Text, xmpp:get_lang(Presence))),
    drop.

%% The nickname registered for the sender at the service of the room.
registered(Host, Presence) ->
    Db = gen_mod:db_mod(Host, mod_muc),
    case Db:get_nick(Host, service(Presence), xmpp:get_from(Presence)) of
        Nick when is_binary(Nick), Nick =/= <<>> -> Nick;
        _ -> none
    end.

service(Presence) ->
    {_, Server, _} = jid:tolower(xmpp:get_to(Presence)),
    Server.

key(From) -> {?MODULE, jid:remove_resource(jid:tolower(From))}.

%% The nickname under which he has voice, or had it when that was last seen, or else came in.
voiced(From, Room) ->
    case [Nick || {Nick, participant} <- sessions(From, Room)] of
        [Nick | _] -> remember(key(From), Nick, Room), Nick;
        [] -> get(key(From))
    end.

%% Nickname and role of each of his devices that is in the room now: the first fields of mod_muc's user record.
sessions(From, Room) ->
    {User, Server, _} = jid:tolower(From),
    [{element(3, Seat), element(4, Seat)}
     || Map <- tuple_to_list(Room), is_map(Map), {{U, S, _}, Seat} <- maps:to_list(Map), U =:= User, S =:= Server,
        is_tuple(Seat), tuple_size(Seat) > 3, element(1, Seat) =:= user].

%% Whether he may speak, also when he is not here and ejabberd only remembers it (22.05 on). The room's state is a record
%% whose fields have moved from version to version; what remembers roles is the map in it from bare JIDs to roles.
has_voice(From, Room) ->
    Bare = jid:remove_resource(From),
    mod_muc_room:get_role(From, Room) =:= participant orelse
        remembered([jid:split(Bare), jid:tolower(Bare)], Room).

remembered(Keys, Room) ->
    lists:any(
      fun(Map) when is_map(Map) -> lists:any(fun(Key) -> maps:get(Key, Map, none) =:= participant end, Keys);
         (_) -> false
      end,
      tuple_to_list(Room)).

%% In the dictionary of the room's process: it ends when the room does, and with it the voices.
remember(Key, Nick, Room) ->
    case put(Key, Nick) of
        undefined -> put(?MODULE, forget(count() + 1, Room));
        _ -> ok
    end.

count() ->
    case get(?MODULE) of
        undefined -> 0;
        Count -> Count
    end.

%% Strangers may come under any number of JIDs; of those without voice nothing has to be remembered.
forget(Count, Room) when Count >= ?REMEMBERED ->
    [erase(Key) || {{?MODULE, Bare} = Key, _} <- get(), not remembered([Bare], Room)],
    0;
forget(Count, _Room) -> Count.
