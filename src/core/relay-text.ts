import { linesOf, openCodes, plainFromIrc, safeForIrc, styledFromIrc, styledToIrc } from './irc-format.ts';
import { splitText, utf8Length } from './irc-split.ts';
import { type Form, fillForm, nickInSentence, relayedNick } from './relay-nick.ts';

/** One line to be said on IRC. */
export type IrcSay = {
  readonly text: string;
  readonly how: 'message' | 'action' | 'notice';
};

/** What the room said, as far as the relay's wording needs it. */
export type RoomSaying = {
  readonly nick: string;
  readonly body: string;
  readonly announcement: boolean;
  /** XEP-0308. */
  readonly corrects: boolean;
  /** XEP-0424/0425: a line was taken back, by whom when not by its author, and what it said where we still know. */
  readonly retracted?: {
    readonly moderator: string | undefined;
    readonly author: string | undefined;
    readonly text: string | undefined;
  };
  /** XEP-0461: the line that this one answers, where we still know it. */
  readonly answers?: { readonly nick: string; readonly text: string } | undefined;
};

export type ToIrc = {
  readonly form: Form;
  /** Bytes that a line of text may have. */
  readonly budget: number;
  /** Whether somebody of that nickname is in the channel and must not be woken up. */
  readonly joint: (nick: string) => boolean;
  readonly colour: boolean;
};

/** Bytes kept free for the time of a late line, `[12:03] `. */
export const TIME_BYTES = 8;
const QUOTE_GRAPHEMES = 80;

/** A saying of the room as lines of IRC: one for each line of it, long ones cut, each with its speaker. */
export function roomToIrc(saying: RoomSaying, options: ToIrc): IrcSay[] {
  const { nick, body } = saying;
  const subject = nickInSentence(nick, options.joint(nick));
  if (saying.retracted !== undefined) return sentences([retraction(subject, saying.retracted, options)], '', options);
  if (saying.announcement) return sentences(linesOf(body), '-- ', options);
  if (saying.corrects) return sentences(linesOf(withoutMe(body)), `* ${subject} meant: `, options);
  const me = /^\/me(?=\s)\s*/.exec(body);
  const lines = linesOf(me === null ? body : body.slice(me[0].length));
  const quoted = quote(saying, lines);
  const { head, tail } = fillForm(options.form, relayedNick(nick, { ...options, joint: options.joint(nick) }));
  return [...quoted, ...lines].flatMap((line, index) => {
    if (me !== null && index === quoted.length) return pieces(line, `${subject} `, '', 'action', options);
    return pieces(line, head, tail, 'message', options);
  });
}

function withoutMe(body: string): string {
  return body.replace(/^\/me\s+/, '');
}

function retraction(
  subject: string,
  { moderator, author, text }: NonNullable<RoomSaying['retracted']>,
  options: ToIrc,
): string {
  const of = author === undefined ? '' : ` of ${nickInSentence(author, options.joint(author))}`;
  // What a moderator removed is not said again.
  if (moderator !== undefined) return `* ${nickInSentence(moderator, options.joint(moderator))} removed a line${of}`;
  return `* ${subject} took back${text === undefined ? ' a line' : `: ${excerpt(text)}`}`;
}

/** The answered line as `> bob: …`, unless the client quoted it already (XEP-0461 section 3.1). */
function quote({ answers }: RoomSaying, lines: readonly string[]): string[] {
  if (answers === undefined || lines[0]?.startsWith('>')) return [];
  return [`> ${nickInSentence(answers.nick, true)}: ${excerpt(answers.text)}`];
}

function excerpt(text: string): string {
  const flat = safeForIrc(text).replace(/\s+/g, ' ').trim();
  const graphemes = [...new Intl.Segmenter('und', { granularity: 'grapheme' }).segment(flat.slice(0, 2000))];
  if (graphemes.length <= QUOTE_GRAPHEMES && flat.length <= 2000) return flat;
  return `${graphemes
    .slice(0, QUOTE_GRAPHEMES)
    .map(({ segment }) => segment)
    .join('')}…`;
}

function sentences(lines: readonly string[], head: string, options: ToIrc, how: IrcSay['how'] = 'message'): IrcSay[] {
  return lines.flatMap((line) => pieces(line, head, '', how, options));
}

/** A line of our own on IRC (joins, gaps), which no person can say: people's lines begin with their name. */
export function noticeToIrc(text: string, options: ToIrc): IrcSay[] {
  return sentences(linesOf(text), '-- ', options, 'notice');
}

function pieces(line: string, head: string, tail: string, how: IrcSay['how'], { budget }: ToIrc): IrcSay[] {
  const action = how === 'action' ? utf8Length('\x01ACTION \x01') : 0;
  const text = styledToIrc(safeForIrc(line));
  // Three bytes for the codes that a piece must open again.
  const room = budget - utf8Length(head) - utf8Length(tail) - action - TIME_BYTES - 3;
  let open = '';
  return splitText(text, Math.max(4, room)).map((piece) => {
    const said = `${head}${open}${piece}${tail}`;
    open = openCodes(open + piece);
    return { text: said, how };
  });
}

export type IrcSaying = { readonly nick: string; readonly text: string; readonly how: 'message' | 'action' | 'notice' };
export type ToRoom = { readonly form: Form; readonly joint: (nick: string) => boolean; readonly styled: boolean };

/** A line of IRC as the body of a message in the room; undefined when nothing is left of it. */
export function ircToRoom({ nick, text, how }: IrcSaying, { form, joint, styled }: ToRoom): string | undefined {
  const said = styled ? styledFromIrc(text) : plainFromIrc(text);
  if (said.trim() === '') return undefined;
  if (how === 'action') return `* ${nickInSentence(nick, joint(nick))} ${said}`;
  const { head, tail } = fillForm(form, relayedNick(nick, { form, joint: joint(nick), colour: false }));
  return `${head}${said}${tail}`;
}

/** The time of a late line, as people read it on their clock: `[12:03] `. */
export function timePrefix(at: number): string {
  const date = new Date(at);
  return `[${pad(date.getHours())}:${pad(date.getMinutes())}] `;
}

/** From when to when, for the notice of a gap; with the day when it was not today. */
export function span(from: number, to: number): string {
  const [first, last] = [new Date(from), new Date(to)];
  const day = (date: Date): string => `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())} `;
  const clock = (date: Date): string => `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}`;
  const sameDay = first.toDateString() === last.toDateString();
  return `${sameDay ? '' : day(first)}${clock(first)} to ${sameDay ? '' : day(last)}${clock(last)}`;
}

function pad(number: number): string {
  return String(number).padStart(2, '0');
}
