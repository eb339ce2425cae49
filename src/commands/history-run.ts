import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { historyOf, type Wish } from '../app/history.ts';
import { followRoom, newCursor } from '../app/history-follow.ts';
import { keepConnected } from '../app/keep-connected.ts';
import type { ChatSession } from '../app/ports/chat.ts';
import { systemClock } from '../clock.ts';
import type { Config } from '../config/load.ts';
import { EXIT, type ExitCode, SaxError } from '../core/errors.ts';
import { printable } from '../core/escape.ts';
import { jsonEntry, renderEntry } from '../core/history/render.ts';
import { parseWhen } from '../core/history/when.ts';
import { boundedTester } from '../edges/regexp/bounded.ts';
import { connectXmpp } from '../edges/xmpp/connection.ts';
import type { Context } from './command.ts';

type Options = Readonly<Record<string, unknown>>;
type BotSection = 'webridge' | 'ircbridge' | 'guard';

const DEFAULT_LIMIT = 50;

/** The whole command: what was said, then, with --follow, what is being said. */
export async function runHistory(context: Context, options: Options): Promise<ExitCode> {
  const config = await context.config();
  const wish = wishOf(options, config, Date.now());
  const follow = options['follow'] === true;
  if (follow && wish.until !== undefined) throw new SaxError(EXIT.usage, '--follow has no end, --until has one');
  const account = accountOf(config, options['as'] as BotSection);
  const print = printer(context, options['json'] === true);
  const connect = (signal: AbortSignal): Promise<ChatSession> =>
    connectXmpp(
      {
        service: config.xmpp.service,
        jid: account.jid,
        password: account.password,
        // Its own resource: a bot that runs with this account must not be thrown out.
        resource: `saxctl-history-${randomBytes(4).toString('hex')}`,
        caFile: config.xmpp.tls_ca,
        log: context.log,
      },
      signal,
    );

  const session = await connect(context.signal);
  const stop = (): void => session.abandon({ kind: 'closed', reason: 'stopping', permanent: false });
  context.signal.addEventListener('abort', stop, { once: true });
  let past: Awaited<ReturnType<typeof historyOf>>;
  try {
    past = await historyOf(session, account.nick, wish, print, context.log);
    if (!follow) await session.close();
  } catch (error) {
    throw noRoom(error, wish.room, options['room'] !== undefined) ?? error;
  } finally {
    context.signal.removeEventListener('abort', stop);
    if (!follow) stop();
  }
  if (!follow) return EXIT.done;

  const cursor = newCursor(past.last);
  let first: ChatSession | undefined = session;
  await keepConnected({
    name: 'xmpp',
    targets: [config.xmpp.service],
    describe: (target) => target,
    async attempt(_target, signal) {
      // The connection that read the archive goes on as the first one.
      const given = first;
      first = undefined;
      return given ?? (await connect(signal));
    },
    connected: (connected) =>
      void followRoom(connected, {
        nick: account.nick,
        wish,
        cursor,
        print,
        log: context.log,
        hasArchive: past.hasArchive,
        signal: context.signal,
      }),
    clock: systemClock,
    random: Math.random,
    log: quiet(context),
    signal: context.signal,
  });
  return context.interrupted() ? EXIT.interrupted : EXIT.done;
}

/** How servers say that there is no such room (RFC 6120 8.3.3): not a refusal, somebody wrote a name that is nobody's. */
const NO_ROOM = ['item-not-found', 'remote-server-not-found', 'gone'];

function noRoom(error: unknown, room: string, given: boolean): SaxError | undefined {
  if (!NO_ROOM.includes((error as { condition?: string }).condition ?? '')) return undefined;
  return new SaxError(given ? EXIT.data : EXIT.config, `there is no room ${printable(room)}`, {
    hint: given ? 'look at the name behind --room' : 'set [xmpp] room, or make the room: saxctl doctor room says how',
    cause: error,
  });
}

/** On a terminal the first connection is no news; outages are. */
function quiet(context: Context): Context['log'] {
  return { ...context.log, info: context.log.debug };
}

function wishOf(options: Options, config: Config, now: number): Wish {
  const text = (name: string): string | undefined => {
    const value = options[name];
    return typeof value === 'string' ? value : undefined;
  };
  const when = (name: string): number | undefined => {
    const value = text(name);
    return value === undefined ? undefined : parseWhen(value, now);
  };
  const since = when('since');
  const until = when('until');
  if (since !== undefined && until !== undefined && since > until)
    throw new SaxError(EXIT.usage, '--since is later than --until');
  const limit = limitOf(text('limit'), since !== undefined);
  const pattern = text('grep');
  const grep = pattern === undefined ? undefined : boundedTester(pattern, options['ignoreCase'] === true ? 'iu' : 'u');
  const room = text('room') ?? config.xmpp.room;
  if (room === undefined)
    throw new SaxError(EXIT.config, 'no room is configured', { hint: 'set [xmpp] domain or room, or give --room' });
  if (!/^[^@/\s]+@[^@/\s]+$/.test(room))
    throw new SaxError(EXIT.usage, `not the JID of a room: ${printable(room)}`, {
      hint: 'write it like sax@conference.example.org',
    });
  return {
    room,
    since,
    until,
    limit,
    from: text('from'),
    grep,
    ircForm: config.ircbridge.to_room,
    bots: [
      { nick: config.webridge.nick, jid: config.webridge.jid, kind: 'announcement' },
      { nick: config.ircbridge.nick, jid: config.ircbridge.jid, kind: 'irc' },
      { nick: config.guard.nick, jid: config.guard.jid, kind: 'system' },
    ],
  };
}

function limitOf(text: string | undefined, since: boolean): number | undefined {
  if (text === undefined) return since ? undefined : DEFAULT_LIMIT;
  const limit = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(limit)) throw new SaxError(EXIT.usage, `--limit is no number: ${printable(text, 40)}`);
  return limit;
}

function accountOf(config: Config, section: BotSection): { jid: string; password: string; nick: string } {
  const { jid, password, nick } = config[section];
  if (jid === undefined || password === undefined)
    throw new SaxError(EXIT.config, `[${section}] ${jid === undefined ? 'jid' : 'password'} is not set`, {
      hint: 'history logs in with that account; --as names another section',
    });
  return { jid, password, nick: nick ?? jid.split('@')[0] ?? section };
}

/** Writes entries, waiting while the reader is slow, unless we are told to stop. */
function printer(context: Context, json: boolean) {
  const { stdout } = context.io;
  const style = { color: context.flags.color, time: localTime };
  return async (entries: readonly Parameters<typeof jsonEntry>[0][]): Promise<void> => {
    const text = entries.map((entry) => `${json ? jsonEntry(entry) : renderEntry(entry, style)}\n`).join('');
    if (text !== '' && !stdout.write(text)) await once(stdout, 'drain', { signal: context.signal });
  };
}

/** `2026-03-01 18:00:05`, in the zone of the process. */
function localTime(at: number): string {
  const date = new Date(at);
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join('-');
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}
