import { ok, problem, skipped, type Verdict, warning } from './verdict.ts';

/** @param options as get_room_options gives them: names with text values. */
export function judgeRoomOptions(
  options: Readonly<Record<string, string>> | undefined,
  room: string,
  wants: { readonly moderated: boolean },
): Verdict {
  if (options === undefined) return skipped('ejabberdctl was not asked');
  const [name, service] = room.split('@');
  const set = (option: string, value: string): string =>
    `ejabberdctl change_room_option ${name} ${service} ${option} ${value}`;
  const wrong: [string, string, string][] = [];
  if (options['mam'] !== 'true') wrong.push(['it is not archived', 'mam', 'true']);
  if (options['persistent'] !== 'true') wrong.push(['it ends with its last occupant', 'persistent', 'true']);
  if (options['logging'] === 'true') wrong.push(['it is written to log files', 'logging', 'false']);
  if (options['members_only'] === 'true') wrong.push(['only listed members may enter', 'members_only', 'false']);
  if (options['password_protected'] === 'true') wrong.push(['it has a password', 'password_protected', 'false']);
  if (!wants.moderated && options['moderated'] === 'true' && options['members_by_default'] === 'false')
    wrong.push(['it is moderated without a guard: nobody gets voice', 'moderated', 'false']);
  if (wrong.length > 0)
    return problem(
      `${room}: ${wrong.map(([why]) => why).join('; ')}`,
      wrong.map(([, option, value]) => set(option, value)).join('\n'),
    );
  if (wants.moderated && options['moderated'] !== 'true')
    return warning(
      `${room} is not moderated: the guard acts only after somebody’s first line`,
      set('moderated', 'true'),
    );
  if (Number(options['max_users'] ?? 0) < 200)
    return warning(`${room} holds only ${options['max_users']} occupants`, set('max_users', '1000'));
  return ok(`${room} is persistent and archived`);
}

/** @param affiliations bare JID → affiliation, as get_room_affiliations gives them. */
export function judgeAffiliations(
  affiliations: ReadonlyMap<string, string> | undefined,
  room: string,
  guard: string | undefined,
  bridges: readonly string[],
): Verdict {
  if (affiliations === undefined) return skipped('ejabberdctl was not asked');
  const [name, service] = room.split('@');
  const banned = bridges.filter((jid) => affiliations.get(jid) === 'outcast');
  const set = (jid: string, affiliation: string): string =>
    `ejabberdctl set_room_affiliation ${name} ${service} ${jid} ${affiliation}`;
  if (banned.length > 0)
    return problem(`${banned.join(', ')} is banned from ${room}`, banned.map((jid) => set(jid, 'member')).join('\n'));
  if (guard !== undefined && !['owner', 'admin'].includes(affiliations.get(guard) ?? ''))
    return problem(`${guard} is neither owner nor admin of ${room}: the guard can remove nobody`, set(guard, 'owner'));
  return ok(guard === undefined ? 'no bot is banned' : `${guard} is ${affiliations.get(guard)} of the room`);
}

/** What mod_sax_nick adds to the features of the server. */
const NICK_MODULE = 'saxctl:registered-nickname';

/** @param features of the server; undefined when nobody could log in to ask. */
export function judgeNickModule(features: readonly string[] | undefined, guarded: boolean): Verdict {
  if (features?.includes(NICK_MODULE)) return ok('mod_sax_nick is at work');
  if (!guarded) return ok('mod_sax_nick is not loaded; no guard is configured');
  if (features === undefined) return skipped('nobody can log in');
  return warning(
    'ejabberd runs without mod_sax_nick: who has voice can change his nickname and say a line in one packet, before the guard removes him',
    `mkdir -p /usr/local/lib/ejabberd
saxctl init --print nick-module > /usr/local/lib/ejabberd/mod_sax_nick.erl
erlc -o /usr/local/lib/ejabberd /usr/local/lib/ejabberd/mod_sax_nick.erl
echo 'ERL_OPTIONS="$ERL_OPTIONS -pa /usr/local/lib/ejabberd"' >> /etc/ejabberd/ejabberdctl.cfg
# ejabberd.yml
modules:
  mod_sax_nick:
    exempt:
      allow: saxbots
# then: systemctl restart ejabberd`,
  );
}

/** @param seconds since the newest line of the archive; undefined when it is empty. */
export function judgeArchive(failure: string | undefined, seconds: number | undefined, room: string): Verdict {
  if (failure !== undefined)
    return problem(
      `the archive of ${room} cannot be read: ${failure}`,
      /database/.test(failure)
        ? 'systemctl status mariadb; grep "SQL query" /var/log/ejabberd/ejabberd.log | tail -3'
        : `# Debian's ejabberd speaks to a database by: apt install erlang-p1-mysql\n# ejabberd.yml\nmodules:\n  mod_mam:\n    db_type: sql\n# and: ejabberdctl change_room_option ${room.replace('@', ' ')} mam true`,
    );
  return ok(
    seconds === undefined
      ? 'the archive answers; it is empty'
      : `the archive answers; its newest line is ${Math.round(seconds)} s old`,
  );
}

/** @param ms how long a bot's login took. */
export function judgeLogin(
  who: string,
  failure: string | undefined,
  ms: number,
  kind: 'refused' | 'unavailable' | undefined,
): Verdict {
  if (failure === undefined)
    return ms > 3000
      ? warning(
          `${who} logged in, but it took ${(ms / 1000).toFixed(1)} s`,
          '# the authentication program is slow: saxctl doctor database',
        )
      : ok(`${who} logs in (${Math.round(ms)} ms)`);
  if (kind === 'refused')
    return problem(
      `${who}: ${failure}`,
      '# 1. the password of this section is known to saxctl auth when both read the same file; as the user ejabberd:\nsudo -u ejabberd saxctl config check\n# 2. a pool of authentication programs that died is not started again:\nsystemctl restart ejabberd',
    );
  return problem(`${who}: ${failure}`, 'systemctl status ejabberd; ejabberdctl status');
}
