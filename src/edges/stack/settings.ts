import { randomBytes } from 'node:crypto';
import type { TomlSections } from './config-file.ts';
import type { Board } from './forum-sql.ts';
import type { Bots } from './types.ts';

export const DOMAIN = 'chat.test';
export const MUC_SERVICE = `conference.${DOMAIN}`;
export const ROOM = `sax@${MUC_SERVICE}`;
export const CHANNEL = '#sax';
export const FORUM_DATABASE = 'forum';
export const ARCHIVE_DATABASE = 'archive';
export const FORUM_USER = 'saxctl';

/** What the stack itself and its tests ask of ejabberd over the API, besides what saxctl may. */
export const ADMIN_COMMANDS = [
  'status',
  'reload_config',
  'create_room_with_opts',
  'destroy_room',
  'change_room_option',
  'get_room_options',
  'get_room_occupants',
  'get_room_occupants_number',
  'set_room_affiliation',
  'get_room_affiliations',
  'muc_online_rooms',
  'connected_users',
  'connected_users_number',
  'kick_session',
  'kick_user',
  'send_message',
];

/** A fresh password. Hex, so that no file format and no shell has to quote it. */
export const secret = (): string => randomBytes(12).toString('hex');

/** The bots' accounts, with fresh passwords. */
export function makeBots(): Bots {
  const bot = (name: string) => ({ jid: `${name}@${DOMAIN}`, password: secret(), nick: name });
  return { webridge: bot('webridge'), ircbridge: bot('ircbridge'), guard: bot('guard') };
}

/** The sections of a saxctl.toml with which every command works; ports of parts that do not run are left out. */
export function saxctlSections(known: {
  board: Board;
  bots: Bots;
  databasePort: number | undefined;
  forumPassword: string;
  c2sPort: number | undefined;
  httpPort: number | undefined;
  ctl: string | undefined;
  ircPorts: readonly number[];
  tlsCa: string | undefined;
  saySocket: string;
  snapshot: string;
  stateDir: string;
}): TomlSections {
  return {
    database: {
      host: '127.0.0.1',
      port: known.databasePort,
      user: FORUM_USER,
      password: known.forumPassword,
      name: FORUM_DATABASE,
      board: known.board,
      charset: known.board === 'phpbb2' ? 'latin1' : undefined,
    },
    xmpp: {
      service: `xmpp://127.0.0.1:${known.c2sPort ?? 5222}`,
      domain: DOMAIN,
      muc_service: MUC_SERVICE,
      room: ROOM,
      tls_ca: known.tlsCa,
    },
    ejabberd: {
      via: 'ctl',
      ctl: known.ctl,
      api_url: known.httpPort === undefined ? undefined : `http://127.0.0.1:${known.httpPort}/api`,
    },
    auth: { token_key: secret() },
    webridge: { ...known.bots.webridge, socket: known.saySocket, socket_mode: '0600', snapshot: known.snapshot },
    ircbridge: { ...known.bots.ircbridge },
    irc: {
      servers: known.ircPorts.map((port) => `irc://127.0.0.1:${port}`),
      nick: 'sax',
      channel: CHANNEL,
      tls_ca: known.tlsCa,
    },
    guard: { ...known.bots.guard },
    state: { dir: known.stateDir },
  };
}
