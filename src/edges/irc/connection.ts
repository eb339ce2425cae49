import { Client, type IrcMessage } from 'irc-framework';
import type { Disconnect } from '../../app/ports/chat.ts';
import type { IrcSession } from '../../app/ports/irc.ts';
import type { Log } from '../../app/ports/log.ts';
import { newDeferred } from '../../core/deferred.ts';
import { EXIT, reasonOf, SaxError } from '../../core/errors.ts';
import { printable } from '../../core/escape.ts';
import { IRC, parseService } from '../../core/service-url.ts';
import { isLoopback, openConnection } from '../tls/open.ts';
import { newIrcSession } from './session.ts';
import { transportClass } from './transport.ts';

export type IrcOptions = {
  readonly nick: string;
  readonly username?: string | undefined;
  readonly realname?: string | undefined;
  readonly saslUser?: string | undefined;
  readonly saslPassword?: string | undefined;
  /** PEM with certificate and key: SASL EXTERNAL. */
  readonly certFile?: string | undefined;
  readonly nickservPassword?: string | undefined;
  readonly caFile?: string | undefined;
  readonly log: Log;
  readonly random?: () => number;
  readonly now?: () => number;
};

/** Capabilities beyond those that the library asks for. */
const CAPS = ['labeled-response', 'draft/chathistory', 'standard-replies'];
/** How long NickServ may take before we join without it. */
const IDENTIFY_MS = 5000;
/** How many nicknames are tried. */
const NICKS = 10;

/**
 * Connects to one server (`url`) and registers (RFC 2812 section 3.1, IRCv3 capabilities, SASL). Rejects with a SaxError:
 * EXIT.refused for a refused login, EXIT.config for what cannot work as configured, EXIT.unavailable otherwise. A nickname in
 * use is no failure: another is taken and the wanted one regained later.
 */
export async function connectIrc(url: string, options: IrcOptions, signal: AbortSignal): Promise<IrcSession> {
  const { log, now = Date.now, random = Math.random } = options;
  const server = parseService(url, IRC);
  const { caFile, certFile } = options;
  const socket = await openConnection(server, { names: [server.host], caFile, certFile }, signal);
  const safe = server.secure || isLoopback(socket);
  const secret = options.saslPassword ?? options.nickservPassword;
  if (!safe && secret !== undefined) {
    socket.destroy();
    throw new SaxError(EXIT.config, `${url}: a password is not sent without TLS to another machine`, {
      hint: 'use ircs://',
    });
  }
  socket.setNoDelay(true);
  socket.setKeepAlive(true, 60_000);

  const client = new Client();
  client.requestCap(CAPS);
  const registered = newDeferred<void>();
  registered.promise.catch(() => {});
  let heardAt = now();
  let why: Disconnect | undefined;
  let session: ReturnType<typeof newIrcSession> | undefined;

  const end = (reason: Disconnect): void => {
    why ??= reason;
    socket.destroy();
    registered.reject(new SaxError(exitOf(why), `${url}: ${why.reason}`));
    session?.lost(why);
  };
  const registration = newRegistration(options, random, {
    write: (line) => void client.connection.write(line),
    done: () => registered.resolve(),
    fail: end,
    warn: (event, message) => log.warn(event, `${url}: ${message}`),
  });
  client.connection.on('message', (message) => {
    if (message.command === 'ERROR') {
      const text = printable(message.params.at(-1) ?? '');
      end({ kind: 'server', reason: `the server says: ${text}`, permanent: false });
      return;
    }
    if (session === undefined) registration(message, client.network.cap.enabled);
    else session.take(message);
  });
  client.connection.on('socket close', (error) => {
    end({ kind: 'network', reason: error ? reasonOf(error) : 'the server closed the connection', permanent: false });
  });
  const abort = (): void => end({ kind: 'network', reason: reasonOf(signal.reason), permanent: false });
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  try {
    client.connect({
      host: server.host,
      port: server.port,
      nick: options.nick,
      username: options.username ?? options.nick,
      gecos: options.realname ?? options.nick,
      auto_reconnect: false,
      enable_echomessage: true,
      enable_chghost: true,
      // Our own pings (ping), and no answer to strangers' CTCP that would count against our flood limit.
      ping_interval: 0,
      ping_timeout: 0,
      version: '',
      sasl_mechanism: options.certFile === undefined ? 'PLAIN' : 'EXTERNAL',
      account:
        options.saslPassword === undefined
          ? {}
          : { account: options.saslUser ?? options.nick, password: options.saslPassword },
      transport: transportClass({
        socket,
        heard: () => {
          heardAt = now();
        },
      }),
    });
    await registered.promise;
    session = newIrcSession({
      server: url,
      wanted: options.nick,
      nick: client.user.nick,
      write: (line) => void client.connection.write(line),
      caps: client.network.cap.enabled,
      supports: client.network.options,
      heardAt: () => heardAt,
      destroy: () => socket.destroy(),
      end: () => socket.end(),
      log,
      now,
    });
    if (why !== undefined) session.lost(why);
    if (options.nickservPassword !== undefined) {
      await session.identify(options.nick, options.nickservPassword, IDENTIFY_MS);
    }
    return session;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

type Registering = {
  readonly write: (line: string) => void;
  readonly done: () => void;
  readonly fail: (why: Disconnect) => void;
  readonly warn: (event: string, message: string) => void;
};

/** Watches a registration: takes another nickname when ours is in use, and tells its end. The library does the rest. */
function newRegistration(options: IrcOptions, random: () => number, { write, done, fail, warn }: Registering) {
  const sasl = options.saslPassword !== undefined || options.certFile !== undefined;
  let tries = 0;
  let loggedIn = false;
  return (message: IrcMessage, caps: readonly string[]): void => {
    const text = printable(message.params.at(-1) ?? '');
    switch (message.command) {
      case '432':
      case '433':
      case '437': {
        // An alternative of ours may be too long for this server.
        if (tries > 0 || message.command !== '432') {
          tries += 1;
          if (tries > NICKS) {
            fail({ kind: 'server', reason: `no nickname is free: ${text}`, permanent: false });
            return;
          }
          const next = alternative(options.nick, tries, random);
          warn('nick-taken', `the nickname ${options.nick} is taken; trying ${next}`);
          write(`NICK ${next}`);
          return;
        }
        fail({
          kind: 'refused',
          reason: `the nickname ${printable(options.nick)} is refused: ${text}`,
          permanent: true,
        });
        return;
      }
      case '464':
        fail({ kind: 'refused', reason: `login refused: ${text}`, permanent: true });
        return;
      case '900':
      case '903':
        loggedIn = true;
        return;
      case '902':
      case '904':
      case '905':
        fail({ kind: 'refused', reason: `SASL login refused: ${text}`, permanent: true });
        return;
      case '001':
        if (sasl && !loggedIn)
          warn(
            'no-sasl',
            caps.includes('sasl') ? 'SASL login did not take place' : 'the server offers no SASL: not logged in',
          );
        return;
      case '376':
      case '422':
        done();
        return;
      default:
    }
  };
}

/** Another nickname for the n-th try: underscores first, then digits at the end, within nine characters (RFC 2812 section 1.2.1). */
export function alternative(nick: string, tries: number, random: () => number): string {
  if (tries <= 2) return `${nick}${'_'.repeat(tries)}`;
  return `${nick.slice(0, 6)}${String(Math.floor(random() * 1000)).padStart(3, '0')}`;
}

function exitOf({ kind, permanent }: Disconnect): typeof EXIT.refused | typeof EXIT.unavailable {
  return kind === 'refused' && permanent ? EXIT.refused : EXIT.unavailable;
}
