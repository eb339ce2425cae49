import { backoff } from '../core/backoff.ts';
import { reasonOf } from '../core/errors.ts';
import { Refusal } from '../core/refusal.ts';
import type { Disconnect } from './ports/chat.ts';
import type { Clock } from './ports/clock.ts';
import type { Channel, ChannelEvents, Heard, IrcSession } from './ports/irc.ts';
import type { Log } from './ports/log.ts';

export type KeepChannel = {
  readonly session: IrcSession;
  readonly channel: string;
  readonly key: string | undefined;
  readonly events: Omit<ChannelEvents, 'left'>;
  /** Where we stopped listening, asked before each join. */
  readonly heard: () => Heard | undefined;
  /** We are in the channel (again), replays have been delivered. Must not throw or wait. */
  readonly joined: (channel: Channel) => void;
  /** We are not, or could not get in. */
  readonly out: (why: Disconnect) => void;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
};

const PEACE_MS = 60_000;
/** Who threw us out wants us to think about it: 2 s, then twice as long each time, up to a minute. */
const PATIENCE = { minMs: 2000, maxMs: 60_000, jitter: 0.2 };

/**
 * Keeps us in one channel for as long as the connection lives: kick, ban, key, limit and invitation all end in another join, with
 * patience, and in one log line with the reason for each new one. Resolves when the connection closed.
 */
export async function keepChannel(options: KeepChannel): Promise<void> {
  const { session, channel: name, clock, log, random } = options;
  const over = new AbortController();
  const ended = session.closed.then(() => over.abort());
  let failures = 0;
  let told = '';
  while (!over.signal.aborted) {
    const inside = await enter(options, over.signal);
    let why: Disconnect;
    if ('channel' in inside) {
      told = '';
      const since = clock.monotonic();
      log.info('joined', `joined ${name} on ${session.server} as ${inside.channel.nick}`, {
        channel: name,
        server: session.server,
        nick: inside.channel.nick,
      });
      options.joined(inside.channel);
      why = await inside.left;
      if (clock.monotonic() - since >= PEACE_MS) failures = 0;
    } else why = inside.why;
    options.out(why);
    if (over.signal.aborted) break;
    failures += 1;
    const wait = backoff(failures, random(), PATIENCE);
    if (why.reason !== told)
      log.warn('left', `not in ${name}: ${why.reason}; trying again`, { channel: name, retry_ms: wait });
    told = why.reason;
    await clock.sleep(wait, over.signal).catch(() => {});
  }
  await ended;
}

type Inside = { readonly channel: Channel; readonly left: Promise<Disconnect> };

async function enter(options: KeepChannel, signal: AbortSignal): Promise<Inside | { readonly why: Disconnect }> {
  const { session, channel: name, key, events, heard } = options;
  let leave: (why: Disconnect) => void = () => {};
  const left = new Promise<Disconnect>((resolve) => {
    leave = resolve;
  });
  try {
    const channel = await session.enter(name, key, { ...events, left: leave }, heard(), signal);
    return { channel, left };
  } catch (error) {
    return {
      why: { kind: error instanceof Refusal ? 'refused' : 'server', reason: reasonOf(error), permanent: false },
    };
  }
}
