import {
  judgeGrants,
  judgeIndexes,
  judgeLocalparts,
  judgeSessions,
  judgeTables,
  tablesOf,
} from '../../core/doctor/database.ts';
import { ok, problem } from '../../core/doctor/verdict.ts';
import { reasonOf } from '../../core/errors.ts';
import { printable } from '../../core/escape.ts';
import { localpartOf } from '../../core/member-name.ts';
import type { Group, World } from './world.ts';

export const databaseGroup: Group = async function* databaseGroup(shared, check) {
  const { world } = shared;
  const { database } = world.loaded.config;
  const where = database.socket ?? `${database.host}:${database.port}`;
  let user = '';
  const connect = await check('database.connect', async () => {
    const began = world.monotonic();
    const [row] = await world.sql('SELECT CURRENT_USER(), VERSION()');
    user = String(row?.[0] ?? '').replace(/^(.*)@(.*)$/, "'$1'@'$2'");
    shared.databaseWorks = true;
    return ok(`${where} answers in ${Math.round(world.monotonic() - began)} ms (${String(row?.[1] ?? '')})`);
  });
  yield connect.status === 'ok'
    ? connect
    : {
        ...connect,
        message: `${where}: ${connect.message}`,
        repair: `mysql --host=${database.host} --port=${database.port} --user=${database.user ?? ''} --password ${database.name ?? ''}   # and: systemctl status mariadb`,
      };
  if (!shared.databaseWorks) return;

  const prefix = database.table_prefix;
  const name = database.name ?? '';
  const board = await boardOf(world, prefix);
  const tables = tablesOf({ prefix, board });
  yield await check('database.tables', async () => {
    const readable = new Map<string, string | undefined>();
    for (const table of tables) readable.set(table, await whyUnreadable(world, table));
    return judgeTables(readable, name, user);
  });
  yield await check('database.rights', async () => {
    const rows = await world.sql('SHOW GRANTS FOR CURRENT_USER');
    return judgeGrants(
      rows.map(([line]) => String(line)),
      name,
      tables,
      user,
    );
  });
  yield await check('database.indexes', async () => {
    const rows = await world.sql(
      'SELECT table_name, index_name, column_name FROM information_schema.statistics WHERE table_schema = DATABASE() AND seq_in_index = 1 AND table_name IN (?, ?)',
      [`${prefix}sessions`, `${prefix}users`],
    );
    return judgeIndexes(
      rows.map(([table, index, first]) => ({ table: String(table), index: String(index), first: String(first) })),
      prefix,
    );
  });
  yield await check('database.session-table', async () => {
    const [size] = await world.sql(
      'SELECT table_rows, engine FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = ?',
      [`${prefix}sessions`],
    );
    const began = world.monotonic();
    await world.sql(`SELECT session_user_id FROM ${quotedName(`${prefix}sessions`)} WHERE session_id = ?`, [
      '0'.repeat(32),
    ]);
    return judgeSessions(Number(size?.[0] ?? 0), world.monotonic() - began, String(size?.[1] ?? 'unknown engine'));
  });
  yield await check('database.localparts', () => localparts(world));
};

async function localparts(world: World) {
  const owners = new Map<string, string[]>();
  const without: string[] = [];
  let members = 0;
  const source = world.members();
  try {
    for await (const page of source.pages())
      for (const { username } of page) {
        members++;
        const localpart = localpartOf(username);
        const shown = printable(username, 40);
        if (localpart === undefined) without.push(shown);
        else owners.set(localpart, [...(owners.get(localpart) ?? []), shown]);
      }
  } finally {
    await source.close();
  }
  if (members === 0)
    return problem('the forum has no active member', '# saxctl.toml: check [database] name and table_prefix');
  const shared = [...owners]
    .filter(([, names]) => names.length > 1)
    .map(([localpart, names]) => ({ localpart, members: names }));
  return judgeLocalparts(shared, without, members);
}

async function boardOf(world: World, prefix: string): Promise<'phpbb3' | 'phpbb4' | 'phpbb2'> {
  if (world.loaded.config.database.board === 'phpbb2') return 'phpbb2';
  const rows = await world.sql(
    'SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name IN (?, ?)',
    [`${prefix}users`, `${prefix}bans`],
  );
  if (rows.some(([table]) => table === `${prefix}bans`)) return 'phpbb4';
  return rows.some(([, column]) => column === 'username_clean') || rows.length === 0 ? 'phpbb3' : 'phpbb2';
}

async function whyUnreadable(world: World, table: string): Promise<string | undefined> {
  try {
    await world.sql(`SELECT 1 FROM ${quotedName(table)} LIMIT 1`);
    return undefined;
  } catch (error) {
    return reasonOf(error);
  }
}

/** The prefix was checked when the configuration was read; a backtick in it would still end the name. */
const quotedName = (name: string): string => `\`${name.replaceAll('`', '``')}\``;
