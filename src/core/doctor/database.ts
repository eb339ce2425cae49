import { ok, problem, type Verdict, warning } from './verdict.ts';

export type ForumTables = { readonly prefix: string; readonly board: 'phpbb3' | 'phpbb4' | 'phpbb2' };

/** The tables that logins and sync-nicks read. */
export function tablesOf({ prefix, board }: ForumTables): readonly string[] {
  const names = ['users', 'sessions', 'config', board === 'phpbb4' ? 'bans' : 'banlist'];
  return names.map((name) => `${prefix}${name}`);
}

/** @param grants the lines of SHOW GRANTS. */
export function judgeGrants(
  grants: readonly string[],
  database: string,
  tables: readonly string[],
  user: string,
): Verdict {
  const privileges = grants
    .filter((line) => /^GRANT /i.test(line))
    .flatMap((line) => (/^GRANT (.*?) ON /i.exec(line)?.[1] ?? '').split(/,\s*(?![^(]*\))/))
    .map((privilege) =>
      privilege
        .trim()
        .toUpperCase()
        .replace(/\s*\(.*$/, ''),
    )
    .filter((privilege) => privilege !== '' && privilege !== 'USAGE');
  const extra = [...new Set(privileges.filter((privilege) => privilege !== 'SELECT'))];
  if (extra.length === 0) return ok('the account may only read');
  return warning(
    `the account may do more than read: ${extra.slice(0, 6).join(', ')}${extra.length > 6 ? ', …' : ''}`,
    [
      `-- as the database’s administrator`,
      `REVOKE ALL PRIVILEGES, GRANT OPTION FROM ${user};`,
      ...tables.map((table) => `GRANT SELECT ON \`${database}\`.\`${table}\` TO ${user};`),
    ].join('\n'),
  );
}

/** @param readable by table: undefined when it was read, else why not. */
export function judgeTables(
  readable: ReadonlyMap<string, string | undefined>,
  database: string,
  user: string,
): Verdict {
  const failed = [...readable].filter(([, why]) => why !== undefined);
  if (failed.length === 0) return ok(`${[...readable.keys()].join(', ')} can be read`);
  return problem(
    failed.map(([table, why]) => `${table}: ${why}`).join('; '),
    [
      '-- as the database’s administrator; and check [database] table_prefix',
      ...failed.map(([table]) => `GRANT SELECT ON \`${database}\`.\`${table}\` TO ${user};`),
    ].join('\n'),
  );
}

export type IndexRow = { readonly table: string; readonly index: string; readonly first: string };

/** The two look-ups of a login must not read a table from end to end. */
export function judgeIndexes(rows: readonly IndexRow[], prefix: string): Verdict {
  const wanted = [
    { table: `${prefix}sessions`, column: 'session_id', add: 'PRIMARY KEY (session_id)' },
    { table: `${prefix}users`, column: 'user_id', add: 'PRIMARY KEY (user_id)' },
  ];
  const missing = wanted.filter(
    ({ table, column }) => !rows.some((row) => row.table === table && row.first === column),
  );
  if (missing.length === 0) return ok('sessions and users are found by index');
  return problem(
    `no index on ${missing.map(({ table, column }) => `${table}.${column}`).join(', ')}: each login reads the whole table`,
    missing.map(({ table, add }) => `ALTER TABLE \`${table}\` ADD ${add};`).join('\n'),
  );
}

/** @param sessions how many rows; @param ms how long the look-up of one session took. */
export function judgeSessions(sessions: number, ms: number, engine: string): Verdict {
  if (ms > 250)
    return problem(
      `the look-up of one session took ${Math.round(ms)} ms among ${sessions} (${engine})`,
      `-- expired sessions are kept; phpBB deletes them hourly by cron:\nphp bin/phpbbcli.php cron:run`,
    );
  if (sessions > 500_000) return warning(`the sessions table holds ${sessions} rows`, 'php bin/phpbbcli.php cron:run');
  return ok(`one session is found in ${ms.toFixed(1)} ms among ${sessions}`);
}

export type SharedLocalpart = { readonly localpart: string; readonly members: readonly string[] };

/** Members whose names make one and the same JID: the lowest id owns it, the others cannot log in. */
export function judgeLocalparts(
  shared: readonly SharedLocalpart[],
  without: readonly string[],
  members: number,
): Verdict {
  if (shared.length > 0)
    return warning(
      `${shared.length} of the localparts are shared: ${shared
        .slice(0, 5)
        .map(({ localpart, members: names }) => `${localpart} (${names.join(', ')})`)
        .join('; ')}${shared.length > 5 ? '; …' : ''}`,
      `# the member with the lowest id logs in, the others are refused: rename them in the forum’s administration`,
    );
  if (without.length > 0)
    return warning(
      `${without.length} of ${members} members have a name that cannot be a JID, for example ${without.slice(0, 3).join(', ')}`,
      '# they cannot log in: rename them in the forum’s administration',
    );
  return ok(`${members} active members, each with a JID of its own`);
}

/** @param seconds how far the database’s clock is ahead of ours. */
export function judgeSkew(what: string, seconds: number): Verdict {
  const off = Math.abs(seconds);
  const text = `${what} is ${off.toFixed(1)} s ${seconds >= 0 ? 'ahead of' : 'behind'} this machine`;
  if (off <= 5) return ok(text);
  const repair = 'timedatectl set-ntp true   # on both machines';
  return off > 60 ? problem(`${text}: sessions and tokens expire at the wrong time`, repair) : warning(text, repair);
}
