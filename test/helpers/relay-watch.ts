/**
 * People and observers for tests of the relay: they talk all the time, come back after every fault, and write down what was
 * really said on their side. No code of src.
 */
import { connect, type Socket } from 'node:net';
import type { Stack } from '../../src/edges/stack/types.ts';
import { enterRoom, type Person } from './person.ts';

export type Watcher = {
  /** Each line once (by msgid), in order of the channel; `at` milliseconds since 1970. */
  readonly lines: readonly { readonly nick: string; readonly text: string; readonly at: number }[];
  readonly inside: () => boolean;
  stop(): void;
};

export type Talker = {
  readonly sent: () => number;
  say(text: string): boolean;
  pause(): void;
  resume(): void;
  stop(): void;
  readonly inside: () => boolean;
};

type IrcEnd = { send(line: string): void; stop(): void; readonly inside: () => boolean };

/** A connection to an IRC server that comes back at once, whatever happens. */
function stayOnIrc(
  port: () => number,
  nick: string,
  channel: string,
  caps: string,
  hear: (line: string) => void,
): IrcEnd {
  let socket: Socket | undefined;
  let inside = false;
  let over = false;
  const open = (): void => {
    if (over) return;
    const mine = connect(port(), '127.0.0.1');
    socket = mine;
    mine.setNoDelay(true);
    let pending = Buffer.alloc(0);
    let name = nick;
    mine.on('error', () => undefined);
    mine.on('close', () => {
      inside = false;
      if (!over) setTimeout(open, 30);
    });
    mine.on('data', (chunk) => {
      pending = Buffer.concat([pending, chunk]);
      for (let end = pending.indexOf(10); end >= 0; end = pending.indexOf(10)) {
        take(pending.subarray(0, end).toString('utf8').replace(/\r$/, ''));
        pending = pending.subarray(end + 1);
      }
    });
    const take = (line: string): void => {
      // With a time tag in front where that was asked for.
      const ping = /^(?:@\S+ )?(?::\S+ )?PING (.*)$/.exec(line)?.[1];
      if (ping !== undefined) mine.write(`PONG ${ping}\r\n`);
      else if (/^\S+ 433 /.test(line)) {
        name += '_';
        mine.write(`NICK ${name}\r\n`);
      } else if (/^(@\S+ )?:\S+ 001 /.test(line)) mine.write(`JOIN ${channel}\r\n`);
      else if (/^(@\S+ )?:\S+ 366 /.test(line)) inside = true;
      hear(line);
    };
    mine.write(`${caps === '' ? '' : `CAP REQ :${caps}\r\nCAP END\r\n`}NICK ${nick}\r\nUSER ${nick} 0 * :${nick}\r\n`);
  };
  open();
  return {
    send: (line) => void socket?.write(`${line}\r\n`),
    inside: () => inside,
    stop() {
      over = true;
      socket?.destroy();
    },
  };
}

/** Writes down what is said in the channel; a server that replays does not make it hear twice. */
export function watchChannel(port: () => number, channel: string, nick = 'watcher'): Watcher {
  const lines: { nick: string; text: string; at: number }[] = [];
  const known = new Set<string>();
  const end = stayOnIrc(port, nick, channel, 'message-tags server-time batch echo-message', (raw) => {
    const match = /^(?:@(\S+) )?:([^\s!]+)!\S+ (?:PRIVMSG|NOTICE) (\S+) :?(.*)$/.exec(raw);
    if (match?.[3]?.toLowerCase() !== channel.toLowerCase()) return;
    const msgid = /(?:^|;)msgid=([^;\s]+)/.exec(match[1] ?? '')?.[1];
    if (msgid !== undefined && known.has(msgid)) return;
    if (msgid !== undefined) known.add(msgid);
    lines.push({ nick: match[2] ?? '', text: match[4] ?? '', at: Date.now() });
  });
  return { lines, inside: end.inside, stop: end.stop };
}

/** Somebody on IRC who says `PREFIX-1`, `PREFIX-2` … every `everyMs`. */
export function talkOnIrc(
  port: () => number,
  channel: string,
  options: { nick?: string; prefix: string; everyMs: number },
): Talker {
  const end = stayOnIrc(port, options.nick ?? 'eve', channel, '', () => undefined);
  return talk(options, end.inside, (text) => end.send(`PRIVMSG ${channel} :${text}`), end.stop);
}

/** Somebody in the room who does the same; past the proxy, so that a cut of the bridge's network does not silence him. */
export function talkInRoom(
  stack: Stack,
  name: string,
  options: { prefix: string; everyMs: number; room?: string },
): Talker {
  let person: Person | undefined;
  let over = false;
  const { domain, room, member, ejabberd } = stack;
  const behind = { domain, room, member, ejabberd: { ...ejabberd, port: ejabberd.directPort } };
  const come = async (): Promise<void> => {
    while (!over) {
      try {
        const here = await enterRoom(behind, name, options.room === undefined ? {} : { room: options.room });
        if (over) {
          here.leave();
          return;
        }
        person = here;
        here.socket.once('close', () => {
          person = undefined;
          if (!over) setTimeout(() => void come(), 50);
        });
        return;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  };
  void come();
  return talk(
    options,
    () => person !== undefined,
    (text) => person?.say(text),
    () => {
      over = true;
      person?.leave();
    },
  );
}

function talk(
  { prefix, everyMs }: { prefix: string; everyMs: number },
  inside: () => boolean,
  say: (text: string) => void,
  stop: () => void,
): Talker {
  let count = 0;
  let paused = everyMs === 0;
  const timer = setInterval(
    () => {
      if (paused || !inside()) return;
      count += 1;
      say(`${prefix}-${count}`);
    },
    everyMs === 0 ? 1000 : everyMs,
  );
  return {
    sent: () => count,
    inside,
    say(text) {
      if (inside()) say(text);
      return inside();
    },
    pause() {
      paused = true;
    },
    resume() {
      paused = false;
    },
    stop() {
      clearInterval(timer);
      stop();
    },
  };
}

export type Tally = {
  readonly said: number;
  readonly lost: number[];
  readonly doubled: number[];
  readonly disordered: number;
};

/** Compares what was said (numbers, in order) with what arrived. */
export function tally(said: readonly number[], arrived: readonly number[]): Tally {
  const seen = new Map<number, number>();
  for (const number of arrived) seen.set(number, (seen.get(number) ?? 0) + 1);
  let disordered = 0;
  arrived.forEach((number, index) => {
    const before = arrived[index - 1];
    if (before !== undefined && number < before) disordered += 1;
  });
  return {
    said: said.length,
    lost: said.filter((number) => !seen.has(number)),
    doubled: [...seen].filter(([, count]) => count > 1).map(([number]) => number),
    disordered,
  };
}

export type Verdict = {
  readonly toIrc: Tally;
  readonly toRoom: Tally;
  /** Lost on the way to the room outside of all gaps that were told. */
  readonly untold: number[];
  readonly gaps: readonly Gap[];
};

/** What the observers on both sides saw of Tari's lines `ROOM-n` and eve's lines `IRC-n`. */
export function judgeRelay(
  rows: readonly { readonly nick: string; readonly text: string }[],
  onIrc: Watcher['lines'],
  prefix: { readonly room: string; readonly irc: string },
): Verdict {
  const by = <T extends { nick: string; text: string }>(lines: readonly T[], nick: RegExp): T[] =>
    lines.filter((line) => nick.test(line.nick));
  const numbers = (lines: readonly { readonly text: string }[], of: string): number[] =>
    numbersOf(
      lines.map(({ text }) => text),
      of,
    );
  const heard = by(onIrc, /^eve_*$/);
  const got = by(rows, /^ircbridge_*$/);
  const toIrc = tally(numbers(by(rows, /^Tari$/), prefix.room), numbers(by(onIrc, /^sax_*$/), prefix.room));
  const toRoom = tally(numbers(heard, prefix.irc), numbers(got, prefix.irc));
  const gaps = gapsIn(got.map(({ text }) => text));
  const saidAt = new Map(heard.map(({ text, at }) => [text, at]));
  const untold = toRoom.lost.filter((number) => {
    const at = saidAt.get(`${prefix.irc}-${number}`) ?? 0;
    return !gaps.some(({ from, to }) => at >= from && at <= to);
  });
  return { toIrc, toRoom, untold, gaps };
}

/** What the room's archive holds when nothing has arrived on either side for `ms`: that nothing more comes has no event of its own. */
export async function archivedWhenQuiet(
  stack: Stack,
  onIrc: Watcher['lines'],
  ms: number,
): ReturnType<typeof archived> {
  for (let before = -1; ; ) {
    await new Promise((resolve) => setTimeout(resolve, ms));
    const rows = await archived(stack);
    const sum = rows.length + onIrc.length;
    if (sum === before) return rows;
    before = sum;
  }
}

/** The numbers behind `PREFIX-` in texts. */
export function numbersOf(texts: readonly string[], prefix: string): number[] {
  const pattern = new RegExp(`(?:^|[^\\w-])${prefix}-(\\d+)$`);
  return texts.flatMap((text) => {
    const match = pattern.exec(text);
    return match === null ? [] : [Number(match[1])];
  });
}

/** What the room's archive holds, oldest first: nickname and text. */
export async function archived(
  stack: Stack,
  room = stack.room,
): Promise<readonly { nick: string; text: string; xml: string }[]> {
  const rows = await stack.sql('SELECT nick, txt, xml FROM archive.archive WHERE username = ? ORDER BY timestamp, id', [
    room,
  ]);
  return rows.map((row) => ({
    nick: String(row['nick'] ?? ''),
    text: String(row['txt'] ?? ''),
    xml: String(row['xml'] ?? ''),
  }));
}

export type Gap = { readonly from: number; readonly to: number };

/** The gaps that a bridge told, as milliseconds since 1970, a second wider on each side since they are told in whole seconds. */
export function gapsIn(texts: readonly string[]): Gap[] {
  return texts.flatMap((text) => {
    const match = /not connected from ([\d: -]+?) to ([\d: -]+?);/.exec(text);
    if (match?.[1] === undefined || match[2] === undefined) return [];
    const time = (word: string): number => {
      const parts = /^(?:(\d+)-(\d+)-(\d+) )?(\d+):(\d+):(\d+)$/.exec(word)?.slice(1).map(Number) ?? [];
      const [year, month, day, hours = 0, minutes = 0, seconds = 0] = parts;
      const date = new Date();
      if (year && month && day) date.setFullYear(year, month - 1, day);
      return date.setHours(hours, minutes, seconds, 0);
    };
    return [{ from: time(match[1]) - 1000, to: time(match[2]) + 2000 }];
  });
}
