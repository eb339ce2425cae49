import { reasonOf } from '../core/errors.ts';
import { textBudget } from '../core/irc-split.ts';
import type { Origin } from '../core/outbox.ts';
import { nickInSentence } from '../core/relay-nick.ts';
import { judgeRoomLine, newEchoGuard, newMemory } from '../core/relay-rules.ts';
import { noticeToIrc, type RoomSaying, roomToIrc, span, type ToIrc } from '../core/relay-text.ts';
import type { ChannelEntry, ChannelSpeaker } from './channel-speaker.ts';
import type { Wording } from './comings.ts';
import type { Submission } from './outbox.ts';
import type { ChatSession, Room, RoomLine } from './ports/chat.ts';
import type { Channel } from './ports/irc.ts';
import type { RelayTools } from './relay.ts';

/** Name of the cursor in the outbox: the last line of the room that was handed on. */
const CURSOR = 'room';
const PAGE = 100;
/** Live lines kept while the archive is being read; more are left to the archive. */
const HELD = 5000;
/** Before the first connection told us our prefix: longer than any (nick 30, user 12, host 64). */
const UNKNOWN_PREFIX = 'n'.repeat(30) + '!'.padEnd(13, 'u') + '@'.padEnd(65, 'h');
/** Spared in each line, should our prefix be longer on the next server. */
const SPARE = 16;

export type RoomToIrc = {
  /** We are in the room: reads what was said since the last line that was handed on, then goes on live. */
  joined(session: ChatSession, room: Room): void;
  out(): void;
  line(line: RoomLine): void;
  /** A line of ours about the room's people, when `joins` is on. */
  notice(words: (name: Wording) => string): void;
  /** The channel that we are in now, for nicknames and the length of lines. */
  channel(channel: Channel | undefined): void;
};

/**
 * Room → channel (guarantee R1). Every line goes into the outbox with the room's id of it as key and cursor, so that what was
 * handed on is known after a crash; the room's archive is the memory of everything else. States: away → reading (the archive
 * is read, live lines wait) → live. Whatever goes wrong on the way into the outbox leads back to reading.
 */
export function makeRoomToIrc(speaker: ChannelSpeaker, channelName: string, tools: RelayTools): RoomToIrc {
  const { clock, log, settings } = tools;
  const { outbox } = speaker;
  const memory = newMemory();
  const echoes = newEchoGuard();
  let state: 'away' | 'reading' | 'live' = 'away';
  let held: RoomLine[] = [];
  let overflow = false;
  let session: ChatSession | undefined;
  let room: Room | undefined;
  let channel: Channel | undefined;
  let budget = textBudget(UNKNOWN_PREFIX, channelName);
  let era = 0;

  const wording = (): ToIrc => {
    const { toIrc, colours, highlight } = settings();
    if (channel !== undefined) budget = channel.budget() - SPARE;
    return { form: toIrc, budget, colour: colours, joint: (nick) => !highlight && (channel?.has(nick) ?? false) };
  };

  const submit = (items: readonly Submission[]): void => {
    // At once: what follows in the same breath must not move the cursor past what is not kept.
    if (!outbox.hasRoom(items)) notKept('the outbox is full');
    else outbox.submit(items).catch((error: unknown) => notKept(reasonOf(error)));
  };

  /** The room's archive has it: read on from there when there is room again. */
  function notKept(reason: string): void {
    log.error('not-kept', `${channelName}: a line could not be kept, it will be read again: ${reason}`);
    restart(5000);
  }

  function relay(line: RoomLine, late: boolean): void {
    const { id } = line;
    if (id !== undefined && outbox.knows(`${id}/end`)) return;
    const says = lines(line);
    if (says.length === 0) {
      if (id !== undefined) outbox.advance(CURSOR, cursorOf(id, line.at));
      return;
    }
    submit(
      says.map(({ text, how }, index) => ({
        payload: JSON.stringify({ text, how, ...(late ? { late } : {}) } satisfies ChannelEntry),
        at: line.at,
        ...(id === undefined ? {} : { origin: originOf(id, line.at, index, index === says.length - 1) }),
      })),
    );
  }

  /** A torn write may keep only the first parts of a line: it is known as a whole by its last one. */
  function originOf(id: string, at: number, index: number, last: boolean): Origin {
    return last ? { key: `${id}/end`, cursor: [CURSOR, cursorOf(id, at)] } : { key: `${id}/${index}` };
  }

  /** What was said while the archive was being read. */
  function release(mine: number): void {
    state = 'live';
    const waiting = held;
    held = [];
    for (const line of waiting) {
      // One could not be kept: the archive is read again, and has the others too.
      if (mine !== era) return;
      relay(line, false);
    }
  }

  function lines(line: RoomLine): ChannelEntry[] {
    const { ignore, announcers } = settings();
    const verdict = judgeRoomLine(line, { ignore, announcers, us: room?.nick ?? '' });
    if (verdict === 'own' || verdict === 'ignored') return [];
    const now = clock.now();
    if (echoes.isEcho(line.body, channel?.nick ?? '', now)) {
      log.warn('echo', `${channelName}: another bridge brings our own line back; it is not relayed again`, {
        nick: line.nick,
      });
      return [];
    }
    const said = roomToIrc(sayingOf(line, verdict === 'announcement'), wording());
    if (line.retracts === undefined) memory.remember([line.id, line.messageId, line.originId], line.nick, line.body);
    for (const { text } of said) echoes.said(text, now);
    return said;
  }

  function sayingOf(line: RoomLine, announcement: boolean): RoomSaying {
    const retracted = line.retracts === undefined ? undefined : memory.recall(line.retracts);
    // Somebody else's line can only be taken back by a moderator; the room itself says so then (XEP-0425).
    const theirs = line.moderator !== undefined || retracted?.nick === line.nick ? retracted : undefined;
    return {
      nick: line.nick,
      body: line.body,
      announcement,
      corrects: line.replaces !== undefined,
      answers: memory.recall(line.replyTo),
      ...(line.retracts === undefined
        ? {}
        : { retracted: { moderator: line.moderator, author: theirs?.nick, text: theirs?.text } }),
    };
  }

  /** Reads the archive from the cursor on, then lets the held lines through. Tries again until it works or we are out. */
  async function read(mine: number, where: ChatSession, address: string): Promise<void> {
    for (let failures = 0; mine === era; failures += 1) {
      try {
        await catchUp(mine, where, address);
        if (mine !== era) return;
        if (overflow) {
          overflow = false;
          held = [];
          continue;
        }
        release(mine);
        return;
      } catch (error) {
        const condition = (error as { condition?: string }).condition;
        if (condition === 'feature-not-implemented' || condition === 'service-unavailable') {
          log.warn('no-archive', `the room ${address} has no archive: what is said while we are away is lost`, {
            condition,
          });
          overflow = false;
          release(mine);
          return;
        }
        const wait = Math.min(30_000, 500 * 2 ** Math.min(failures, 6));
        if (mine === era)
          log.warn('archive-away', `cannot read the archive of ${address}: ${reasonOf(error)}`, { retry_ms: wait });
        await clock.sleep(wait);
      }
    }
  }

  async function catchUp(mine: number, where: ChatSession, address: string): Promise<void> {
    const cursor = readCursor(outbox.cursor(CURSOR));
    if (cursor === undefined) {
      // The very first time: what was said before is not ours to tell.
      const newest = await where.archive(address, { before: '', max: 1 });
      // Nothing at all: then everything that it ever holds is new.
      const id = newest.last ?? newest.lines.at(-1)?.id ?? '';
      if (mine !== era) return;
      await new Promise<void>((resolve, reject) => {
        outbox.advance(CURSOR, cursorOf(id, clock.now()), (error) => (error === undefined ? resolve() : reject(error)));
      });
      return;
    }
    const oldest = clock.now() - settings().catchUpMs;
    const skipped: RoomLine[] = [];
    let count = 0;
    let told = 0;
    let after: string | undefined = cursor.id === '' ? undefined : cursor.id;
    let since: number | undefined;
    for (;;) {
      const page: Awaited<ReturnType<ChatSession['archive']>> = await where
        .archive(address, { after, since, max: PAGE })
        .catch((error: unknown) => {
          // The archive forgot the line that we stopped at: go by its time.
          if ((error as { condition?: string }).condition !== 'item-not-found' || after === undefined) throw error;
          after = undefined;
          since = cursor.at;
          return where.archive(address, { since, max: PAGE });
        });
      if (mine !== era) return;
      for (const line of page.lines) {
        if (mine !== era) return;
        if (line.at < oldest) {
          if (judgeRoomLine(line, { ...settings(), us: '' }) === 'own') continue;
          count += 1;
          if (skipped.length < 2) skipped.push(line);
          else skipped[1] = line;
          continue;
        }
        if (count > told) {
          leftOut(count, skipped);
          told = count;
        }
        relay(line, true);
      }
      const last: string | undefined = page.last ?? page.lines.at(-1)?.id;
      if (page.complete || last === undefined || last === after) break;
      after = last;
    }
    if (count > told) leftOut(count, skipped);
  }

  /** One line says how many were too old. */
  function leftOut(count: number, [first, last = first]: readonly RoomLine[]): void {
    if (first === undefined || last?.id === undefined) return;
    tools.count.gap('to-irc');
    log.warn('left-out', `${channelName}: ${count} lines of the room are older than catch_up and are left out`, {
      count,
    });
    const text = `${count} lines of the room from ${span(first.at, last.at)} are left out, they are too old`;
    const says = noticeToIrc(text, wording());
    submit(
      says.map((say, index) => ({
        payload: JSON.stringify(say),
        origin: { key: `left-out ${last.id}/${index}`, cursor: [CURSOR, cursorOf(last.id ?? '', last.at)] },
      })),
    );
  }

  function restart(afterMs = 0): void {
    if (state === 'away' || session === undefined || room === undefined) return;
    era += 1;
    const mine = era;
    const where = session;
    const { room: address } = room;
    state = 'reading';
    void (async () => {
      if (afterMs > 0) await clock.sleep(afterMs);
      if (mine === era) await read(mine, where, address);
    })();
  }

  return {
    joined(where, entered) {
      session = where;
      room = entered;
      if (state === 'away') state = 'reading';
      restart();
    },
    out() {
      era += 1;
      state = 'away';
      held = [];
      overflow = false;
      room = undefined;
    },
    line(line) {
      if (line.source === 'history') return;
      if (state === 'live') relay(line, false);
      else if (held.length < HELD) held.push(line);
      else overflow = true;
    },
    notice(words) {
      // It must not delay what people say.
      if (!settings().joins || outbox.size > 20) return;
      const how = wording();
      const text = words((nick) => nickInSentence(nick, how.joint(nick)));
      submit(noticeToIrc(text, how).map((say) => ({ payload: JSON.stringify(say) })));
    },
    channel(now) {
      channel = now;
    },
  };
}

/** A position in the room: the id, and the time for the case that the archive forgot it. */
function cursorOf(id: string, at: number): string {
  return `${at} ${id}`;
}

function readCursor(text: string | undefined): { readonly at: number; readonly id: string } | undefined {
  const space = text?.indexOf(' ') ?? -1;
  if (text === undefined || space === -1) return undefined;
  return { at: Number(text.slice(0, space)), id: text.slice(space + 1) };
}
