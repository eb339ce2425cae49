import { plainFromIrc } from '../core/irc-format.ts';
import type { Entry } from '../core/outbox.ts';
import type { IrcSay } from '../core/relay-text.ts';
import { timePrefix } from '../core/relay-text.ts';
import { type Destination, type OutboxDriver, runOutbox } from './outbox.ts';
import type { Pacer } from './pacer.ts';
import type { Channel, ChannelLine, IrcSession } from './ports/irc.ts';
import type { Journal } from './ports/journal.ts';
import { LATE_MS, type RelayTools } from './relay.ts';

/** What an entry of a channel's outbox holds. `late`: it was read from the archive. */
export type ChannelEntry = IrcSay & { readonly late?: boolean };

/** Numerics that are about the line itself: no text, too long. */
const HOPELESS = /\((411|412|415|417)\)$/;

export type ChannelSpeaker = {
  readonly outbox: OutboxDriver;
  /** We are in the channel. */
  joined(session: IrcSession, channel: Channel, pacer: Pacer): void;
  out(): void;
  confirmed(id: string, msgid: string | undefined): void;
  refused(id: string, reason: string): void;
  /** A line of our own that the server replays: it had been said. */
  replayed(line: ChannelLine): void;
  /** A join begins: what was replayed at the one before counts no more. */
  entering(): void;
};

/**
 * Speaks in a channel exactly once and in order: one line at a time, at the pace that the server allows, each confirmed before
 * the next; after a break what the server replays tells whether the last one had been said.
 */
export function makeChannelSpeaker(channelName: string, journal: Journal, tools: RelayTools): ChannelSpeaker {
  const { clock, log, count } = tools;
  const outbox = runOutbox({
    name: channelName,
    journal,
    clock,
    log,
    limits: { window: 1 },
    settleMs: 0,
    events: {
      said: (_entry, _proof, ms) => count.said('to-irc', ms),
      givenUp: () => count.givenUp('to-irc'),
    },
  });
  let replays = new Map<string, string | undefined>();
  let openedAt = 0;

  const rendered = (entry: Entry): IrcSay => {
    const { text, how, late } = JSON.parse(entry.payload) as ChannelEntry;
    const waited = late === true || entry.at < openedAt;
    const time = waited && clock.now() - entry.at >= LATE_MS ? timePrefix(entry.at) : '';
    // A channel may refuse colours and codes: the second try goes without.
    return { text: time + (entry.attempts > 2 ? plainFromIrc(text) : text), how };
  };

  return {
    outbox,
    joined(session, channel, pacer) {
      openedAt = clock.now();
      const destination: Destination = {
        deliver(entry) {
          const { text, how } = rendered(entry);
          pacer.run(() => channel.say(entry.id, text, how));
        },
        async findDelivered([oldest]) {
          // One line at a time is on its way, so only the oldest can have been said. Two armies: without a replay nobody knows.
          if (oldest !== undefined && channel.replay !== 'complete' && !replays.has(oldest.id))
            log.warn(
              'unsure',
              `${channelName}: the server does not tell whether the last line was said; it is said (again)`,
              {
                id: oldest.id,
              },
            );
          return replays;
        },
        stuck() {
          session.abandon({ kind: 'network', reason: 'the server confirms nothing', permanent: false });
        },
      };
      outbox.attach(destination);
    },
    out() {
      outbox.detach();
    },
    confirmed: (id, msgid) => void outbox.confirmed(id, msgid),
    refused: (id, reason) => void outbox.refused(id, reason, HOPELESS.test(reason)),
    replayed(line) {
      if (line.bridgeId !== undefined) replays.set(line.bridgeId, line.msgid);
    },
    entering() {
      replays = new Map();
    },
  };
}
