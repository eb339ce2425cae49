import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Stack } from '../../src/edges/stack/types.ts';
import { PROGRAM } from '../../test/helpers/stack.ts';

export type Relay = {
  readonly name: string;
  /** Program and arguments; `state` is a directory of its own. */
  readonly command: (stack: Stack, state: string) => readonly string[];
  readonly env?: (stack: Stack, state: string) => Record<string, string>;
  /** What it writes when it relays. */
  readonly ready: RegExp;
};

const EVENT = /"event":"ready"/;

export const FLOOR: Relay = {
  name: 'bare loop of the libraries (floor)',
  command: ({ ejabberd, bots, room, irc1, channel }) => [
    process.execPath,
    resolve('bench/lib/bare-relay.mjs'),
    ...[ejabberd.directPort, bots.guard.jid, bots.guard.password, room, irc1.directPort, channel].map(String),
  ],
  ready: EVENT,
};

export const OURS: Relay = {
  name: 'saxctl ircbridge',
  command: ({ config }) => [
    process.execPath,
    ...(process.env['BENCH_NODE_ARGS']?.split(' ') ?? []),
    PROGRAM,
    ...['--config', config, '--log-format', 'json', 'ircbridge'],
  ],
  env: ({ ejabberd, irc1, env }, state) => ({
    ...env,
    SAXCTL_STATE_DIR: state,
    SAXCTL_IRC_FLOOD_INTERVAL_MS: '0',
    SAXCTL_XMPP_SERVICE: `xmpp://127.0.0.1:${ejabberd.directPort}`,
    SAXCTL_IRC_SERVERS: `irc://127.0.0.1:${irc1.directPort}`,
  }),
  ready: EVENT,
};

/**
 * matterbridge 1.26, where a binary is named, with its flood delay at the least that it takes (1 ms, as measured elsewhere) and a
 * queue that holds a whole burst. Written by its documented settings.
 */
export function matterbridge(binary: string): Relay {
  return {
    name: 'matterbridge',
    command({ ejabberd, bots, room, mucService, irc1, channel }, state) {
      const file = `${state}.matterbridge.toml`;
      const [name] = room.split('@');
      writeFileSync(
        file,
        `[irc.bench]
Server="127.0.0.1:${irc1.directPort}"
UseTLS=false
Nick="matter"
RemoteNickFormat="<{NICK}> "
MessageDelay=1
MessageQueue=100000
MessageLength=400
[xmpp.bench]
Server="127.0.0.1:${ejabberd.directPort}"
Jid="${bots.guard.jid}"
Password="${bots.guard.password}"
Muc="${mucService}"
Nick="matter"
NoTLS=true
SkipTLSVerify=true
RemoteNickFormat="<{NICK}> "
[[gateway]]
name="bench"
enable=true
[[gateway.inout]]
account="irc.bench"
channel="${channel}"
[[gateway.inout]]
account="xmpp.bench"
channel="${name}"
`,
        { mode: 0o600 },
      );
      return [binary, '-conf', file];
    },
    ready: /Now relaying messages/,
  };
}

/** A directory name for a relay's round. */
export function stateOf(stack: Stack, relay: Relay, round: number): string {
  return join(stack.stateDir, `bench-${relay.name.replaceAll(/\W+/g, '-')}-${round}`);
}
