import type { Member } from './members.ts';

export type Board = 'phpbb3' | 'phpbb2';

/** A statement with its parameters. */
export type Statement = readonly [sql: string, parameters?: readonly (string | number)[]];

/** phpBB 3.3's tables as far as a chat reads them: its names, types, keys and its character set (utf8mb3, utf8_bin). */
const PHPBB3: readonly string[] = [
  `CREATE TABLE phpbb_users (
  user_id int unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
  user_type tinyint NOT NULL DEFAULT 0,
  group_id mediumint unsigned NOT NULL DEFAULT 3,
  user_ip varchar(40) NOT NULL DEFAULT '',
  user_regdate int unsigned NOT NULL DEFAULT 0,
  username varchar(255) NOT NULL DEFAULT '',
  username_clean varchar(255) NOT NULL DEFAULT '',
  user_password varchar(255) NOT NULL DEFAULT '',
  user_email varchar(100) NOT NULL DEFAULT '',
  user_lastvisit int unsigned NOT NULL DEFAULT 0,
  user_inactive_reason tinyint NOT NULL DEFAULT 0,
  user_inactive_time int unsigned NOT NULL DEFAULT 0,
  user_posts mediumint unsigned NOT NULL DEFAULT 0,
  user_lang varchar(30) NOT NULL DEFAULT '',
  user_colour varchar(6) NOT NULL DEFAULT '',
  user_new tinyint unsigned NOT NULL DEFAULT 1,
  UNIQUE KEY username_clean (username_clean),
  KEY user_type (user_type),
  KEY user_email (user_email)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb3 COLLATE utf8mb3_bin`,
  `CREATE TABLE phpbb_sessions (
  session_id char(32) NOT NULL DEFAULT '' PRIMARY KEY,
  session_user_id int unsigned NOT NULL DEFAULT 0,
  session_last_visit int unsigned NOT NULL DEFAULT 0,
  session_start int unsigned NOT NULL DEFAULT 0,
  session_time int unsigned NOT NULL DEFAULT 0,
  session_ip varchar(40) NOT NULL DEFAULT '',
  session_browser varchar(150) NOT NULL DEFAULT '',
  session_forwarded_for varchar(255) NOT NULL DEFAULT '',
  session_page varchar(255) NOT NULL DEFAULT '',
  session_viewonline tinyint unsigned NOT NULL DEFAULT 1,
  session_autologin tinyint unsigned NOT NULL DEFAULT 0,
  session_admin tinyint unsigned NOT NULL DEFAULT 0,
  session_forum_id mediumint unsigned NOT NULL DEFAULT 0,
  KEY session_time (session_time),
  KEY session_user_id (session_user_id),
  KEY session_fid (session_forum_id)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb3 COLLATE utf8mb3_bin`,
  `CREATE TABLE phpbb_config (
  config_name varchar(255) NOT NULL DEFAULT '' PRIMARY KEY,
  config_value varchar(255) NOT NULL DEFAULT '',
  is_dynamic tinyint unsigned NOT NULL DEFAULT 0,
  KEY is_dynamic (is_dynamic)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb3 COLLATE utf8mb3_bin`,
  `CREATE TABLE phpbb_banlist (
  ban_id int unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
  ban_userid int unsigned NOT NULL DEFAULT 0,
  ban_ip varchar(40) NOT NULL DEFAULT '',
  ban_email varchar(100) NOT NULL DEFAULT '',
  ban_start int unsigned NOT NULL DEFAULT 0,
  ban_end int unsigned NOT NULL DEFAULT 0,
  ban_exclude tinyint unsigned NOT NULL DEFAULT 0,
  ban_reason varchar(255) NOT NULL DEFAULT '',
  ban_give_reason varchar(255) NOT NULL DEFAULT '',
  KEY ban_end (ban_end),
  KEY ban_user (ban_userid, ban_exclude),
  KEY ban_email (ban_email, ban_exclude),
  KEY ban_ip (ban_ip, ban_exclude)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb3 COLLATE utf8mb3_bin`,
];

/** phpBB 2.0's tables, likewise. Boards of that age are latin1. */
const PHPBB2: readonly string[] = [
  `CREATE TABLE phpbb_users (
  user_id mediumint NOT NULL PRIMARY KEY,
  user_active tinyint(1) DEFAULT 1,
  username varchar(25) NOT NULL,
  user_password varchar(32) NOT NULL DEFAULT '',
  user_session_time int NOT NULL DEFAULT 0,
  user_lastvisit int NOT NULL DEFAULT 0,
  user_regdate int NOT NULL DEFAULT 0,
  user_level tinyint DEFAULT 0,
  user_posts mediumint unsigned NOT NULL DEFAULT 0,
  user_email varchar(255),
  KEY user_session_time (user_session_time)
) ENGINE=InnoDB DEFAULT CHARACTER SET latin1`,
  `CREATE TABLE phpbb_sessions (
  session_id char(32) NOT NULL DEFAULT '' PRIMARY KEY,
  session_user_id mediumint NOT NULL DEFAULT 0,
  session_start int NOT NULL DEFAULT 0,
  session_time int NOT NULL DEFAULT 0,
  session_ip char(8) NOT NULL DEFAULT '0',
  session_page int NOT NULL DEFAULT 0,
  session_logged_in tinyint(1) NOT NULL DEFAULT 0,
  session_admin tinyint(2) NOT NULL DEFAULT 0,
  KEY session_user_id (session_user_id),
  KEY session_id_ip_user_id (session_id, session_ip, session_user_id)
) ENGINE=InnoDB DEFAULT CHARACTER SET latin1`,
  `CREATE TABLE phpbb_config (
  config_name varchar(255) NOT NULL PRIMARY KEY,
  config_value varchar(255) NOT NULL
) ENGINE=InnoDB DEFAULT CHARACTER SET latin1`,
  `CREATE TABLE phpbb_banlist (
  ban_id mediumint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
  ban_userid mediumint NOT NULL DEFAULT 0,
  ban_ip char(8) NOT NULL DEFAULT '',
  ban_email varchar(255),
  KEY ban_ip_user_id (ban_ip, ban_userid)
) ENGINE=InnoDB DEFAULT CHARACTER SET latin1`,
];

/** The empty tables of a board, in the current database. */
export function forumTables(board: Board): readonly string[] {
  return board === 'phpbb3' ? PHPBB3 : PHPBB2;
}

/** Rows of a fresh board with these members. `now` is the database's time in seconds since 1970. */
export function forumRows(board: Board, members: readonly Member[], now: number): Statement[] {
  return board === 'phpbb3' ? phpbb3Rows(members, now) : phpbb2Rows(members, now);
}

const banEnd = (until: 'ever' | 'future' | 'past', now: number): number =>
  until === 'ever' ? 0 : until === 'future' ? now + 86_400 : now - 86_400;

function phpbb3Rows(members: readonly Member[], now: number): Statement[] {
  const rows: Statement[] = [
    [
      `INSERT INTO phpbb_config (config_name, config_value) VALUES
        ('session_length', '3600'), ('allow_autologin', '1'), ('max_autologin_time', '365'),
        ('version', '3.3.14'), ('sitename', 'Example board'), ('ip_check', '3'), ('browser_check', '1')`,
    ],
    [
      `INSERT INTO phpbb_users (user_id, user_type, group_id, username, username_clean) VALUES (1, 2, 1, 'Anonymous', 'anonymous')`,
    ],
  ];
  for (const { id, type, stored, clean, session, ban } of members) {
    rows.push([
      'INSERT INTO phpbb_users (user_id, user_type, group_id, username, username_clean, user_regdate) VALUES (?, ?, ?, ?, ?, ?)',
      [id, type, type === 3 ? 5 : 2, stored, clean, now - 86_400 * 100],
    ]);
    if (session !== undefined)
      rows.push([
        `INSERT INTO phpbb_sessions (session_id, session_user_id, session_start, session_time, session_autologin, session_ip, session_browser)
         VALUES (?, ?, ?, ?, ?, '127.0.0.1', 'Mozilla/5.0')`,
        [session.sid, id, now - session.age, now - session.age, session.autologin ? 1 : 0],
      ]);
    if (ban !== undefined) {
      const row =
        'INSERT INTO phpbb_banlist (ban_userid, ban_start, ban_end, ban_exclude, ban_reason) VALUES (?, ?, ?, ?, ?)';
      rows.push([row, [id, now - 86_400 * 2, banEnd(ban.until, now), 0, 'sample']]);
      if (ban.exclude) rows.push([row, [id, now - 86_400 * 2, 0, 1, 'sample']]);
    }
  }
  return rows;
}

function phpbb2Rows(members: readonly Member[], now: number): Statement[] {
  const rows: Statement[] = [
    [`INSERT INTO phpbb_config (config_name, config_value) VALUES ('session_length', '3600'), ('version', '.0.23')`],
    [`INSERT INTO phpbb_users (user_id, user_active, username) VALUES (-1, 0, 'Anonymous')`],
  ];
  for (const { id, type, stored, session, ban } of members) {
    // What latin1 cannot hold was never a member of such a board.
    if (/[^\u0000-\u00ff]/.test(stored) || stored.length > 25 || type === 2) continue;
    rows.push([
      'INSERT INTO phpbb_users (user_id, user_active, username, user_level, user_regdate) VALUES (?, ?, ?, ?, ?)',
      [id, type === 1 ? 0 : 1, stored, type === 3 ? 1 : 0, now - 86_400 * 100],
    ]);
    if (session !== undefined)
      rows.push([
        'INSERT INTO phpbb_sessions (session_id, session_user_id, session_start, session_time, session_ip, session_logged_in) VALUES (?, ?, ?, ?, ?, 1)',
        [session.sid, id, now - session.age, now - session.age, '7f000001'],
      ]);
    // phpBB 2 knows neither an end nor an exception.
    if (ban?.until === 'ever' && ban.exclude !== true)
      rows.push(['INSERT INTO phpbb_banlist (ban_userid) VALUES (?)', [id]]);
  }
  return rows;
}

/** Rights of the account in saxctl.toml: SELECT on the four tables and nothing else, as the installation asks for. */
export function forumGrants(database: string, user: string, password: string): Statement[] {
  return [
    [`CREATE USER '${user}'@'localhost' IDENTIFIED BY '${password}'`],
    ...['users', 'sessions', 'config', 'banlist'].map(
      (table): Statement => [`GRANT SELECT ON ${database}.phpbb_${table} TO '${user}'@'localhost'`],
    ),
  ];
}
