import type { Bucket } from '../core/flood.ts';
import type { Link } from './ircbridge-link.ts';
import { keepConnected } from './keep-connected.ts';
import { newPacer } from './pacer.ts';
import type { ChatSession, Disconnect } from './ports/chat.ts';
import type { Clock } from './ports/clock.ts';
import type { IrcSession } from './ports/irc.ts';
import type { Log } from './ports/log.ts';

export type IrcBridgeOptions = {
  readonly links: readonly Link[];
  readonly xmppService: string;
  readonly connectXmpp: (signal: AbortSignal) => Promise<ChatSession>;
  readonly ircServers: readonly string[];
  readonly connectIrc: (server: string, signal: AbortSignal) => Promise<IrcSession>;
  /** The pace on IRC, asked for each connection. */
  readonly flood: () => Bucket;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly signal: AbortSignal;
};

/** How long a stop may take for what is on its way; the rest waits in the journals. */
const DRAIN_MS = 2500;
/** A server that banned us, or finds us too quick, is left alone for as long as the backoff goes. */
const PENALTY_MS = 60_000;

/**
 * The relay: one connection to each side for all links, each kept alive by its own loop. Resolves when the signal is aborted
 * and what was on its way has been confirmed (or waits in the journals); rejects with a SaxError when one side is hopeless.
 */
export async function runIrcBridge(options: IrcBridgeOptions): Promise<void> {
  const { links, clock, random, log, signal } = options;
  const stop = new AbortController();
  const common = { clock, random, log, signal: stop.signal };
  const xmpp = keepConnected<string, ChatSession>({
    ...common,
    name: 'xmpp',
    targets: [options.xmppService],
    describe: (service) => service,
    attempt: (_service, abort) => options.connectXmpp(abort),
    connected(session) {
      for (const link of links) void link.inRoom(session);
    },
  });
  const irc = keepConnected<string, IrcSession>({
    ...common,
    name: 'irc',
    targets: options.ircServers,
    describe: (server) => server,
    attempt: options.connectIrc,
    connected(session) {
      const pacer = newPacer(options.flood(), clock);
      void session.closed.then(() => pacer.stop());
      for (const link of links) void link.inChannel(session, pacer);
    },
    silent(_session, silent) {
      for (const link of links) link.silent(silent);
    },
    penaltyMs,
  });
  const asked = new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
    if (signal.aborted) resolve();
  });
  try {
    await Promise.race([xmpp, irc, asked]);
    await Promise.all(links.map((link) => link.drain(DRAIN_MS)));
  } finally {
    stop.abort();
    await Promise.allSettled([xmpp, irc]);
    for (const link of links) await link.close();
  }
}

function penaltyMs({ reason }: Disconnect): number | undefined {
  return /[kgzd]-?lined?|banned|throttl|too (fast|many)|excess flood/i.test(reason) ? PENALTY_MS : undefined;
}
