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

/**
 * Lines on their way at once where the server confirms only what it is asked for: one question (a PING counts as a line for
 * flood limits) behind as many. After a break nobody knows which of them were said, so they are few.
 */
const ASKED_WINDOW = 4;

/**
 * Refusals that are about the line itself: no text, too long, words that a filter forbids (the numeric is that of a moderated channel,
 * only the server's sentence tells them apart). One forbidden word must not hold up everything behind it for ever.
 */
const HOPELESS =
  /\((411|412|415|417|936)\)$|censor|swear|filter|spam|was blocked|(banned|forbidden|bad) ?(phrase|word)/i;

export type ChannelSpeaker = {
  readonly outbox: OutboxDriver;
  /** We are in the channel. */
  joined(session: IrcSession, channel: Channel, pacer: Pacer): void;
  out(): void;
  /** The connection was silent and goes on: what waited is late. */
  resumed(): void;
  confirmed(id: string, msgid: string | undefined): void;
  refused(id: string, reason: string): void;
  /** A line of our own that the server replays: it had been said. */
  replayed(line: ChannelLine): void;
  /** A join begins: what was replayed at the one before counts no more. */
  entering(): void;
};

/**
 * Speaks in a channel exactly once and in order, at the pace that the server allows: one line at a time, each confirmed before
 * the next, or a few and a question behind them; after a break what the server replays tells whether the last ones had been said.
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
  /** Refused for sure, though we were out of the channel by then. */
  const absent = new Set<string>();
  let openedAt = 0;
  /** Counts stays: what waits for its turn when one ends must not be said in the next one, where it is handed over anew. */
  let stay = 0;
  /** How many lines may have been on their way at the last break. */
  let flyingAtMost = ASKED_WINDOW;

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
      stay += 1;
      const mine = stay;
      const paced: Pick<Pacer, 'run' | 'runBehind'> = {
        run: (action) => pacer.run(action, () => mine === stay),
        runBehind: (action) => pacer.runBehind(action, () => mine === stay),
      };
      const questions = newQuestions(channel, paced, outbox.more);
      const destination: Destination = {
        get window() {
          return channel.confirms === 'echo' ? 1 : questions.open ? 0 : ASKED_WINDOW;
        },
        paced: true,
        deliver(entry) {
          const { text, how } = rendered(entry);
          // Codes and commands are what channels forbid: alone, a refusal says which line it is about.
          const alone = how !== 'message' || /\p{Cc}/u.test(text);
          if (channel.confirms === 'asked') questions.before(alone);
          paced.run(() => {
            channel.say(entry.id, text, how);
            outbox.sent(entry.id);
          });
          if (channel.confirms === 'asked') questions.behind(alone);
        },
        async findDelivered(entries) {
          // Only the oldest ones can have been on their way. Two armies: without a replay nobody knows.
          const [oldest] = entries;
          const known = oldest === undefined || replays.has(oldest.id) || absent.has(oldest.id);
          if (!known && channel.replay !== 'complete')
            log.warn(
              'unsure',
              `${channelName}: the server does not tell whether the last lines were said; they are said (again)`,
              { id: oldest?.id, at_most: Math.min(entries.length, flyingAtMost) },
            );
          absent.clear();
          flyingAtMost = channel.confirms === 'echo' ? 1 : ASKED_WINDOW;
          return replays;
        },
        stuck() {
          // A server that answers nothing at all is the connection's own matter.
          const waited = outbox.oldest?.id;
          session.ping().then(
            () => {
              if (outbox.oldest?.id === waited)
                session.abandon({ kind: 'network', reason: 'the server confirms nothing', permanent: false });
            },
            () => {},
          );
        },
      };
      outbox.attach(destination);
    },
    out() {
      stay += 1;
      outbox.detach();
    },
    resumed() {
      openedAt = clock.now();
    },
    confirmed: (id, msgid) => void outbox.confirmed(id, msgid),
    refused(id, reason) {
      if (!outbox.refused(id, reason, HOPELESS.test(reason))) absent.add(id);
    },
    replayed(line) {
      if (line.bridgeId !== undefined) replays.set(line.bridgeId, line.msgid);
    },
    entering() {
      replays = new Map();
    },
  };
}

/** The questions behind the lines, each counted like one. Open: one is not answered yet, and nothing more is handed over. */
function newQuestions(channel: Channel, pacer: Pick<Pacer, 'runBehind'>, answered: () => void) {
  let waiting = 0;
  let behindNone = 0;
  const ask = (): void => {
    behindNone = 0;
    waiting += 1;
    // At once behind the last line: until its answer comes, nobody knows of the lines before it.
    pacer.runBehind(() =>
      channel.ask(() => {
        waiting -= 1;
        queueMicrotask(answered);
      }),
    );
  };
  return {
    get open() {
      return waiting > 0;
    },
    before(alone: boolean): void {
      if (alone && behindNone > 0) ask();
    },
    behind(alone: boolean): void {
      behindNone += 1;
      if (alone) ask();
      // What is handed over together is asked for together.
      else if (behindNone === 1)
        queueMicrotask(() => {
          if (behindNone > 0) ask();
        });
    },
  };
}
