import { reasonOf } from '../core/errors.ts';
import { plainFromIrc } from '../core/irc-format.ts';
import { nickInSentence } from '../core/relay-nick.ts';
import { judgeChannelLine, newEchoGuard } from '../core/relay-rules.ts';
import { ircToRoom, span, type ToRoom } from '../core/relay-text.ts';
import type { Wording } from './comings.ts';
import type { Submission } from './outbox.ts';
import type { Room } from './ports/chat.ts';
import type { Channel, ChannelLine, Heard } from './ports/irc.ts';
import type { RelayTools } from './relay.ts';
import { encodeSpoken, type Speaker } from './speaker.ts';

/** Cursors: the last line that we heard, and until when we listened. */
const LINE = 'irc';
const HEARD = 'heard';
/** Lines that the disk or a full outbox did not take yet. */
const BACKLOG = 10_000;
const RETRY_MS = 2000;
/** Tolerance between the server's clock and the order of its lines. */
const SLACK_MS = 1000;
/** The same between two servers of a network; their ids are the network's, so nothing is taken for new twice. */
const SERVERS_SLACK_MS = 30_000;

export type IrcToRoom = {
  /** Where we stopped listening: what a server that keeps a history shall replay. */
  heard(server: string): Heard | undefined;
  line(line: ChannelLine): void;
  /** We are in the channel, replays have been delivered: tells the room what is missing. */
  joined(channel: Channel): void;
  /** We have listened until then. */
  listening(until: number): void;
  notice(words: (name: Wording) => string): void;
  room(room: Room | undefined): void;
};

/**
 * Channel → room (guarantee R2). A line goes into the outbox the moment it is heard, by the server's id of it where there is
 * one, so that a replay says nothing twice. What was said while nobody listened and no server replays is told as a gap.
 */
export function makeIrcToRoom(speaker: Speaker, channelName: string, tools: RelayTools): IrcToRoom {
  const { clock, log, settings } = tools;
  const { outbox } = speaker;
  const echoes = newEchoGuard();
  let room: Room | undefined;
  let channel: Channel | undefined;
  let before: (Heard & { readonly server: string }) | undefined;
  let server = '';
  let backlog: Submission[] = [];
  let retrying = false;
  let lost: { from: number; to: number; count: number } | undefined;

  const wording = (): ToRoom => {
    const { toRoom, highlight } = settings();
    const there = new Set(highlight ? [] : room?.occupants().map(({ nick }) => nick.toLowerCase()));
    return { form: toRoom, joint: (nick) => there.has(nick.toLowerCase()), styled: true };
  };

  function submit(item: Submission): void {
    if (backlog.length > 0 || !outbox.hasRoom([item])) {
      keep(item);
      return;
    }
    outbox.submit([item]).catch((error: unknown) => {
      log.error('not-kept', `${channelName}: a line could not be kept yet: ${reasonOf(error)}`);
      keep(item);
    });
  }

  function keep(item: Submission): void {
    const at = item.at ?? clock.now();
    if (backlog.length < BACKLOG) backlog.push(item);
    else lost = { from: lost?.from ?? at, to: at, count: (lost?.count ?? 0) + 1 };
    if (retrying) return;
    retrying = true;
    void (async () => {
      while (backlog.length > 0) {
        await clock.sleep(RETRY_MS);
        const batch = backlog.slice(0, 100);
        try {
          await outbox.submit(batch);
          backlog = backlog.slice(batch.length);
        } catch (error) {
          log.error('not-kept', `${channelName}: ${backlog.length} lines wait in memory: ${reasonOf(error)}`);
        }
      }
      retrying = false;
      if (lost !== undefined) {
        const { from, to, count } = lost;
        lost = undefined;
        gap(`${count} lines from ${span(from, to)} could not be kept and are missing`);
      }
    })();
  }

  function gap(text: string): void {
    tools.count.gap('to-room');
    log.warn('gap', `${channelName}: ${text}`);
    submit({ payload: encodeSpoken({ body: `-- ${channelName}: ${text}`, kind: 'irc' }) });
  }

  /** Not while lines wait in memory: would we die now, they would be missing from before that moment. */
  function listened(until: number): void {
    if (backlog.length > 0) return;
    // The first one at once: without any we would not even know that something is missing.
    outbox.advance(HEARD, String(until), before === undefined ? () => undefined : undefined);
  }

  /** Whether a replayed line was said after the last one that we heard. */
  function isNew(line: ChannelLine): boolean {
    if (before === undefined) return false;
    if (line.msgid !== undefined && outbox.knows(`m ${line.msgid}`)) return false;
    if (line.msgid === undefined) return line.at > before.at;
    const otherServer = before.msgid !== undefined && before.server !== server;
    return line.at > before.at - (otherServer ? SERVERS_SLACK_MS : SLACK_MS);
  }

  return {
    heard(now) {
      server = now;
      const line = readLine(outbox.cursor(LINE));
      const mark = Number(outbox.cursor(HEARD) ?? 0);
      const until = Math.max(mark, line?.until ?? 0);
      before =
        until === 0 ? undefined : { at: line?.at ?? mark, msgid: line?.msgid, until, server: line?.server ?? server };
      return before;
    },
    line(line) {
      const { ignore } = settings();
      if (judgeChannelLine(line, ignore) !== 'relay') return;
      if (line.source === 'history' && !isNew(line)) return;
      const now = clock.now();
      if (echoes.isEcho(line.text, room?.nick ?? '', now)) {
        log.warn('echo', `${channelName}: another bridge brings our own line back; it is not relayed again`, {
          nick: line.nick,
        });
        return;
      }
      const body = ircToRoom({ nick: line.nick, text: line.text, how: line.how }, wording());
      if (body === undefined) return;
      echoes.said(body, now);
      const late = line.source === 'history';
      submit({
        payload: encodeSpoken({ body, kind: 'irc', ...(late ? { extra: { late } } : {}) }),
        at: line.at,
        origin: {
          ...(line.msgid === undefined ? {} : { key: `m ${line.msgid}` }),
          // What is replayed tells nothing about how long we have been listening.
          cursor: [LINE, [line.at, line.msgid ?? '', late ? line.at : now, server].join(' ')],
        },
      });
    },
    joined(now) {
      channel = now;
      const to = clock.now();
      if (before !== undefined && now.replay === 'none') {
        const from = span(Math.min(before.until, to), to);
        gap(`not connected from ${from}; what was said there in between is missing`);
      }
      listened(to);
    },
    listening(until) {
      if (channel !== undefined) listened(until);
    },
    notice(words) {
      if (!settings().joins || outbox.size > 20) return;
      const { joint } = wording();
      const text = plainFromIrc(words((nick) => nickInSentence(nick, joint(nick))));
      submit({ payload: encodeSpoken({ body: `-- ${text}`, kind: 'irc' }) });
    },
    room(now) {
      room = now;
    },
  };
}

function readLine(text: string | undefined): (Heard & { readonly server: string | undefined }) | undefined {
  const [at = '', msgid = '', until = at, server] = text?.split(' ') ?? [];
  return at === '' ? undefined : { at: Number(at), until: Number(until), server, ...(msgid === '' ? {} : { msgid }) };
}
