/**
 * How a nickname of one side is written on the other: it can neither forge the form around it nor wake its namesake up.
 */

const graphemes = new Intl.Segmenter('und', { granularity: 'grapheme' });

/** U+2060: no width, no line break, and no client finds the nickname with it inside. */
const JOINT = '\u2060';
/** mIRC colours that are readable on light and on dark ground. */
const COLOURS = ['02', '03', '04', '05', '06', '07', '10', '12', '13'];
const LONGEST = 60;

/** The literal parts of a form such as `<{nick}> {text}`. */
export type Form = {
  readonly before: string;
  readonly between: string;
  readonly after: string;
  readonly textFirst: boolean;
};

/** Reads a form; `{nick}` and `{text}` are filled in once each, everything else stands. A form without `{text}` gets it at the end. */
export function parseForm(form: string): Form {
  const whole = form.includes('{text}') ? form : `${form} {text}`;
  const nick = whole.indexOf('{nick}');
  const text = whole.indexOf('{text}');
  if (nick === -1) return { before: whole.slice(0, text), between: '', after: whole.slice(text + 6), textFirst: true };
  const [first, second] = nick < text ? [nick, text] : [text, nick];
  return {
    before: whole.slice(0, first),
    between: whole.slice(first + 6, second),
    after: whole.slice(second + 6),
    textFirst: text < nick,
  };
}

/** The form with its holes filled, cut in two around the text: what stands before the text and what stands behind it. */
export function fillForm(form: Form, nick: string): { readonly head: string; readonly tail: string } {
  const { before, between, after, textFirst } = form;
  if (!textFirst) return { head: `${before}${nick}${between}`, tail: after };
  return {
    head: before,
    tail: between === '' && after === '' ? '' : `${between}${between === '' ? '' : nick}${after}`,
  };
}

export type NickStyle = {
  readonly form: Form;
  /** The nickname exists on the other side too: keep it from waking its owner. */
  readonly joint: boolean;
  readonly colour: boolean;
};

/** A nickname as it stands in a relayed line. */
export function relayedNick(nick: string, { form, joint, colour }: NickStyle): string {
  const bare = withoutLead(withoutForm(cleanNick(nick), form), form);
  const shown = joint ? withJoint(bare) : bare;
  if (!colour) return shown;
  let sum = 0;
  for (const char of nick.toLowerCase()) sum = (sum * 31 + (char.codePointAt(0) ?? 0)) % 65_521;
  return `\x03${COLOURS[sum % COLOURS.length]}${shown}\x03`;
}

/**
 * A nickname as the subject of a sentence of ours (`* alice meant: …`). With a space in it it stands in brackets: else
 * somebody called `bob meant: nonsense` could put words into bob's mouth.
 */
export function nickInSentence(nick: string, joint: boolean): string {
  const bare = cleanNick(nick).replaceAll('<', '\uff1c').replaceAll('>', '\uff1e');
  const shown = joint ? withJoint(bare) : bare;
  return /\s/.test(bare) ? `<${shown}>` : shown;
}

/** The same few people speak all the time, and counting graphemes is the dearest part of a line. */
const cleaned = new Map<string, string>();
const CLEANED = 500;

/** No controls, no direction marks, no invisible padding, single spaces, not endless. */
function cleanNick(nick: string): string {
  const known = cleaned.get(nick);
  if (known !== undefined) return known;
  if (cleaned.size >= CLEANED) cleaned.clear();
  const clean = cleanedNick(nick);
  cleaned.set(nick, clean);
  return clean;
}

function cleanedNick(nick: string): string {
  const clean = nick
    .replace(/\s+/gu, ' ')
    .replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '')
    .trim();
  const short = [...graphemes.segment(clean)]
    .slice(0, LONGEST)
    .map(({ segment }) => segment)
    .join('');
  return short === '' ? '?' : short.slice(0, LONGEST * 4);
}

/** Replaces the marks of the form inside the nickname by their full-width twins: `<b> x <a>` cannot be read as two people. */
function withoutForm(nick: string, { before, between, after }: Form): string {
  const marks = new Set([...(before + between + after)].filter((char) => /^[!-/:-@[-`{-~]$/.test(char)));
  return [...nick].map((char) => (marks.has(char) ? String.fromCharCode(char.charCodeAt(0) + 0xfee0) : char)).join('');
}

/** Where nothing stands before the nickname, it cannot begin like a sentence of ours (`-- `, `* `) or a quote. */
function withoutLead(nick: string, { before, textFirst }: Form): string {
  if (textFirst || before.trim() !== '') return nick;
  return nick.replace(/^[-*>]+/, (marks) =>
    [...marks].map((char) => String.fromCharCode(char.charCodeAt(0) + 0xfee0)).join(''),
  );
}

function withJoint(nick: string): string {
  const first = graphemes.segment(nick)[Symbol.iterator]().next().value?.segment ?? '';
  return first.length === nick.length ? nick : `${first}${JOINT}${nick.slice(first.length)}`;
}
