import { keepConnected } from '../app/keep-connected.ts';
import type { ChatSession } from '../app/ports/chat.ts';
import { need } from '../config/load.ts';
import { connectXmpp } from '../edges/xmpp/connection.ts';
import type { Daemon } from '../lifecycle.ts';

/** What the bots (webridge, ircbridge, guard) have in common: an account in their section, one XMPP server, one room. */
export type Bot = {
  readonly nick: string;
  /** `[xmpp] room`. */
  readonly room: () => string;
  readonly service: string;
  /** Logs in once. The resource is the command's own, so that the server's newest-wins rule ends a twin. */
  login(signal: AbortSignal): Promise<ChatSession>;
  /** Logs in for ever, with patience; resolves at the signal, throws what is permanent. */
  stayConnected(
    connected: (session: ChatSession) => void,
    down: (reason: string) => void,
    signal: AbortSignal,
  ): Promise<void>;
};

/** The bot as configured when the daemon starts. Throws with exit 78, naming the key that is missing. */
export function botOf({ loaded, log, clock }: Daemon, section: 'webridge' | 'ircbridge' | 'guard'): Bot {
  const given = loaded();
  const { xmpp } = given.config;
  const jid = need(given, section, 'jid');
  const password = need(given, section, 'password');
  const login = (signal: AbortSignal): Promise<ChatSession> =>
    connectXmpp(
      { service: xmpp.service, jid, password, resource: `saxctl-${section}`, caFile: xmpp.tls_ca, log },
      signal,
    );
  return {
    nick: need(given, section, 'nick'),
    room: () => need(given, 'xmpp', 'room', '[xmpp] domain').toLowerCase(),
    service: xmpp.service,
    login,
    stayConnected: (connected, down, signal) =>
      keepConnected({
        name: 'xmpp',
        targets: [xmpp.service],
        describe: (service) => service,
        attempt: (_service, abort) => login(abort),
        connected,
        down,
        clock,
        random: Math.random,
        log,
        signal,
      }),
  };
}
