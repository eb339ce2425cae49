import type { IrcMessage } from 'irc-framework';
import type { Disconnect } from '../../app/ports/chat.ts';
import type { Channel, ChannelEvents, Heard } from '../../app/ports/irc.ts';
import type { Log } from '../../app/ports/log.ts';
import { newDeferred } from '../../core/deferred.ts';
import { EXIT, SaxError } from '../../core/errors.ts';
import { printable } from '../../core/escape.ts';
import { splitText, textBudget, utf8Length } from '../../core/irc-split.ts';
import { Refusal } from '../../core/refusal.ts';
import { BRIDGE_TAG, formatTalk, readTalk, silences, timeOf } from './message.ts';
import { newReplay } from './replay.ts';
import { newSaidLines } from './said-lines.ts';

export type ChannelWiring = {
  readonly channel: string;
  readonly key: string | undefined;
  readonly events: ChannelEvents;
  readonly heard: Heard | undefined;
  readonly write: (line: string) => void;
  /** Sends a PING; the callback runs when its PONG came: everything before it has been handled by the server. */
  readonly barrier: (done: () => void) => void;
  readonly lower: (text: string) => string;
  readonly isUs: (nick: string) => boolean;
  readonly wasUs: (nick: string) => boolean;
  readonly me: () => { readonly nick: string; readonly prefix: string };
  readonly caps: readonly string[];
  readonly supports: Readonly<Record<string, unknown>>;
  readonly log: Log;
  readonly now: () => number;
  /** We are out: nothing that happens there concerns us, but the answers to what we said before (until the barrier comes back). */
  readonly forget: () => void;
};

export type ChannelEnd = Channel & {
  /** A message about this channel; also after its end, when only answers to what was said before concern it. */
  take(message: IrcMessage, label: string | undefined, replayed: boolean): void;
  renamed(from: string, to: string): void;
  quit(nick: string, reason: string): void;
  lost(why: Disconnect): void;
  historyEnded(): void;
};

/** Why a line was refused, by numeric; everything else with our channel in it is no refusal of a line. */
const LINE_ERRORS = new Set([
  '401',
  '402',
  '403',
  '404',
  '407',
  '411',
  '412',
  '415',
  '417',
  '439',
  '442',
  '480',
  '486',
  '489',
  '520',
  '531',
  '716',
  '717',
  '937',
  '940',
]);
const JOIN_ERRORS = new Set([
  '403',
  '405',
  '407',
  '437',
  '448',
  '470',
  '471',
  '473',
  '474',
  '475',
  '476',
  '477',
  '479',
  '480',
  '489',
  '500',
  '519',
  '520',
]);
const JOIN_DEADLINE_MS = 15_000;
/** With the pages of a history. */
const HISTORY_DEADLINE_MS = 60_000;

/**
 * One channel. States: joining (JOIN sent; replays may come) → inside (the barrier behind the join came back: names and
 * replays are here) → out. A line that we say is confirmed by its own echo where the server labels it (labeled-response with
 * echo-message), else by the PONG to a PING sent behind it and a few others; refusals come before that PONG.
 */
export function newChannel(wiring: ChannelWiring): { readonly end: ChannelEnd; join(): Promise<void> } {
  const { channel, events, write, lower, log } = wiring;
  const occupants = new Map<string, string>();
  const labelled = wiring.caps.includes('labeled-response') && wiring.caps.includes('echo-message');
  const tagged = wiring.caps.includes('message-tags');
  let state: 'joining' | 'inside' | 'out' = 'joining';
  let joined = false;
  let left = false;
  const replay = newReplay({
    channel,
    heard: wiring.heard,
    asks: wiring.caps.includes('draft/chathistory'),
    limit: Number(wiring.supports['CHATHISTORY']) || Number.POSITIVE_INFINITY,
    write,
    barrier: wiring.barrier,
    now: wiring.now,
  });
  /** Said live while the history is being asked for: it comes behind that. */
  let held: (() => void)[] | undefined;
  let complete: Channel['replay'] = 'none';
  const joining = newDeferred<void>();

  const deliver = (what: () => void): void => {
    try {
      what();
    } catch (error) {
      log.error('handler-failed', `a handler of the channel failed: ${String(error)}`, { channel });
    }
  };
  const out = (why: Disconnect): void => {
    if (state === 'out') return;
    const before = state;
    state = 'out';
    wiring.forget();
    if (before === 'joining') joining.reject(new SaxError(EXIT.unavailable, `${channel}: ${why.reason}`));
    else deliver(() => events.left(why));
  };
  const said = newSaidLines({ channel, labelled, events, barrier: wiring.barrier, deliver, log });

  function takeTalk(message: IrcMessage, label: string | undefined, fromReplay: boolean): void {
    const msgid = message.tags['msgid'];
    const bridgeId = message.tags[BRIDGE_TAG];
    const own = fromReplay ? wiring.wasUs(message.nick) : wiring.isUs(message.nick);
    if (own && !fromReplay) {
      said.echoed(label ?? bridgeId ?? '', msgid);
    }
    const at = timeOf(message) ?? wiring.now();
    if (fromReplay) replay.take(at, msgid);
    const talk = message.prefix.includes('!') || message.ident !== '' || own ? readTalk(message) : undefined;
    if (talk === undefined) return;
    const source = fromReplay ? 'history' : 'live';
    const tell = (): void => events.line({ nick: message.nick, ...talk, at, msgid, source, own, bridgeId });
    if (held !== undefined && !fromReplay) held.push(tell);
    else deliver(tell);
  }

  function takeNumeric(message: IrcMessage, label: string | undefined): void {
    const { command, params } = message;
    if (command === '353') {
      for (const entry of (params.at(-1) ?? '').split(' ')) {
        const nick = entry.replace(/^[~&@%+!.]+/, '').replace(/!.*$/, '');
        if (nick !== '') occupants.set(lower(nick), nick);
      }
      return;
    }
    if (command === '324') replay.modes(params);
    if (command === '332') deliver(() => events.topic?.(params.at(-1) ?? '', ''));
    if (state === 'joining' && !joined && JOIN_ERRORS.has(command)) {
      state = 'out';
      wiring.forget();
      joining.reject(new Refusal(EXIT.refused, command, `${channel} refuses to let us in: ${reasonIn(message)}`));
      return;
    }
    if (command === 'FAIL' && params[0] === 'CHATHISTORY') replay.failed();
    if (refusesLine(message)) said.refused(label, reasonIn(message));
  }

  async function join(): Promise<void> {
    const timer = setTimeout(
      () => out({ kind: 'server', reason: 'no answer to the join', permanent: false }),
      replay.asks ? HISTORY_DEADLINE_MS : JOIN_DEADLINE_MS,
    );
    if (replay.asks) held = [];
    write(`JOIN ${channel}${wiring.key === undefined ? '' : ` ${wiring.key}`}`);
    write(`MODE ${channel}`);
    const after = newDeferred<void>();
    wiring.barrier(() => after.resolve());
    try {
      await Promise.race([after.promise, joining.promise]);
      // Some servers think about a join for longer; their answer still comes.
      while (!joined && state === 'joining') {
        await Promise.race([joining.promise, new Promise((resolve) => setTimeout(resolve, 50))]);
      }
      await replay.ask(joining.promise);
      if (state === 'out') await joining.promise;
      complete = replay.completeness();
      state = 'inside';
      if (left) out({ kind: 'refused', reason: 'removed from the channel', permanent: false });
    } finally {
      clearTimeout(timer);
      const waiting = held ?? [];
      held = undefined;
      for (const tell of waiting) deliver(tell);
    }
  }

  const budget = (): number => {
    const length = Number(wiring.supports['LINELEN'] ?? 512);
    return textBudget(wiring.me().prefix, channel, Number.isFinite(length) && length >= 512 ? length : 512);
  };

  const end: ChannelEnd = {
    channel,
    get nick() {
      return wiring.me().nick;
    },
    get replay() {
      return complete;
    },
    has: (nick) => occupants.has(lower(nick)),
    occupants: () => [...occupants.values()],
    budget,
    confirms: labelled ? 'echo' : 'asked',
    say(id, text, how) {
      const room = budget() - (how === 'action' ? utf8Length('\x01ACTION \x01') : 0);
      const pieces = splitText(text, Math.max(64, room));
      said.add(id, pieces.length);
      pieces.forEach((piece, index) => {
        const last = index === pieces.length - 1;
        const tags = {
          ...(labelled && last ? { label: id } : {}),
          ...(tagged && last ? { [BRIDGE_TAG]: id } : {}),
        };
        write(formatTalk(channel, piece, how, tags));
      });
    },
    ask: said.ask,
    leave() {
      if (state === 'out') return;
      write(`PART ${channel}`);
      out({ kind: 'closed', reason: 'we left', permanent: false });
    },
    take(message, label, fromReplay) {
      if (state === 'out') {
        if (refusesLine(message)) said.refused(label, reasonIn(message));
        return;
      }
      switch (message.command) {
        case 'PRIVMSG':
        case 'NOTICE':
          takeTalk(message, label, fromReplay);
          return;
        case 'JOIN':
          if (fromReplay) return;
          occupants.set(lower(message.nick), message.nick);
          if (wiring.isUs(message.nick)) {
            joined = true;
            replay.clock(timeOf(message) ?? wiring.now());
          } else if (state === 'inside') deliver(() => events.present?.(message.nick));
          return;
        case 'PART':
          if (!fromReplay) gone(message.nick, 'part', message.params[1] ?? '', message.nick);
          return;
        case 'KICK':
          if (!fromReplay) gone(message.params[1] ?? '', 'kick', message.params[2] ?? '', message.nick);
          return;
        case 'MODE':
          if (!fromReplay) said.modesChanged(silences(message.params, wiring.isUs));
          return;
        case 'TOPIC':
          if (!fromReplay) deliver(() => events.topic?.(message.params[1] ?? '', message.nick));
          return;
        default:
          takeNumeric(message, label);
      }
    },
    renamed(from, to) {
      if (!occupants.delete(lower(from))) return;
      occupants.set(lower(to), to);
      if (!wiring.isUs(to)) deliver(() => events.renamed?.(from, to));
    },
    quit(nick, reason) {
      if (occupants.delete(lower(nick))) deliver(() => events.absent?.(nick, 'quit', reason));
    },
    lost: out,
    historyEnded: replay.ended,
  };

  function gone(nick: string, how: 'part' | 'kick', reason: string, by: string): void {
    occupants.delete(lower(nick));
    if (!wiring.isUs(nick)) {
      deliver(() => events.absent?.(nick, how, reason));
      return;
    }
    left = true;
    const because = reason === '' ? '' : `: ${JSON.stringify(printable(reason))}`;
    const what =
      how === 'kick' ? `kicked from ${channel} by ${printable(by)}${because}` : `removed from ${channel}${because}`;
    if (state !== 'inside') return;
    said.thrownOut();
    out({ kind: 'refused', reason: what, permanent: false });
  }

  joining.promise.catch(() => {});
  return { end, join };
}

function refusesLine({ command, params }: IrcMessage): boolean {
  return LINE_ERRORS.has(command) || (command === 'FAIL' && /^(PRIVMSG|NOTICE)$/.test(params[0] ?? ''));
}

function reasonIn(message: IrcMessage): string {
  return `${printable(message.params.at(-1) ?? '')} (${message.command})`;
}
