import { newDeferred } from '../core/deferred.ts';
import { type KeepInside, keepInside } from './keep-inside.ts';
import type { Disconnect } from './ports/chat.ts';
import type { Channel, ChannelEvents, Heard, IrcSession } from './ports/irc.ts';

export type KeepChannel = Pick<KeepInside, 'out' | 'clock' | 'random' | 'log'> & {
  readonly session: IrcSession;
  readonly channel: string;
  readonly key: string | undefined;
  readonly events: Omit<ChannelEvents, 'left'>;
  /** Where we stopped listening, asked before each join. */
  readonly heard: () => Heard | undefined;
  /** We are in the channel (again), replays have been delivered. Must not throw or wait. */
  readonly joined: (channel: Channel) => void;
};

/**
 * Keeps us in one channel for as long as the connection lives: kick, ban, key, limit and invitation all end in another join, with
 * patience, and in one log line with the reason for each new one. Resolves when the connection closed.
 */
export function keepChannel(options: KeepChannel): Promise<void> {
  const { session, channel: name, key, events, heard } = options;
  return keepInside({
    ...options,
    where: name,
    kind: 'channel',
    async enter(signal) {
      const left = newDeferred<Disconnect>();
      const channel = await session.enter(name, key, { ...events, left: left.resolve }, heard(), signal);
      const { server } = session;
      return {
        as: `on ${server} as ${channel.nick}`,
        fields: { server, nick: channel.nick },
        begin: () => options.joined(channel),
        until: () => left.promise,
      };
    },
  });
}
