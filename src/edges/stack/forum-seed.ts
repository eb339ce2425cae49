import { ARCHIVE_TABLES } from '../../core/archive-schema.ts';
import { type Board, forumGrants, forumRows, forumTables } from './forum-sql.ts';
import { connectAsRoot, type MariaDb } from './mariadb.ts';
import type { Member } from './members.ts';
import { ARCHIVE_DATABASE, FORUM_DATABASE, FORUM_USER } from './settings.ts';

/** Starts MariaDB with ejabberd's archive and the sample forum in it. */
export async function startSeeded(
  mariadb: MariaDb,
  seed: { board: Board; members: readonly Member[]; forumPassword: string; archivePassword: string },
): Promise<void> {
  await mariadb.server.start();
  const root = await connectAsRoot(mariadb.socket);
  try {
    // The archive first: ejabberd starts at the same time and wants its tables.
    await root.query(`CREATE DATABASE ${ARCHIVE_DATABASE} CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci`);
    await root.query(`CREATE USER 'ejabberd'@'localhost' IDENTIFIED BY '${seed.archivePassword}'`);
    await root.query(`GRANT ALL ON ${ARCHIVE_DATABASE}.* TO 'ejabberd'@'localhost'`);
    await root.query(`USE ${ARCHIVE_DATABASE}`);
    for (const table of ARCHIVE_TABLES) await root.query(table);
    await root.query(`CREATE DATABASE ${FORUM_DATABASE} CHARACTER SET utf8mb3 COLLATE utf8mb3_bin`);
    await root.query(`USE ${FORUM_DATABASE}`);
    for (const table of forumTables(seed.board)) await root.query(table);
    await root.query('START TRANSACTION');
    const now = Math.floor(Date.now() / 1000);
    for (const [sql, parameters] of forumRows(seed.board, seed.members, now))
      await root.query(sql, [...(parameters ?? [])]);
    await root.query('COMMIT');
    for (const [sql] of forumGrants(FORUM_DATABASE, FORUM_USER, seed.forumPassword)) await root.query(sql);
  } finally {
    await root.end();
  }
}
