/**
 * The forum's tables as far as we read them, with the real types, collations and keys: phpBB 3.3 and 4.0 (utf8mb3, utf8_bin),
 * phpBB 2.0 (latin1 as it was installed in its time; no index on username, none led by ban_userid).
 */
export type BoardKind = 'phpbb3' | 'phpbb4' | 'phpbb2';

const CONFIG_3 = (p: string): string => `CREATE TABLE ${p}config (
  config_name varchar(255) COLLATE utf8_bin NOT NULL DEFAULT '', config_value varchar(255) COLLATE utf8_bin NOT NULL DEFAULT '',
  is_dynamic tinyint(1) unsigned NOT NULL DEFAULT 0, PRIMARY KEY (config_name), KEY is_dynamic (is_dynamic))
  ENGINE=InnoDB CHARSET=utf8 COLLATE=utf8_bin`;

const USERS_3 = (p: string): string => `CREATE TABLE ${p}users (
  user_id int(10) unsigned NOT NULL AUTO_INCREMENT, user_type tinyint(2) NOT NULL DEFAULT 0,
  group_id mediumint(8) unsigned NOT NULL DEFAULT 3, user_ip varchar(40) COLLATE utf8_bin NOT NULL DEFAULT '',
  user_regdate int(11) unsigned NOT NULL DEFAULT 0, username varchar(255) COLLATE utf8_bin NOT NULL DEFAULT '',
  username_clean varchar(255) COLLATE utf8_bin NOT NULL DEFAULT '', user_password varchar(255) COLLATE utf8_bin NOT NULL DEFAULT '',
  user_email varchar(100) COLLATE utf8_bin NOT NULL DEFAULT '', user_birthday varchar(10) COLLATE utf8_bin NOT NULL DEFAULT '',
  user_sig mediumtext COLLATE utf8_bin NOT NULL DEFAULT '',
  PRIMARY KEY (user_id), UNIQUE KEY username_clean (username_clean), KEY user_type (user_type))
  ENGINE=InnoDB CHARSET=utf8 COLLATE=utf8_bin`;

const SESSIONS_3 = (p: string): string => `CREATE TABLE ${p}sessions (
  session_id char(32) COLLATE utf8_bin NOT NULL DEFAULT '', session_user_id int(10) unsigned NOT NULL DEFAULT 0,
  session_last_visit int(11) unsigned NOT NULL DEFAULT 0, session_start int(11) unsigned NOT NULL DEFAULT 0,
  session_time int(11) unsigned NOT NULL DEFAULT 0, session_ip varchar(40) COLLATE utf8_bin NOT NULL DEFAULT '',
  session_browser varchar(150) COLLATE utf8_bin NOT NULL DEFAULT '', session_page varchar(255) COLLATE utf8_bin NOT NULL DEFAULT '',
  session_viewonline tinyint(1) unsigned NOT NULL DEFAULT 1, session_autologin tinyint(1) unsigned NOT NULL DEFAULT 0,
  session_admin tinyint(1) unsigned NOT NULL DEFAULT 0,
  PRIMARY KEY (session_id), KEY session_time (session_time), KEY session_user_id (session_user_id))
  ENGINE=InnoDB CHARSET=utf8 COLLATE=utf8_bin`;

const BANLIST_3 = (p: string): string => `CREATE TABLE ${p}banlist (
  ban_id int(10) unsigned NOT NULL AUTO_INCREMENT, ban_userid int(10) unsigned NOT NULL DEFAULT 0,
  ban_ip varchar(40) COLLATE utf8_bin NOT NULL DEFAULT '', ban_email varchar(100) COLLATE utf8_bin NOT NULL DEFAULT '',
  ban_start int(11) unsigned NOT NULL DEFAULT 0, ban_end int(11) unsigned NOT NULL DEFAULT 0,
  ban_exclude tinyint(1) unsigned NOT NULL DEFAULT 0, ban_reason varchar(255) COLLATE utf8_bin NOT NULL DEFAULT '',
  ban_give_reason varchar(255) COLLATE utf8_bin NOT NULL DEFAULT '',
  PRIMARY KEY (ban_id), KEY ban_end (ban_end), KEY ban_user (ban_userid,ban_exclude),
  KEY ban_email (ban_email,ban_exclude), KEY ban_ip (ban_ip,ban_exclude)) ENGINE=InnoDB CHARSET=utf8 COLLATE=utf8_bin`;

const BANS_4 = (p: string): string => `CREATE TABLE ${p}bans (
  ban_id int(10) unsigned NOT NULL AUTO_INCREMENT, ban_userid int(10) unsigned NOT NULL DEFAULT 0,
  ban_mode varchar(255) COLLATE utf8_bin NOT NULL DEFAULT '', ban_item varchar(255) COLLATE utf8_bin NOT NULL DEFAULT '',
  ban_start int(11) unsigned NOT NULL DEFAULT 0, ban_end int(11) unsigned NOT NULL DEFAULT 0,
  ban_reason varchar(255) COLLATE utf8_bin NOT NULL DEFAULT '', ban_reason_display varchar(255) COLLATE utf8_bin NOT NULL DEFAULT '',
  PRIMARY KEY (ban_id), KEY ban_userid (ban_userid), KEY ban_item (ban_item), KEY ban_end (ban_end))
  ENGINE=InnoDB CHARSET=utf8 COLLATE=utf8_bin`;

const TABLES_2 = (p: string): string[] => [
  `CREATE TABLE ${p}config (config_name varchar(255) NOT NULL, config_value varchar(255) NOT NULL, PRIMARY KEY (config_name))
  ENGINE=MyISAM CHARSET=latin1`,
  `CREATE TABLE ${p}users (user_id mediumint(8) NOT NULL, user_active tinyint(1) DEFAULT 1, username varchar(25) NOT NULL,
  user_password varchar(32) NOT NULL DEFAULT '', user_session_time int(11) NOT NULL DEFAULT 0, user_level tinyint(4) DEFAULT 0,
  user_email varchar(255) DEFAULT NULL, PRIMARY KEY (user_id), KEY user_session_time (user_session_time)) ENGINE=MyISAM CHARSET=latin1`,
  `CREATE TABLE ${p}sessions (session_id char(32) NOT NULL DEFAULT '', session_user_id mediumint(8) NOT NULL DEFAULT 0,
  session_start int(11) NOT NULL DEFAULT 0, session_time int(11) NOT NULL DEFAULT 0, session_ip char(8) NOT NULL DEFAULT 0,
  session_page int(11) NOT NULL DEFAULT 0, session_logged_in tinyint(1) NOT NULL DEFAULT 0, session_admin tinyint(2) NOT NULL DEFAULT 0,
  PRIMARY KEY (session_id), KEY session_user_id (session_user_id), KEY session_id_ip_user_id (session_id,session_ip,session_user_id))
  ENGINE=MyISAM CHARSET=latin1`,
  `CREATE TABLE ${p}banlist (ban_id mediumint(8) unsigned NOT NULL AUTO_INCREMENT, ban_userid mediumint(8) NOT NULL DEFAULT 0,
  ban_ip char(8) NOT NULL DEFAULT '', ban_email varchar(255) DEFAULT NULL, PRIMARY KEY (ban_id), KEY ban_ip_user_id (ban_ip,ban_userid))
  ENGINE=MyISAM CHARSET=latin1`,
];

/** The statements that make an empty forum: tables, settings, the guest. */
export function forumSchema(board: BoardKind, prefix = 'phpbb_'): string[] {
  const settings = `INSERT INTO ${prefix}config (config_name, config_value) VALUES
    ('session_length','3600'), ('allow_autologin','1'), ('max_autologin_time','0'), ('sitename','Tests')`;
  if (board === 'phpbb2')
    return [
      ...TABLES_2(prefix),
      settings,
      `INSERT INTO ${prefix}users (user_id, user_active, username) VALUES (-1, 0, 'Anonymous')`,
    ];
  return [
    CONFIG_3(prefix),
    USERS_3(prefix),
    SESSIONS_3(prefix),
    board === 'phpbb4' ? BANS_4(prefix) : BANLIST_3(prefix),
    settings,
    `INSERT INTO ${prefix}users (user_id, user_type, username, username_clean) VALUES (1, 2, 'Anonymous', 'anonymous')`,
  ];
}
