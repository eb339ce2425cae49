import type { IrcMessage } from 'irc-framework';
import type { Disconnect } from '../../app/ports/chat.ts';
import type { IrcSession } from '../../app/ports/irc.ts';
import type { Log } from '../../app/ports/log.ts';
import { newDeferred } from '../../core/deferred.ts';
import { EXIT, SaxError } from '../../core/errors.ts';
import { utf8Length } from '../../core/irc-split.ts';
import { lowerBy } from './casemap.ts';
import { type ChannelEnd, newChannel } from './channel.ts';
import { oneLine } from './transport.ts';

export type IrcSessionEnd = IrcSession & {
  take(message: IrcMessage): void;
  lost(why: Disconnect): void;
  /** NickServ: resolves when it answered, or after `ms`. */
  identify(nick: string, password: string, ms: number): Promise<void>;
};

export type IrcWiring = {
  readonly server: string;
  /** The nickname that the operator wants. */
  readonly wanted: string;
  readonly nick: string;
  readonly write: (line: string) => void;
  readonly caps: readonly string[];
  readonly supports: Readonly<Record<string, unknown>>;
  readonly heardAt: () => number;
  readonly destroy: () => void;
  readonly end: () => void;
  readonly log: Log;
  readonly now: () => number;
};

const REGAIN_MS = 30_000;
const QUIT_MS = 1000;

/** A registered connection: its channels share it. Messages are handled one by one in the order of the wire. */
export function newIrcSession(wiring: IrcWiring): IrcSessionEnd {
  const { wanted, log, supports } = wiring;
  const lower = lowerBy(supports['CASEMAPPING']);
  const channels = new Map<string, ChannelEnd>();
  /** Channels that we are out of, until the server has answered everything that we said there. */
  const departed = new Map<string, ChannelEnd>();
  const pongs = new Map<string, () => void>();
  const batches = new Map<string, { readonly label: string | undefined; readonly replayOf: string | undefined }>();
  const closed = newDeferred<Disconnect>();
  let nick = wiring.nick;
  // Until the server shows us our prefix: the longest that its limits allow.
  let prefix = `${nick}!${'u'.repeat(12)}@${'h'.repeat(64)}`;
  let over = false;
  let tokens = 0;
  let onService: (() => void) | undefined;

  const write = (line: string): void => {
    if (!over) wiring.write(oneLine(line));
  };
  const barrier = (done: () => void): void => {
    tokens += 1;
    const token = `sax-${tokens}`;
    pongs.set(token, done);
    write(`PING ${token}`);
  };
  const isUs = (who: string): boolean => lower(who) === lower(nick);
  const wasUs = (who: string): boolean => isUs(who) || lower(who).replace(/_{1,2}$/, '') === lower(wanted);
  const regain = (): void => {
    if (!over && !isUs(wanted)) write(`NICK ${wanted}`);
  };
  const regaining = setInterval(regain, REGAIN_MS);
  regaining.unref();

  const lost = (why: Disconnect): void => {
    if (over) return;
    over = true;
    clearInterval(regaining);
    // First: whoever hears that a channel is over must be able to know that everything is.
    closed.resolve(why);
    for (const channel of [...channels.values()]) channel.lost(why);
  };

  function takeNick(message: IrcMessage): void {
    const to = message.params[0] ?? '';
    const ours = isUs(message.nick);
    if (ours) {
      nick = to;
      prefix = prefix.replace(/^[^!]*/, to);
      if (isUs(wanted)) log.info('nick-regained', `${wiring.server}: we are ${wanted} again`, { nick: wanted });
    }
    for (const channel of channels.values()) channel.renamed(message.nick, to);
    if (!ours && lower(message.nick) === lower(wanted)) regain();
  }

  function takeBatch(message: IrcMessage): void {
    const reference = message.params[0] ?? '';
    const name = reference.slice(1);
    if (reference.startsWith('+')) {
      const outer = batches.get(message.tags['batch'] ?? '');
      const type = message.params[1] ?? '';
      batches.set(name, {
        label: message.tags['label'] ?? outer?.label,
        replayOf: /chathistory$/.test(type) ? message.params[2] : outer?.replayOf,
      });
      return;
    }
    const replayOf = batches.get(name)?.replayOf;
    batches.delete(name);
    if (replayOf !== undefined) channels.get(lower(replayOf))?.historyEnded();
  }

  /** The channel that a message is about: its first parameter, in numerics the one behind our nickname. */
  function channelOf({ command, params }: IrcMessage): ChannelEnd | undefined {
    if (!/^(\d{3}|FAIL)$/.test(command)) return channels.get(lower(params[0] ?? ''));
    // 353 has the channel third; FAIL has it behind command and code.
    for (const param of params.slice(1, 4)) {
      const channel = channels.get(lower(param)) ?? departed.get(lower(param));
      if (channel !== undefined) return channel;
    }
    return undefined;
  }

  return {
    server: wiring.server,
    get nick() {
      return nick;
    },
    closed: closed.promise,
    get heardUntil() {
      return wiring.heardAt();
    },
    async enter(channel, key, events, heard, signal) {
      if (over) throw new SaxError(EXIT.unavailable, `${channel}: the connection is lost`);
      const name = lower(channel);
      if (channels.has(name)) throw new SaxError(EXIT.temporary, `${channel}: already joined on this connection`);
      const { end, join } = newChannel({
        channel,
        key,
        events,
        heard,
        write,
        barrier,
        lower,
        isUs,
        wasUs,
        me: () => ({ nick, prefix }),
        caps: wiring.caps,
        supports,
        log,
        now: wiring.now,
        forget() {
          channels.delete(name);
          departed.set(name, end);
          barrier(() => departed.delete(name));
        },
      });
      channels.set(name, end);
      const abort = (): void => end.lost({ kind: 'closed', reason: 'stopping', permanent: false });
      signal?.addEventListener('abort', abort, { once: true });
      try {
        await join();
        return end;
      } finally {
        signal?.removeEventListener('abort', abort);
      }
    },
    ping(deadlineMs = 10_000) {
      return new Promise((resolve, reject) => {
        if (over) {
          reject(new SaxError(EXIT.unavailable, 'the connection is lost'));
          return;
        }
        const timer = setTimeout(
          () => reject(new SaxError(EXIT.unavailable, `no answer to a PING within ${deadlineMs / 1000} s`)),
          deadlineMs,
        );
        timer.unref();
        barrier(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    },
    async close() {
      if (over) return;
      write('QUIT :bye');
      lost({ kind: 'closed', reason: 'we closed the connection', permanent: false });
      wiring.end();
      setTimeout(wiring.destroy, QUIT_MS).unref();
    },
    abandon(why) {
      lost(why);
      wiring.destroy();
    },
    async identify(account, password, ms) {
      const answered = new Promise<void>((resolve) => {
        onService = resolve;
        setTimeout(resolve, ms).unref();
      });
      write(`PRIVMSG NickServ :IDENTIFY ${isUs(account) ? '' : `${account} `}${password}`);
      await Promise.race([answered, closed.promise]);
      onService = undefined;
      if (!isUs(account)) write(`PRIVMSG NickServ :GHOST ${account} ${password}`);
    },
    take(message) {
      if (over) return;
      const { command } = message;
      const batch = batches.get(message.tags['batch'] ?? '');
      const label = message.tags['label'] ?? batch?.label;
      if (isUs(message.nick) && message.prefix.includes('@') && batch?.replayOf === undefined) {
        if (utf8Length(message.prefix) > 3) prefix = message.prefix;
      }
      switch (command) {
        case 'PONG': {
          const token = message.params.at(-1) ?? '';
          const done = pongs.get(token);
          pongs.delete(token);
          done?.();
          return;
        }
        case 'BATCH':
          takeBatch(message);
          return;
        case 'NICK':
          takeNick(message);
          return;
        case 'QUIT':
          for (const channel of channels.values()) channel.quit(message.nick, message.params[0] ?? '');
          if (lower(message.nick) === lower(wanted)) regain();
          return;
        case 'CHGHOST':
          if (isUs(message.nick)) prefix = `${nick}!${message.params[0] ?? ''}@${message.params[1] ?? ''}`;
          return;
        case '396':
          prefix = prefix.replace(/@.*$/, `@${message.params[1] ?? ''}`);
          return;
        case '900':
        case '401':
          if (command === '900' || message.params[1] === 'NickServ') onService?.();
          break;
        case 'NOTICE':
          if (lower(message.nick) === 'nickserv') onService?.();
          break;
        default:
      }
      channelOf(message)?.take(message, label, batch?.replayOf !== undefined);
    },
    lost,
  };
}
