/**
 * The two tables that ejabberd's mod_mam wants with `db_type: sql` on MySQL or MariaDB (its default schema, where one
 * database serves one domain). Debian's package ships only the SQLite form. ids are microseconds since 1970.
 */
export const ARCHIVE_TABLES: readonly string[] = [
  `CREATE TABLE IF NOT EXISTS archive (
  username varchar(191) NOT NULL,
  timestamp bigint unsigned NOT NULL,
  peer varchar(191) NOT NULL,
  bare_peer varchar(191) NOT NULL,
  xml mediumtext NOT NULL,
  txt mediumtext,
  id bigint unsigned NOT NULL AUTO_INCREMENT UNIQUE,
  kind varchar(10),
  nick varchar(191),
  created_at timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP,
  FULLTEXT KEY i_text (txt),
  KEY i_username_timestamp (username, timestamp),
  KEY i_username_peer (username, peer),
  KEY i_username_bare_peer (username, bare_peer),
  KEY i_timestamp (timestamp)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci`,
  `CREATE TABLE IF NOT EXISTS archive_prefs (
  username varchar(191) NOT NULL PRIMARY KEY,
  def text NOT NULL,
  always text NOT NULL,
  never text NOT NULL,
  created_at timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci`,
];
