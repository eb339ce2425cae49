import { keepConnected } from '../app/keep-connected.ts';
import type { ChatSession } from '../app/ports/chat.ts';
import type { Config } from '../config/load.ts';
import { EXIT, SaxError } from '../core/errors.ts';
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
  const { config } = loaded();
  const { xmpp } = config;
  const jid = required(config[section].jid, `${section}.jid`);
  const password = required(config[section].password, `${section}.password`);
  const login = (signal: AbortSignal): Promise<ChatSession> =>
    connectXmpp(
      { service: xmpp.service, jid, password, resource: `saxctl-${section}`, caFile: xmpp.tls_ca, log },
      signal,
    );
  return {
    nick: required(config[section].nick, `${section}.nick`),
    room: () => required(xmpp.room, 'xmpp.room (or xmpp.domain)').toLowerCase(),
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

/** Where the command keeps what must survive it. */
export function stateDirectory({ state }: Config): string {
  return required(state.dir, 'state.dir');
}

/** What must be configured. Throws with exit 78, naming the key. */
export function required(value: string | undefined, key: string): string {
  if (value !== undefined) return value;
  throw new SaxError(EXIT.config, `${key} is not set`, {
    hint: 'set it in saxctl.toml; saxctl config show lists what is set',
  });
}
