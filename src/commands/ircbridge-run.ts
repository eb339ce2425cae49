import { join } from 'node:path';
import { runIrcBridge } from '../app/ircbridge.ts';
import { type Link, makeLink } from '../app/ircbridge-link.ts';
import type { Direction, RelayCounts, RelaySettings } from '../app/relay.ts';
import { type Config, type LoadedConfig, need } from '../config/load.ts';
import { EXIT, SaxError } from '../core/errors.ts';
import { LATENCY_BUCKETS, type Metrics } from '../core/metrics.ts';
import { parseForm } from '../core/relay-nick.ts';
import { IRC, parseService } from '../core/service-url.ts';
import { connectIrc } from '../edges/irc/connection.ts';
import { openJournal } from '../edges/journal/journal.ts';
import { acquireLock } from '../edges/state/lock.ts';
import type { Daemon } from '../lifecycle.ts';
import { botOf } from './bot.ts';

type Pair = { readonly room: string; readonly channel: string; readonly key: string | undefined };

/** The whole ircbridge, until it is told to stop. */
export async function startIrcBridge(daemon: Daemon): Promise<void> {
  const { log, clock, signal } = daemon;
  const loaded = daemon.loaded();
  const { irc } = loaded.config;
  const bot = botOf(daemon, 'ircbridge');
  const ircNick = need(loaded, 'irc', 'nick');
  for (const server of need(loaded, 'irc', 'servers')) parseService(server, IRC);
  const dir = need(loaded, 'state', 'dir');

  const lock = acquireLock(join(dir, 'ircbridge.lock'));
  const links: Link[] = [];
  const changed = (): void => report(links, daemon);
  try {
    const count = countIn(daemon.metrics, links);
    for (const { room, channel, key } of pairsOf(loaded)) {
      const file = (direction: Direction): string =>
        join(dir, `ircbridge.${encodeURIComponent(room)}.${encodeURIComponent(channel)}.${direction}.journal`);
      links.push(
        makeLink({
          room,
          nick: bot.nick,
          channel,
          key,
          toIrcJournal: await openJournal(file('to-irc')),
          toRoomJournal: await openJournal(file('to-room')),
          changed,
          settings: settingsOf(daemon),
          count,
          clock,
          random: Math.random,
          log,
        }),
      );
    }
    await runIrcBridge({
      links,
      xmppService: bot.service,
      connectXmpp: bot.login,
      ircServers: irc.servers,
      connectIrc: (server, abort) =>
        connectIrc(
          server,
          {
            nick: ircNick,
            username: irc.username,
            realname: irc.realname,
            saslUser: irc.sasl_user,
            saslPassword: irc.sasl_password,
            certFile: irc.client_cert,
            nickservPassword: irc.nickserv_password,
            caFile: irc.tls_ca,
            log,
          },
          abort,
        ),
      flood: () => {
        const now = daemon.loaded().config.irc;
        return { burst: now.flood_burst, everyMs: now.flood_interval_ms };
      },
      clock,
      random: Math.random,
      log,
      signal,
    });
  } finally {
    lock.release();
  }
}

/** The pair of `[xmpp]` and `[irc]`, where there is one, and those of `[[link]]`. Throws with exit 78 when there is none or one twice. */
function pairsOf(loaded: LoadedConfig): readonly Pair[] {
  const { xmpp, irc, link } = loaded.config;
  const first = xmpp.room !== undefined && irc.channel !== undefined ? [{ room: xmpp.room, channel: irc.channel }] : [];
  const pairs = [...first, ...link].map(({ room, channel }) => ({
    room: room.toLowerCase(),
    channel,
    key: channel === irc.channel ? irc.channel_key : undefined,
  }));
  if (pairs.length === 0) {
    need(loaded, 'irc', 'channel', 'a [[link]]');
    need(loaded, 'xmpp', 'room', '[xmpp] domain');
  }
  for (const { channel } of pairs)
    if (!/^[#&+!][^\s,:\x07]+$/.test(channel))
      throw new SaxError(EXIT.config, `irc.channel: not a channel: ${JSON.stringify(channel)}`, {
        hint: 'a channel begins with #',
      });
  const unique = new Map(pairs.map((pair) => [`${pair.room} ${pair.channel.toLowerCase()}`, pair]));
  const rooms = new Set([...unique.values()].map(({ room }) => room));
  const channels = new Set([...unique.values()].map(({ channel }) => channel.toLowerCase()));
  if (rooms.size < unique.size || channels.size < unique.size)
    throw new SaxError(EXIT.config, 'link: a room or a channel stands in two links', {
      hint: 'each room and each channel can be in one link only',
    });
  return [...unique.values()];
}

/** The settings of the relay as configured now; made anew only after a reload. */
function settingsOf(daemon: Daemon): () => RelaySettings {
  let from: Config | undefined;
  let settings: RelaySettings | undefined;
  return () => {
    const { config } = daemon.loaded();
    if (settings !== undefined && from === config) return settings;
    from = config;
    const { ircbridge, webridge } = config;
    settings = {
      toIrc: parseForm(ircbridge.to_irc),
      toRoom: parseForm(ircbridge.to_room),
      ignore: new Set(ircbridge.ignore.map((nick) => nick.toLowerCase())),
      catchUpMs: ircbridge.catch_up,
      joins: ircbridge.joins,
      highlight: ircbridge.highlight,
      colours: ircbridge.colours,
      announcers: new Set(webridge.nick === undefined ? [] : [webridge.nick]),
    };
    return settings;
  };
}

/** Ready when every link is in on both sides. */
function report(links: readonly Link[], daemon: Daemon): void {
  const out = links
    .flatMap((link) => [link.sides().room, link.sides().channel])
    .filter(({ inside }) => !inside)
    .map(({ why }) => why);
  if (out.length > 0) daemon.notReady(out.join('; '));
  else {
    const ways = links.map((link) => `${link.sides().room.why} and ${link.sides().channel.why}`);
    daemon.ready(`relaying: ${ways.join('; ')}`);
  }
}

function countIn(metrics: Metrics, links: readonly Link[]): RelayCounts {
  const both = [{ direction: 'to-irc' }, { direction: 'to-room' }];
  const said = metrics.counter('saxctl_ircbridge_said_total', 'Lines relayed and confirmed, by direction.', both);
  const givenUp = metrics.counter(
    'saxctl_ircbridge_given_up_total',
    'Lines that the other side will never take.',
    both,
  );
  const gaps = metrics.counter('saxctl_ircbridge_gaps_total', 'Gaps told, by direction.', both);
  const latency = {
    'to-irc': metrics.histogram('saxctl_ircbridge_to_irc_seconds', 'From the room to the channel.', LATENCY_BUCKETS),
    'to-room': metrics.histogram('saxctl_ircbridge_to_room_seconds', 'From the channel to the room.', LATENCY_BUCKETS),
  };
  const sum = (of: (link: Link) => number): number => links.reduce((total, link) => total + of(link), 0);
  metrics.sampled('saxctl_ircbridge_waiting_to_irc', 'Lines on their way to IRC.', () =>
    sum((link) => link.waiting().toIrc),
  );
  metrics.sampled('saxctl_ircbridge_waiting_to_room', 'Lines on their way to the room.', () =>
    sum((link) => link.waiting().toRoom),
  );
  return {
    said(direction, ms) {
      said.inc({ direction });
      latency[direction].observe(ms / 1000);
    },
    givenUp: (direction) => givenUp.inc({ direction }),
    gap: (direction) => gaps.inc({ direction }),
  };
}
