import { join } from 'node:path';
import type { DatagramSocket } from '../app/ports/datagram.ts';
import { keepSnapshot } from '../app/snapshot.ts';
import { makeWebridge } from '../app/webridge.ts';
import { type Config, need } from '../config/load.ts';
import { LATENCY_BUCKETS, type Metrics } from '../core/metrics.ts';
import { activatedDescriptors } from '../edges/dgram/activation.ts';
import { groupNumber } from '../edges/dgram/group.ts';
import { adoptDatagrams, listenDatagrams, refuseLive } from '../edges/dgram/listen.ts';
import { openJournal } from '../edges/journal/journal.ts';
import { openSpool } from '../edges/spool/spool.ts';
import { writeAtomically } from '../edges/state/atomic.ts';
import { acquireLock } from '../edges/state/lock.ts';
import type { Daemon } from '../lifecycle.ts';
import { botOf } from './bot.ts';
import type { Context } from './command.ts';

/** The whole webridge, until it is told to stop. */
export async function runWebridge(context: Context, daemon: Daemon): Promise<void> {
  const { log, clock, signal } = daemon;
  const { config } = daemon.loaded();
  const { webridge } = config;
  const bot = botOf(daemon, 'webridge');
  const room = bot.room();
  const dir = need(daemon.loaded(), 'state', 'dir');

  // Before the lock: a socket that is alive is the plainer reason (DESIGN 7: 73).
  if (activatedDescriptors(context.io.env, process.pid).length === 0) refuseLive(webridge.socket);
  const lock = acquireLock(join(dir, 'webridge.lock'));
  try {
    const journal = await openJournal(join(dir, `webridge.${encodeURIComponent(room)}.journal`));
    const socket = await openSocket(context, config);
    const snapshotFile = webridge.snapshot;
    const bridge = makeWebridge({
      room,
      nick: bot.nick,
      socket,
      journal,
      spool: webridge.spool === undefined ? undefined : openSpool(webridge.spool, clock),
      snapshot:
        snapshotFile === undefined
          ? undefined
          : keepSnapshot({
              room,
              lines: webridge.snapshot_lines,
              write: (text) => writeAtomically(snapshotFile, text, 0o644, { durable: false }),
              clock,
              log,
            }),
      connect: bot.stayConnected,
      decoding() {
        const now = daemon.loaded().config;
        return { entities: now.webridge.entities === 'keep' ? 'keep' : 'decode', wording: now.wording };
      },
      count: countIn(daemon.metrics),
      inside: daemon.ready,
      outside: daemon.notReady,
      clock,
      random: Math.random,
      log,
      signal,
    });
    daemon.metrics.sampled(
      'saxctl_webridge_waiting',
      'Announcements accepted and not yet confirmed by the room.',
      () => bridge.waiting().entries,
    );
    daemon.metrics.sampled(
      'saxctl_webridge_oldest_seconds',
      'Age of the oldest of them.',
      () => bridge.waiting().oldestMs / 1000,
    );
    await bridge.run();
  } finally {
    lock.release();
  }
}

/** The supervisor's socket where there is one, else our own. */
async function openSocket({ io, log }: Context, { webridge }: Config): Promise<DatagramSocket> {
  const [descriptor, ...more] = activatedDescriptors(io.env, process.pid);
  if (descriptor !== undefined) {
    if (more.length > 0) log.warn('listen-fds', `${more.length} further sockets were handed over and are not used`);
    log.info('listening', 'on the socket of the supervisor: it outlives us');
    return adoptDatagrams(descriptor);
  }
  const group = webridge.socket_group === undefined ? undefined : await groupNumber(webridge.socket_group);
  const socket = listenDatagrams({ path: webridge.socket, mode: webridge.socket_mode, group });
  log.info('listening', `on ${webridge.socket}`, { socket: webridge.socket });
  return socket;
}

function countIn(metrics: Metrics) {
  const received = metrics.counter('saxctl_webridge_received_total', 'Announcements received by socket or spool.');
  const dropped = metrics.counter(
    'saxctl_webridge_dropped_total',
    'Announcements that said nothing that can be said, by reason.',
  );
  const said = metrics.counter('saxctl_webridge_said_total', 'Announcements confirmed by the room.');
  const givenUp = metrics.counter('saxctl_webridge_given_up_total', 'Announcements that the room will never take.');
  const latency = metrics.histogram(
    'saxctl_webridge_said_seconds',
    'From acceptance to confirmation.',
    LATENCY_BUCKETS,
  );
  return {
    received: () => received.inc(),
    dropped: (reason: string) => dropped.inc({ reason }),
    said(ms: number) {
      said.inc();
      latency.observe(ms / 1000);
    },
    givenUp: () => givenUp.inc(),
  };
}
