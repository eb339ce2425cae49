import type { IrcMessage } from 'irc-framework';
import type { ChannelLine } from '../../app/ports/irc.ts';

/** The client-only tag (IRCv3 message-tags) by which bridges of this kind know their own and each other's lines. */
export const BRIDGE_TAG = '+saxctl/id';

/** The text of a PRIVMSG or NOTICE without the frame of an action; undefined for any other CTCP, which is no talk. */
export function readTalk(message: IrcMessage): Pick<ChannelLine, 'text' | 'how'> | undefined {
  const text = message.params[1] ?? '';
  const notice = message.command === 'NOTICE';
  if (!text.startsWith('\x01')) return { text, how: notice ? 'notice' : 'message' };
  const action = /^\x01ACTION (.*?)\x01?$/.exec(text);
  return action === null || notice ? undefined : { text: action[1] ?? '', how: 'action' };
}

/** The server's time of a message (IRCv3 server-time), milliseconds since 1970. */
export function timeOf(message: IrcMessage): number | undefined {
  const at = Date.parse(message.tags['time'] ?? '');
  return Number.isNaN(at) ? undefined : at;
}

/** One PRIVMSG or NOTICE as it goes out, without CR LF. */
export function formatTalk(
  channel: string,
  text: string,
  how: ChannelLine['how'],
  tags: Readonly<Record<string, string>>,
): string {
  const pairs = Object.entries(tags).map(([key, value]) => `${key}=${value}`);
  const body = how === 'action' ? `\x01ACTION ${text}\x01` : text;
  return `${pairs.length === 0 ? '' : `@${pairs.join(';')} `}${how === 'notice' ? 'NOTICE' : 'PRIVMSG'} ${channel} :${body}`;
}

/** The limits of InspIRCd's channel history (mode +H lines:time) in a 324 reply; undefined when the channel keeps none. */
export function historyMode(params: readonly string[]): { readonly lines: number; readonly ms: number } | undefined {
  if (!params[2]?.includes('H')) return undefined;
  const value = params.slice(3).find((param) => /^\d+:\w+$/.test(param));
  const [lines = '0', time = '0'] = value?.split(':') ?? [];
  const units: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800, y: 31_536_000 };
  let seconds = 0;
  for (const [, amount = '0', unit = 's'] of time.matchAll(/(\d+)([smhdwy]?)/gi))
    seconds += Number(amount) * (units[unit.toLowerCase() || 's'] ?? 1);
  return value === undefined ? undefined : { lines: Number(lines), ms: seconds * 1000 };
}

/** Whether a MODE of a channel (`#c +m-v us`) means that we may not speak there any more: moderation, a ban or a mute, our voice gone. */
export function silences(params: readonly string[], isUs: (nick: string) => boolean): boolean {
  const [, modes = '', ...targets] = params;
  let adds = true;
  for (const mode of modes) {
    if (mode === '+' || mode === '-') adds = mode === '+';
    else if (adds && /[mMRb]/.test(mode)) return true;
    // A mute on some servers (a mask), the founder's rank on others (a nickname).
    else if (adds && mode === 'q' && targets.some((target) => /[*!@:]/.test(target))) return true;
    else if (!adds && /[vhoaq]/.test(mode) && targets.some(isUs)) return true;
  }
  return false;
}
