import { randomInt } from 'node:crypto';
import { makeGuard } from '../app/guard.ts';
import { type Config, need } from '../config/load.ts';
import type { GuardPolicy } from '../core/guard-rules.ts';
import { createMemberDirectory } from '../core/member-directory.ts';
import { LATENCY_BUCKETS, type Metrics } from '../core/metrics.ts';
import { openMembers } from '../edges/phpbb/members.ts';
import type { Daemon } from '../lifecycle.ts';
import { botOf } from './bot.ts';

/** The whole guard, until it is told to stop. */
export async function runGuard(daemon: Daemon): Promise<void> {
  const { log, clock, signal } = daemon;
  const { config } = daemon.loaded();
  const bot = botOf(daemon, 'guard');
  need(daemon.loaded(), 'xmpp', 'domain');
  const members = openMembers(config.database);
  const seed = randomInt(2 ** 31);
  let policy = policyOf(config);
  const guard = makeGuard({
    room: bot.room(),
    nick: bot.nick,
    policy: () => policy,
    endWithSession: () => daemon.loaded().config.guard.end_with_session,
    members,
    newDirectory: () => createMemberDirectory(seed, { looks: policy.guestDomain !== undefined }),
    connect: bot.stayConnected,
    count: countIn(daemon.metrics),
    inside: daemon.ready,
    outside: daemon.notReady,
    clock,
    random: Math.random,
    log,
    signal,
  });
  daemon.metrics.sampled('saxctl_guard_members', 'Members of the forum that the guard knows.', guard.members);
  daemon.onReload((loaded) => {
    policy = policyOf(loaded.config);
    guard.refresh();
  });
  try {
    await guard.run();
  } finally {
    await members.close();
  }
}

function policyOf({ xmpp, webridge, ircbridge, guard }: Config): GuardPolicy {
  const bots = [webridge.jid, ircbridge.jid, guard.jid].filter((jid) => jid !== undefined);
  return {
    domain: (xmpp.domain ?? '').toLowerCase(),
    bots: new Set(bots.map((jid) => jid.toLowerCase())),
    guestDomain: guard.guest_domain?.toLowerCase(),
  };
}

function countIn(metrics: Metrics) {
  const removed = metrics.counter('saxctl_guard_removed_total', 'Occupants removed from the room, by reason.');
  const voiced = metrics.counter('saxctl_guard_voiced_total', 'Occupants who were given voice.');
  const decided = metrics.histogram(
    'saxctl_guard_decision_seconds',
    'From an occupant’s presence to the decision about him.',
    LATENCY_BUCKETS,
  );
  return {
    removed: (why: string) => removed.inc({ reason: why }),
    voiced: () => voiced.inc(),
    decided: (ms: number) => decided.observe(ms / 1000),
  };
}
