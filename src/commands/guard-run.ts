import { randomInt } from 'node:crypto';
import { makeGuard } from '../app/guard.ts';
import { keepConnected } from '../app/keep-connected.ts';
import type { Config } from '../config/load.ts';
import { EXIT, SaxError } from '../core/errors.ts';
import type { GuardPolicy } from '../core/guard-rules.ts';
import { createMemberDirectory } from '../core/member-directory.ts';
import { LATENCY_BUCKETS, type Metrics } from '../core/metrics.ts';
import { openMembers } from '../edges/phpbb/members.ts';
import { connectXmpp } from '../edges/xmpp/connection.ts';
import type { Daemon } from '../lifecycle.ts';

/** The whole guard, until it is told to stop. */
export async function runGuard(daemon: Daemon): Promise<void> {
  const { log, clock, signal } = daemon;
  const { config } = daemon.loaded();
  const { guard: account, xmpp } = config;
  const jid = required(account.jid, 'guard.jid');
  const password = required(account.password, 'guard.password');
  required(xmpp.domain, 'xmpp.domain');
  const members = openMembers(config.database);
  const seed = randomInt(2 ** 31);
  let policy = policyOf(config);
  const guard = makeGuard({
    room: required(xmpp.room, 'xmpp.room (or xmpp.domain)').toLowerCase(),
    nick: required(account.nick, 'guard.nick'),
    policy: () => policy,
    endWithSession: () => daemon.loaded().config.guard.end_with_session,
    members,
    newDirectory: () => createMemberDirectory(seed, { looks: policy.guestDomain !== undefined }),
    connect: (connected, down, stop) =>
      keepConnected({
        name: 'xmpp',
        targets: [xmpp.service],
        describe: (service) => service,
        attempt: (service, abort) =>
          connectXmpp({ service, jid, password, resource: 'saxctl-guard', caFile: xmpp.tls_ca, log }, abort),
        connected,
        down,
        clock,
        random: Math.random,
        log,
        signal: stop,
      }),
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

/** What must be configured. Throws with exit 78, naming the key. */
function required(value: string | undefined, key: string): string {
  if (value !== undefined) return value;
  throw new SaxError(EXIT.config, `${key} is not set`, {
    hint: 'set it in saxctl.toml; saxctl config show lists what is set',
  });
}
