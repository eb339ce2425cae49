import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Connection } from 'mysql2/promise';
import { type Certificate, makeCertificate } from './certificate.ts';
import { mergeSections, tomlOf } from './config-file.ts';
import { createDirectory, removeDirectory, sweep } from './directory.ts';
import { createEjabberd, type Ejabberd } from './ejabberd.ts';
import { startSeeded } from './forum-seed.ts';
import { createInspIrcd, createNgIrcd, type ServerLink } from './irc.ts';
import { connectAsRoot, createMariaDb, type MariaDb } from './mariadb.ts';
import { makeMembers } from './members.ts';
import { createNginx } from './nginx.ts';
import { type HeldPort, holdPort } from './ports.ts';
import { MARK } from './process-table.ts';
import { createProxy, type OwnedProxy } from './proxy.ts';
import type { StackServer } from './server.ts';
import * as settings from './settings.ts';
import type { Bots, Part, Stack, StackOptions } from './types.ts';

/** Where everything of one stack lies. */
type Layout = {
  readonly directory: string;
  readonly config: string;
  readonly stateDir: string;
  readonly runDir: string;
  readonly snapshotDir: string;
};

/** What is put together while a stack starts. */
type Parts = {
  readonly servers: Partial<Record<Part, StackServer>>;
  readonly starts: (() => Promise<void>)[];
  database?: MariaDb;
  chat?: Ejabberd;
  ircLink?: IrcLink;
};

type Making = {
  readonly options: StackOptions;
  readonly layout: Layout;
  readonly port: () => Promise<HeldPort>;
  readonly tls: Certificate | undefined;
  readonly bots: Bots;
  readonly passwords: { readonly forum: string; readonly archive: string; readonly oper: string };
};

/** Attempts at a start: another program may take a port between our look and the server's bind. */
const ATTEMPTS = 3;

/**
 * Starts a private stack on loopback in a throw-away directory and resolves when all of it answers. First ends what killed
 * owners left behind. Several may run at once. Dies with this process, also by SIGKILL.
 */
export async function startStack(options: StackOptions = {}): Promise<Stack> {
  await sweep();
  for (let attempt = 1; ; attempt += 1) {
    const directory = await createDirectory();
    const held: HeldPort[] = [];
    const end = async (): Promise<void> => {
      await removeDirectory(directory);
      for (const port of held) port.release();
    };
    try {
      return await build(directory, options, held, end);
    } catch (error) {
      await end();
      const taken = /eaddrinuse|address already in use/i.test(String(error));
      if (!taken || attempt === ATTEMPTS) throw error;
    }
  }
}

async function build(
  directory: string,
  options: StackOptions,
  held: HeldPort[],
  end: () => Promise<void>,
): Promise<Stack> {
  const layout: Layout = {
    directory,
    config: join(directory, 'saxctl.toml'),
    stateDir: join(directory, 'state'),
    runDir: join(directory, 'run'),
    snapshotDir: join(directory, 'snapshot'),
  };
  for (const path of [layout.stateDir, layout.runDir, layout.snapshotDir]) await mkdir(path, { mode: 0o700 });
  const making: Making = {
    options,
    layout,
    tls: options.tls ? await makeCertificate(directory, settings.DOMAIN) : undefined,
    bots: settings.makeBots(),
    passwords: { forum: settings.secret(), archive: settings.secret(), oper: settings.secret() },
    async port() {
      const port = await holdPort();
      held.push(port);
      return port;
    },
  };
  const members = makeMembers(options.members ?? []);
  const wanted = new Set<Part>(options.parts ?? ['mariadb', 'ejabberd', 'irc1']);
  const parts: Parts = { servers: {}, starts: [] };
  const start = (name: Part, server: StackServer, work: () => Promise<void>): void => {
    parts.servers[name] = server;
    parts.starts.push(async () => {
      const began = performance.now();
      await work();
      options.onStep?.(name, performance.now() - began);
    });
  };

  if (wanted.has('mariadb') || wanted.has('ejabberd')) {
    const database = await createMariaDb(directory, [await making.port(), await making.port()]);
    parts.database = database;
    const seed = {
      board: options.board ?? 'phpbb3',
      members,
      forumPassword: making.passwords.forum,
      archivePassword: making.passwords.archive,
    };
    start('mariadb', database.server, () => startSeeded(database, seed));
    if (wanted.has('ejabberd')) {
      const chat = await prepareEjabberd(making, database.archivePort);
      parts.chat = chat;
      const room = { name: 'sax', service: settings.MUC_SERVICE, owner: making.bots.guard.jid };
      start('ejabberd', chat.server, () => chat.begin(room));
    }
  }
  if (options.ircLinked) parts.ircLink = await prepareLink(making);
  for (const name of ['irc1', 'irc2', 'ngircd'] as const) {
    if (!wanted.has(name)) continue;
    const server = await prepareIrc(making, name, parts.ircLink);
    start(name, server, () => server.start());
  }
  if (wanted.has('nginx')) {
    const server = await prepareNginx(making, parts.chat?.httpPort);
    start('nginx', server, () => server.start());
  }

  await writeConfig(making, parts);
  await parts.ircLink?.proxy.mend();
  const results = await Promise.allSettled(parts.starts.map((begin) => begin()));
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return facade(making, parts, members, end);
}

async function prepareEjabberd({ options, layout, port, tls, bots, passwords }: Making, sqlPort: number) {
  return createEjabberd(
    layout.directory,
    {
      c2s: await port(),
      http: await port(),
      distribution: await port(),
      c2sProxy: await port(),
      httpProxy: await port(),
      ...(tls === undefined ? {} : { tls: await port(), tlsProxy: await port() }),
    },
    {
      domain: settings.DOMAIN,
      mucService: settings.MUC_SERVICE,
      extauthProgram: options.extauth ?? extauthOf(options.program, layout.config),
      extauthPoolSize: 2,
      bots: Object.values(bots).map(({ jid }) => jid),
      guard: bots.guard.jid,
      sql: {
        host: '127.0.0.1',
        port: sqlPort,
        database: settings.ARCHIVE_DATABASE,
        user: 'ejabberd',
        password: passwords.archive,
      },
      moderated: options.moderated ?? false,
      nickModule: options.nickModule === undefined ? undefined : 'loaded',
      failToBan: false,
      furtherCommands: settings.ADMIN_COMMANDS,
    },
    { pem: tls?.both, nickModule: options.nickModule },
  );
}

type IrcLink = { readonly proxy: OwnedProxy; readonly links: Readonly<Record<'irc1' | 'irc2', ServerLink>> };

/** irc1 seeks irc2 through a proxy. */
async function prepareLink({ port, passwords }: Making): Promise<IrcLink> {
  const [first, second, between] = [await port(), await port(), await port()];
  const password = passwords.oper;
  return {
    proxy: createProxy(between.port, { host: '127.0.0.1', port: second.port }),
    links: {
      irc1: { port: first.port, peer: 'irc2', seek: between.port, password },
      irc2: { port: second.port, peer: 'irc1', seek: undefined, password },
    },
  };
}

async function prepareIrc(
  { options, layout, port, tls, passwords }: Making,
  name: 'irc1' | 'irc2' | 'ngircd',
  network: IrcLink | undefined,
) {
  const create = name === 'ngircd' ? createNgIrcd : createInspIrcd;
  return create(
    layout.directory,
    {
      direct: await port(),
      proxy: await port(),
      ...(tls === undefined ? {} : { tls: await port(), tlsProxy: await port() }),
    },
    {
      name,
      network: network === undefined ? `Sample${name}` : 'Sample',
      channel: settings.CHANNEL,
      operPassword: passwords.oper,
      unlimited: options.ircUnlimited ?? false,
      // Two kinds of InspIRCd: with everything that a bridge can use, and as it comes.
      bare: name === 'irc2' && network === undefined,
      link: name === 'ngircd' ? undefined : network?.links[name],
      tls,
    },
  );
}

async function prepareNginx({ options, layout, port, tls }: Making, httpPort: number | undefined) {
  return createNginx(
    layout.directory,
    { direct: await port(), proxy: await port() },
    {
      serverName: 'localhost',
      ejabberd: `127.0.0.1:${httpPort ?? 9}`,
      widget: options.site?.widget ?? layout.runDir,
      snapshot: layout.snapshotDir,
      root: options.site?.root ?? layout.runDir,
      ...(tls === undefined ? {} : { tls }),
    },
  );
}

const saySocket = (layout: Layout): string => join(layout.runDir, 'say.sock');
const snapshot = (layout: Layout): string => join(layout.snapshotDir, 'room.json');

async function writeConfig({ options, layout, tls, bots, passwords }: Making, { servers, chat }: Parts): Promise<void> {
  const sections = settings.saxctlSections({
    board: options.board ?? 'phpbb3',
    bots,
    databasePort: servers.mariadb?.port,
    forumPassword: passwords.forum,
    c2sPort: servers.ejabberd?.port,
    httpPort: chat?.httpPort,
    ctl: chat?.ctl,
    ircPorts: [servers.irc1, servers.irc2, servers.ngircd].flatMap((irc) => (irc === undefined ? [] : [irc.port])),
    tlsCa: tls?.certificate,
    saySocket: saySocket(layout),
    snapshot: snapshot(layout),
    stateDir: layout.stateDir,
  });
  await writeFile(layout.config, tomlOf(mergeSections(sections, options.config ?? {})), { mode: 0o600 });
}

function facade(
  { layout, tls, bots, passwords }: Making,
  { servers, database, chat, ircLink }: Parts,
  members: Stack['members'],
  end: () => Promise<void>,
): Stack {
  const part = (name: Part): StackServer => {
    const server = servers[name];
    if (server === undefined) throw new Error(`${name} is not among the parts of this stack`);
    return server;
  };
  let connection: Promise<Connection> | undefined;
  const root = (): Promise<Connection> => {
    part('mariadb');
    connection ??= connectAsRoot(database?.socket ?? '', settings.FORUM_DATABASE).then((open) => {
      // A killed server ends it; the next statement opens another.
      open.on('error', () => {
        connection = undefined;
      });
      return open;
    });
    connection.catch(() => {
      connection = undefined;
    });
    return connection;
  };
  let stopping: Promise<void> | undefined;
  return {
    directory: layout.directory,
    config: layout.config,
    domain: settings.DOMAIN,
    mucService: settings.MUC_SERVICE,
    room: settings.ROOM,
    channel: settings.CHANNEL,
    members,
    bots,
    saySocket: saySocket(layout),
    stateDir: layout.stateDir,
    snapshot: snapshot(layout),
    snapshotDirectory: layout.snapshotDir,
    operPassword: passwords.oper,
    tlsCa: tls?.certificate ?? '',
    env: { [MARK]: layout.directory, SAXCTL_CONFIG: layout.config, HOME: layout.directory },
    databaseSocket: database?.socket ?? '',
    httpUrl: chat === undefined ? '' : `http://127.0.0.1:${chat.httpPort}`,
    httpPort: chat?.httpPort ?? 0,
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
    get ircLink() {
      if (ircLink === undefined) throw new Error('irc1 and irc2 are not linked in this stack');
      return ircLink.proxy;
    },
    async api(command, parameters = {}) {
      part('ejabberd');
      return chat?.api(command, parameters);
    },
    async sql(statement, parameters = []) {
      const open = await root();
      const [rows] = await open.query(statement, [...parameters]);
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
        await ircLink?.proxy.close();
        await end();
      })();
      return stopping;
    },
  };
}

/** `node PROGRAM --config CONFIG auth`, quoted for a shell. */
function extauthOf(program: string | undefined, config: string): string {
  if (program === undefined) return 'tail -f /dev/null';
  const shell = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;
  return `${[process.execPath, program, '--config', config].map(shell).join(' ')} auth`;
}
