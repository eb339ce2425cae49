import { randomBytes } from 'node:crypto';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Connection } from 'mysql2/promise';
import { ARCHIVE_TABLES } from '../../core/archive-schema.ts';
import { mergeSections, type TomlSections, tomlOf } from './config-file.ts';
import { createDirectory, removeDirectory, sweep } from './directory.ts';
import { createEjabberd, type Ejabberd } from './ejabberd.ts';
import { type Board, forumGrants, forumRows, forumTables } from './forum-sql.ts';
import { createInspIrcd, createNgIrcd } from './irc.ts';
import { connectAsRoot, createMariaDb, type MariaDb } from './mariadb.ts';
import { type ExtraMember, type Member, makeMembers, type Session } from './members.ts';
import { createNginx } from './nginx.ts';
import { type HeldPort, holdPort } from './ports.ts';
import { MARK } from './process-table.ts';
import type { StackServer } from './server.ts';

export type Part = 'mariadb' | 'ejabberd' | 'irc1' | 'irc2' | 'ngircd' | 'nginx';

export type StackOptions = {
  /** What runs; mariadb, ejabberd and irc1 by default. ejabberd brings mariadb with it (the archive). */
  readonly parts?: readonly Part[];
  readonly board?: Board;
  /** Members besides the sample ones. */
  readonly members?: readonly ExtraMember[];
  /** bin/saxctl.js, which answers ejabberd's questions as `saxctl -c CONFIG auth`. */
  readonly program?: string;
  /** Another authentication program, as shell words; wins over `program`. */
  readonly extauth?: string;
  /** Nobody speaks in the room without voice, which the guard gives. */
  readonly moderated?: boolean;
  /** IRC servers without flood protection. */
  readonly ircUnlimited?: boolean;
  /** Keys put over those of the generated saxctl.toml; undefined removes one. */
  readonly config?: TomlSections;
  /** nginx' document root; its widget directory is served below /chat/widget/. */
  readonly site?: { readonly root: string; readonly widget: string };
  /** Called when a step is done, for progress. */
  readonly onStep?: (step: string, ms: number) => void;
};

export type Bot = { readonly jid: string; readonly password: string; readonly nick: string };

export type Stack = {
  /** The throw-away directory (0700). */
  readonly directory: string;
  /** Path of the generated saxctl.toml: every command works with `-c`. */
  readonly config: string;
  readonly domain: string;
  readonly mucService: string;
  readonly room: string;
  readonly channel: string;
  readonly members: readonly Member[];
  readonly bots: { readonly webridge: Bot; readonly ircbridge: Bot; readonly guard: Bot };
  /** The webridge's datagram socket and the state directory of saxctl.toml. */
  readonly saySocket: string;
  readonly stateDir: string;
  readonly snapshot: string;
  readonly operPassword: string;
  /** Environment for children: marked, so that they end with the stack, and without the machine's own configuration. */
  readonly env: Readonly<Record<string, string>>;
  readonly mariadb: StackServer;
  readonly ejabberd: StackServer;
  readonly irc1: StackServer;
  readonly irc2: StackServer;
  readonly ngircd: StackServer;
  readonly nginx: StackServer;
  /** MariaDB's UNIX socket, past the proxies. */
  readonly databaseSocket: string;
  /** ejabberd's HTTP listener through the proxy: http://127.0.0.1:PORT, with /bosh, /ws, /api. */
  readonly httpUrl: string;
  /** The command for `[ejabberd] ctl`. */
  readonly ctl: string;
  /** A command of ejabberd's API, past the proxy. */
  api(command: string, parameters?: Readonly<Record<string, unknown>>): Promise<unknown>;
  /** A statement as the database's root in the forum's database (`archive.` names the archive's), past the proxies. */
  sql(
    statement: string,
    parameters?: readonly (string | number)[],
  ): Promise<readonly Readonly<Record<string, unknown>>[]>;
  /** A sample member by name. */
  member(name: string): Member & { readonly session: Session };
  /** Ends everything and removes the directory. */
  stop(): Promise<void>;
};

const DOMAIN = 'chat.test';
const CHANNEL = '#sax';
const FORUM = 'forum';
const ARCHIVE = 'archive';

/** What the stack itself and its tests ask of ejabberd over the API, besides what saxctl may. */
const ADMIN_COMMANDS = [
  'status',
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
  'subscribe_room',
];

/**
 * Starts a private stack on loopback in a throw-away directory and resolves when all of it answers. First ends what killed
 * owners left behind. Several may run at once. Dies with this process, also by SIGKILL.
 */
export async function startStack(options: StackOptions = {}): Promise<Stack> {
  await sweep();
  const directory = await createDirectory();
  const held: HeldPort[] = [];
  try {
    return await build(
      directory,
      options,
      async () => {
        const port = await holdPort();
        held.push(port);
        return port;
      },
      held,
    );
  } catch (error) {
    await removeDirectory(directory);
    for (const port of held) port.release();
    throw error;
  }
}

async function build(
  directory: string,
  options: StackOptions,
  port: () => Promise<HeldPort>,
  held: readonly HeldPort[],
): Promise<Stack> {
  const wanted = new Set<Part>(options.parts ?? ['mariadb', 'ejabberd', 'irc1']);
  if (wanted.has('ejabberd')) wanted.add('mariadb');
  const board = options.board ?? 'phpbb3';
  const members = makeMembers(options.members ?? []);
  const mucService = `conference.${DOMAIN}`;
  const room = `sax@${mucService}`;
  const bot = (name: string): Bot => ({ jid: `${name}@${DOMAIN}`, password: secret(), nick: name });
  const bots = { webridge: bot('webridge'), ircbridge: bot('ircbridge'), guard: bot('guard') };
  const config = join(directory, 'saxctl.toml');
  const stateDir = join(directory, 'state');
  const runDir = join(directory, 'run');
  const snapshotDir = join(directory, 'snapshot');
  for (const path of [stateDir, runDir, snapshotDir]) await mkdir(path, { mode: 0o700 });
  const operPassword = secret();
  const forumPassword = secret();
  const archivePassword = secret();

  const step = async <T>(name: string, work: Promise<T>): Promise<T> => {
    const began = performance.now();
    const result = await work;
    options.onStep?.(name, performance.now() - began);
    return result;
  };

  const starting: Promise<unknown>[] = [];
  let database: MariaDb | undefined;
  let chat: Ejabberd | undefined;
  const servers: Partial<Record<Part, StackServer>> = {};

  if (wanted.has('mariadb')) {
    const mariadb = await createMariaDb(directory, [await port(), await port()]);
    database = mariadb;
    servers.mariadb = mariadb.server;
    starting.push(step('mariadb', startMariaDb(mariadb, board, members, [forumPassword, archivePassword])));
  }
  if (wanted.has('ejabberd') && database !== undefined) {
    const ejabberd = await createEjabberd(
      directory,
      {
        c2s: await port(),
        http: await port(),
        distribution: await port(),
        c2sProxy: await port(),
        httpProxy: await port(),
      },
      {
        domain: DOMAIN,
        mucService,
        extauthProgram: options.extauth ?? extauthOf(options.program, config),
        extauthPoolSize: 2,
        bots: Object.values(bots).map(({ jid }) => jid),
        guard: bots.guard.jid,
        sql: {
          host: '127.0.0.1',
          port: database.archivePort,
          database: ARCHIVE,
          user: 'ejabberd',
          password: archivePassword,
        },
        moderated: options.moderated ?? false,
        failToBan: false,
        furtherCommands: ADMIN_COMMANDS,
      },
    );
    chat = ejabberd;
    servers.ejabberd = ejabberd.server;
    starting.push(step('ejabberd', ejabberd.begin({ name: 'sax', service: mucService, owner: bots.guard.jid })));
  }
  for (const name of ['irc1', 'irc2', 'ngircd'] as const) {
    if (!wanted.has(name)) continue;
    const create = name === 'ngircd' ? createNgIrcd : createInspIrcd;
    const irc = await create(
      directory,
      { direct: await port(), proxy: await port() },
      { name, network: `Sample${name}`, channel: CHANNEL, operPassword, unlimited: options.ircUnlimited ?? false },
    );
    servers[name] = irc;
    starting.push(step(name, irc.start()));
  }
  if (wanted.has('nginx')) {
    const nginx = await createNginx(
      directory,
      { direct: await port(), proxy: await port() },
      {
        serverName: 'localhost',
        ejabberd: `127.0.0.1:${chat?.httpPort ?? 9}`,
        widget: options.site?.widget ?? directory,
        snapshot: snapshotDir,
        root: options.site?.root ?? runDir,
      },
    );
    servers.nginx = nginx;
    starting.push(step('nginx', nginx.start()));
  }

  const saySocket = join(runDir, 'say.sock');
  const snapshot = join(snapshotDir, 'room.json');
  const ircServers = (['irc1', 'irc2', 'ngircd'] as const).flatMap((name) => {
    const irc = servers[name];
    return irc === undefined ? [] : [`irc://127.0.0.1:${irc.port}`];
  });
  const sections: TomlSections = {
    database: {
      host: '127.0.0.1',
      port: servers.mariadb?.port,
      user: 'saxctl',
      password: forumPassword,
      name: FORUM,
      board,
      charset: board === 'phpbb2' ? 'latin1' : undefined,
    },
    xmpp: {
      service: `xmpp://127.0.0.1:${servers.ejabberd?.port ?? 5222}`,
      domain: DOMAIN,
      muc_service: mucService,
      room,
    },
    ejabberd: {
      via: 'ctl',
      ctl: chat?.ctl,
      api_url: chat === undefined ? undefined : `http://127.0.0.1:${chat.httpPort}/api`,
    },
    auth: { token_key: secret() },
    webridge: { ...bots.webridge, socket: saySocket, socket_mode: '0600', snapshot },
    ircbridge: { ...bots.ircbridge },
    irc: { servers: ircServers, nick: 'sax', channel: CHANNEL },
    guard: { ...bots.guard },
    state: { dir: stateDir },
  };
  await writeFile(config, tomlOf(mergeSections(sections, options.config ?? {})), { mode: 0o600 });
  await chmod(config, 0o600);

  const results = await Promise.allSettled(starting);
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;

  const part = (name: Part): StackServer => {
    const server = servers[name];
    if (server === undefined) throw new Error(`${name} is not among the parts of this stack`);
    return server;
  };
  let connection: Promise<Connection> | undefined;
  const forget = (): void => {
    connection = undefined;
  };
  const root = async (): Promise<Connection> => {
    part('mariadb');
    connection ??= connectAsRoot(database?.socket ?? '', FORUM).then(
      (open) => open.on('error', forget) as unknown as Connection,
    );
    return connection;
  };
  let stopping: Promise<void> | undefined;
  return {
    directory,
    config,
    domain: DOMAIN,
    mucService,
    room,
    channel: CHANNEL,
    members,
    bots,
    saySocket,
    stateDir,
    snapshot,
    operPassword,
    env: { [MARK]: directory, SAXCTL_CONFIG: config, HOME: directory },
    databaseSocket: database?.socket ?? '',
    httpUrl: chat === undefined ? '' : `http://127.0.0.1:${chat.httpPort}`,
    ctl: chat?.ctl ?? '',
    get mariadb() {
      return part('mariadb');
    },
    get ejabberd() {
      return part('ejabberd');
    },
    get irc1() {
      return part('irc1');
    },
    get irc2() {
      return part('irc2');
    },
    get ngircd() {
      return part('ngircd');
    },
    get nginx() {
      return part('nginx');
    },
    async api(command, parameters = {}) {
      part('ejabberd');
      return chat?.api(command, parameters);
    },
    async sql(statement, parameters = []) {
      const [rows] = await (await root()).query(statement, [...parameters]);
      return Array.isArray(rows) ? (rows as Record<string, unknown>[]) : [];
    },
    member(name) {
      const found = members.find((member) => member.name === name);
      if (found?.session === undefined) throw new Error(`no sample member with a session is called ${name}`);
      return { ...found, session: found.session };
    },
    stop() {
      stopping ??= (async () => {
        (await connection?.catch(() => undefined))?.destroy();
        await Promise.all(Object.values(servers).map((server) => server.kill()));
        await removeDirectory(directory);
        for (const each of held) each.release();
      })();
      return stopping;
    },
  };
}

const secret = (): string => randomBytes(12).toString('hex');

/** `node PROGRAM -c CONFIG auth` for a shell; without a program every question is refused. */
function extauthOf(program: string | undefined, config: string): string {
  if (program === undefined) return `tail -f /dev/null`;
  const shell = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;
  return `${[process.execPath, program, '--config', config].map(shell).join(' ')} auth`;
}

async function startMariaDb(
  mariadb: MariaDb,
  board: Board,
  members: readonly Member[],
  [forumPassword, archivePassword]: readonly [string, string],
): Promise<void> {
  await mariadb.server.start();
  const root = await connectAsRoot(mariadb.socket);
  try {
    // ejabberd first: it starts at the same time and wants its tables.
    await root.query(`CREATE DATABASE ${ARCHIVE} CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci`);
    await root.query(`CREATE USER 'ejabberd'@'localhost' IDENTIFIED BY '${archivePassword}'`);
    await root.query(`GRANT ALL ON ${ARCHIVE}.* TO 'ejabberd'@'localhost'`);
    await root.query(`USE ${ARCHIVE}`);
    for (const table of ARCHIVE_TABLES) await root.query(table);
    await root.query(`CREATE DATABASE ${FORUM} CHARACTER SET utf8mb3 COLLATE utf8mb3_bin`);
    await root.query(`USE ${FORUM}`);
    for (const table of forumTables(board)) await root.query(table);
    await root.query('START TRANSACTION');
    const now = Math.floor(Date.now() / 1000);
    for (const [sql, parameters] of forumRows(board, members, now)) await root.query(sql, [...(parameters ?? [])]);
    await root.query('COMMIT');
    for (const [sql] of forumGrants(FORUM, 'saxctl', forumPassword)) await root.query(sql);
  } finally {
    await root.end();
  }
}
