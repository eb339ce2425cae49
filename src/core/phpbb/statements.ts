/**
 * The SQL for each forum: texts only, every value a parameter. One round trip per question, all by primary key; names are
 * never compared for a verdict in SQL (collations fold case, accents and trailing spaces), that is done by the caller.
 * Schemas: phpBB 3.3 `phpBB/install/schemas`, 4.0 `phpbb/db/migration/data/v400/ban_table_p1.php`, 2.0 `install/schemas/mysql_schema.sql`.
 */

/** `phpbb4` is phpBB 4.0: as 3.3 but for the table of bans. */
export type Board = 'phpbb3' | 'phpbb4' | 'phpbb2';

export type Statements = {
  /**
   * One session with its member, a row for each ban of the member. Parameter: session id. One column, see core/phpbb/packed.ts:
   * session id, session time, autologin (phpBB 2: logged in), address, then as in `account`.
   */
  readonly session: string;
  /** One member, a row for each ban. Parameter: member id. One column: id, state, ban exclude, ban end, e-mail, name. */
  readonly account: string;
  /** One member without his bans, by primary key on every board. Parameter: member id. One column: id, state, name. */
  readonly member: string;
  /** Settings, see core/phpbb/settings.ts. */
  readonly settings: string;
  /** Bans by address: e-mail, IP, exclude, end. */
  readonly addressBans: string;
  /** Bans by member: id, exclude, end. */
  readonly memberBans: string;
  /** Active members whose name is not plain (core/phpbb/names.ts), by id: id, name. Parameter: at most so many. */
  readonly unusual: string;
  /** The highest id of a member. */
  readonly highest: string;
  /** A page of active members: id, name, state. Parameters: id to start behind, number of rows. */
  readonly page: string;
  /** How many active members there are. */
  readonly count: string;
  /** Active members with this name in any case: id, name. Parameter: the name as stored, in lower case. */
  readonly called: string;
  /** Members with one of two spellings of a name, in any state: id, name, state. Parameters: the spellings, then the same in lower case. */
  readonly named: string;
  /** Sessions of one member: session id, time, autologin (phpBB 2: logged in). Parameter: member id. */
  readonly sessionsOf: string;
  /** The database's clock, seconds since 1970. */
  readonly clock: string;
};

/** The longest run of members that one `page` is asked for. */
export const PAGE = 2000;

const PREFIX = /^[A-Za-z0-9_$]{0,48}$/;

/**
 * The statements for a board whose tables begin with `prefix`.
 * @param raw read names as bytes (a connection character set that is not UTF-8), see core/phpbb/names.ts.
 * @throws RangeError when the prefix cannot be the beginning of a table's name.
 */
export function statements(board: Board, prefix: string, raw: boolean): Statements {
  if (!PREFIX.test(prefix)) throw new RangeError('letters, digits, _ and $ only');
  const table = (name: string): string => `\`${prefix}${name}\``;
  const users = table('users');
  const text = (column: string): string => (raw ? `CAST(${column} AS BINARY)` : column);
  const name = text('u.username');
  const bans = board === 'phpbb4' ? table('bans') : table('banlist');

  const three = board !== 'phpbb2';
  const state = three ? 'u.user_type' : 'u.user_active';
  const active = three ? 'u.user_type IN (0,3)' : 'u.user_id>0 AND u.user_active=1';
  const flag = three ? 's.session_autologin' : 's.session_logged_in';
  const ban = {
    phpbb3: "IFNULL(b.ban_exclude,''),IFNULL(b.ban_end,'')",
    phpbb4: "0,IFNULL(b.ban_end,'')",
    phpbb2: "0,IF(b.ban_id IS NULL,'',0)",
  }[board];
  // One column: to describe ten of them for each answer takes both sides longer than to find the row. The name comes last,
  // behind a line end, which no e-mail address has.
  const email = `REPLACE(IFNULL(u.user_email,''),'\n','')`;
  const account = `u.user_id,${state},${ban},CONCAT(${text(email)},'\n',${name})`;
  const join = `LEFT JOIN ${bans} b ON b.ban_userid=u.user_id${board === 'phpbb4' ? " AND b.ban_mode='user'" : ''}`;

  return {
    session: `SELECT CONCAT_WS(' ',s.session_id,s.session_time,${flag},s.session_ip,${account}) FROM ${table('sessions')} s JOIN ${users} u ON u.user_id=s.session_user_id ${join} WHERE s.session_id=?`,
    account: `SELECT CONCAT_WS(' ',${account}) FROM ${users} u ${join} WHERE u.user_id=?`,
    member: `SELECT CONCAT_WS(' ',u.user_id,${state},${name}) FROM ${users} u WHERE u.user_id=?`,
    settings: `SELECT config_name,config_value FROM ${table('config')} WHERE config_name IN ('session_length','allow_autologin','max_autologin_time')`,
    addressBans: {
      phpbb3: `SELECT ban_email,ban_ip,ban_exclude,ban_end FROM ${bans} WHERE ban_userid=0`,
      phpbb4: `SELECT IF(ban_mode='email',ban_item,''),IF(ban_mode='ip',ban_item,''),0,ban_end FROM ${bans} WHERE ban_mode IN ('email','ip')`,
      phpbb2: `SELECT ban_email,ban_ip,0,0 FROM ${bans} WHERE ban_email<>'' OR ban_ip<>''`,
    }[board],
    memberBans: {
      phpbb3: `SELECT ban_userid,ban_exclude,ban_end FROM ${bans} WHERE ban_userid<>0`,
      phpbb4: `SELECT ban_userid,0,ban_end FROM ${bans} WHERE ban_mode='user' AND ban_userid<>0`,
      phpbb2: `SELECT ban_userid,0,0 FROM ${bans} WHERE ban_userid<>0`,
    }[board],
    // One pattern, for every name is read; brackets are taken for unusual too, as the servers' dialects differ about them.
    unusual: `SELECT u.user_id,${name} FROM ${users} u WHERE ${active} AND u.username REGEXP '[^ -%''-Z^-~]' ORDER BY u.user_id LIMIT ?`,
    highest: `SELECT MAX(user_id) FROM ${users}`,
    page: `SELECT u.user_id,${name},${state} FROM ${users} u WHERE u.user_id>? AND ${active} ORDER BY u.user_id LIMIT ?`,
    count: `SELECT COUNT(*) FROM ${table('users')} u WHERE ${active}`,
    called: `SELECT u.user_id,${name} FROM ${users} u WHERE LOWER(u.username)=? AND ${active} ORDER BY u.user_id`,
    named: `SELECT u.user_id,${name},${state} FROM ${users} u WHERE u.username=? OR u.username=? OR LOWER(u.username)=? OR LOWER(u.username)=?`,
    sessionsOf: `SELECT s.session_id,s.session_time,${flag} FROM ${table('sessions')} s WHERE s.session_user_id=?`,
    clock: 'SELECT UNIX_TIMESTAMP()',
  };
}
