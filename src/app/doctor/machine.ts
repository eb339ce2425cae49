import { judgeSkew } from '../../core/doctor/database.ts';
import { judgeIrcNick, judgeIrcServer, judgeIrcServers } from '../../core/doctor/irc.ts';
import {
  directoryOf,
  judgeQueueLength,
  judgeSocket,
  judgeSocketDirectory,
  judgeSpool,
  judgeStateDirectory,
} from '../../core/doctor/machine.ts';
import { ok, problem, skipped, type Verdict } from '../../core/doctor/verdict.ts';
import {
  judgeDatabaseVersion,
  judgeEjabberdVersion,
  judgeForumVersion,
  judgeNode,
} from '../../core/doctor/versions.ts';
import {
  judgeApi,
  judgeBosh,
  judgeCertificate,
  judgeHttp2,
  judgeNginx,
  judgeWebSocket,
} from '../../core/doctor/web.ts';
import { reasonOf } from '../../core/errors.ts';
import type { Group, World } from './world.ts';

export const socketGroup: Group = async function* socketGroup({ world }, check) {
  const { webridge, state, metrics } = world.loaded.config;
  const path = webridge.socket;
  yield await check('socket.directory', async () =>
    judgeSocketDirectory(directoryOf(path), await world.file(directoryOf(path))),
  );
  yield await check('socket.listens', async () => {
    const bound = (await world.boundSockets()).has(path);
    return judgeSocket(
      path,
      await world.file(path),
      { mode: webridge.socket_mode, group: webridge.socket_group },
      bound,
    );
  });
  yield await check('socket.queue', async () => {
    const text = await world.readText('/proc/sys/net/unix/max_dgram_qlen');
    return judgeQueueLength(text === undefined ? undefined : Number(text));
  });
  yield await check('socket.spool', async () =>
    judgeSpool(webridge.spool, webridge.spool === undefined ? undefined : await world.file(webridge.spool)),
  );
  yield await check('state.directory', async () => {
    const dir = state.dir ?? '';
    return judgeStateDirectory(dir, await world.file(dir), await world.space(dir), await world.writable(dir));
  });
  if (metrics.listen !== undefined) yield await check('metrics.health', () => health(world, metrics.listen ?? ''));
};

async function health(world: World, listen: string): Promise<Verdict> {
  const answer = await world.http(`http://${listen}/healthz`);
  if (answer.status === 200) return ok(`the daemon on ${listen} does its job`);
  return problem(
    `the daemon on ${listen} says ${answer.failure ?? answer.status}`,
    `curl http://${listen}/healthz; journalctl -u 'saxctl-*' -n 50`,
  );
}

export const ircGroup: Group = async function* ircGroup({ world }, check) {
  const { irc, ircbridge } = world.loaded.config;
  if (ircbridge.jid === undefined && irc.servers.length === 0) {
    yield await check('irc.servers', () => skipped('ircbridge is not configured'));
    return;
  }
  yield await check('irc.names', () => judgeIrcNick(irc.nick, irc.channel));
  const verdicts: Verdict[] = [];
  const secrets =
    irc.sasl_password !== undefined || irc.nickserv_password !== undefined || irc.channel_key !== undefined;
  for (const [index, server] of irc.servers.entries()) {
    const finding = await check(`irc.server-${index + 1}`, async () =>
      judgeIrcServer(await world.irc(server), {
        sasl: irc.sasl_password !== undefined,
        secrets,
        nick: irc.nick,
        channel: irc.channel,
      }),
    );
    verdicts.push(finding);
    yield finding;
  }
  yield await check('irc.servers', () => judgeIrcServers(verdicts));
};

export const webGroup: Group = async function* webGroup({ world }, check) {
  const nginx = await world.nginx();
  if (nginx !== undefined) for (const { name, verdict } of judgeNginx(nginx)) yield await check(name, () => verdict);
  const { url } = world;
  if (url === undefined) {
    yield await check('web.websocket', () => skipped('give the page’s address by --url to check the web server'));
    return;
  }
  const base = new URL(url);
  const at = (path: string): string => new URL(path, base).href;
  const tls = base.protocol === 'https:' ? await world.tls(url) : undefined;
  if (tls !== undefined) yield await check('web.certificate', () => judgeCertificate(tls.days, tls.failure));
  yield await check('web.http2', () => judgeHttp2(tls?.protocol, tls !== undefined));
  yield await check('web.websocket', async () =>
    judgeWebSocket(
      await world.http(at('/ws'), {
        Connection: 'Upgrade',
        Upgrade: 'websocket',
        'Sec-WebSocket-Version': '13',
        'Sec-WebSocket-Key': 'ZG9jdG9yIG9mIHNheGN0bA==',
        'Sec-WebSocket-Protocol': 'xmpp',
      }),
    ),
  );
  yield await check('web.bosh', async () => judgeBosh(await world.http(at('/bosh'))));
  yield await check('web.api', async () => judgeApi(await world.http(at('/api/status'))));
};

export const clockGroup: Group = async function* clockGroup({ world, databaseWorks }, check) {
  yield await check('clock.database', async () => {
    if (!databaseWorks) return skipped('the database cannot be reached');
    const before = world.now();
    const [row] = await world.sql('SELECT UNIX_TIMESTAMP(NOW(6))');
    return judgeSkew('the database', Number(row?.[0]) - (before + world.now()) / 2000);
  });
  yield await check('clock.web', async () => {
    if (world.url === undefined) return skipped('no --url was given');
    const answer = await world.http(world.url);
    const date = Date.parse(answer.headers['date'] ?? '');
    // A Date header counts whole seconds.
    return Number.isNaN(date)
      ? skipped(answer.failure ?? 'the page tells no time')
      : judgeSkew('the web server', (date + 500 - world.now()) / 1000);
  });
};

export const versionsGroup: Group = async function* versionsGroup({ world, databaseWorks, status }, check) {
  yield await check('versions.node', () => judgeNode(world.nodeVersion));
  yield await check('versions.native', async () => {
    try {
      await world.native();
      return ok('UNIX datagrams work');
    } catch (error) {
      return problem(
        `UNIX datagrams do not work: ${reasonOf(error)}`,
        'npm install -g saxctl   # on this machine, so that npm takes the part for its processor',
      );
    }
  });
  yield await check('versions.ejabberd', async () =>
    judgeEjabberdVersion(/ejabberd (\d+\.\d+)/.exec((await status()).text)?.[1]),
  );
  yield await check('versions.database', async () => {
    if (!databaseWorks) return skipped('the database cannot be reached');
    return judgeDatabaseVersion(String((await world.sql('SELECT VERSION()'))[0]?.[0]));
  });
  yield await check('versions.forum', async () => {
    if (!databaseWorks) return skipped('the database cannot be reached');
    const table = `${world.loaded.config.database.table_prefix}config`.replaceAll('`', '``');
    const [row] = await world.sql(`SELECT config_value FROM \`${table}\` WHERE config_name = ?`, ['version']);
    return judgeForumVersion(row === undefined ? undefined : String(row[0]));
  });
};
