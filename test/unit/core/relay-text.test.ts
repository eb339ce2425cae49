import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { plainFromIrc, safeForIrc, styledFromIrc, styledToIrc } from '../../../src/core/irc-format.ts';
import { splitText, textBudget, utf8Length } from '../../../src/core/irc-split.ts';
import { parseForm } from '../../../src/core/relay-nick.ts';
import {
  type IrcSaying,
  ircToRoom,
  type RoomSaying,
  roomToIrc,
  span,
  type ToIrc,
  timePrefix,
} from '../../../src/core/relay-text.ts';
import { xmlText } from '../../../src/core/xml-text.ts';

const B = '\x02';
const I = '\x1d';
const S = '\x1e';
const J = '\u2060';

const toIrc: ToIrc = { form: parseForm('<{nick}> {text}'), budget: 400, joint: () => false, colour: false };
const saying = (nick: string, body: string, extra: Partial<RoomSaying> = {}): RoomSaying => ({
  nick,
  body,
  announcement: false,
  corrects: false,
  ...extra,
});
const said = (nick: string, body: string, extra: Partial<RoomSaying> = {}, options: Partial<ToIrc> = {}) =>
  roomToIrc(saying(nick, body, extra), { ...toIrc, ...options }).map(({ text, how }) =>
    how === 'message' ? text : `${how}: ${text}`,
  );

/** The room's text, and the lines on IRC. */
const ROOM_TO_IRC: readonly (readonly [nick: string, body: string, ...lines: string[]])[] = [
  ['alice', 'hello', '<alice> hello'],
  ['alice', '  two spaces', '<alice>   two spaces'],
  ['alice', 'a\nb', '<alice> a', '<alice> b'],
  ['alice', 'a\r\nb\rc', '<alice> a', '<alice> b', '<alice> c'],
  ['alice', 'a\n\n\nb\n', '<alice> a', '<alice> b'],
  ['alice', '\n \n'],
  ['alice', ''],
  [
    'alice',
    'a\u2028b\u2029c\u0085d\vf\fg',
    '<alice> a',
    '<alice> b',
    '<alice> c',
    '<alice> d',
    '<alice> f',
    '<alice> g',
  ],
  ['alice', 'tab\there', '<alice> tab here'],
  ['alice', '/me waves', 'action: alice waves'],
  ['alice', '/me  waves', 'action: alice waves'],
  ['alice', '/me', '<alice> /me'],
  ['alice', '/meow', '<alice> /meow'],
  ['alice', ' /me waves', '<alice>  /me waves'],
  ['alice', '/ME waves', '<alice> /ME waves'],
  ['alice', '/me waves\nand talks', 'action: alice waves', '<alice> and talks'],
  ['alice', '/me \nQUIT :pwned', 'action: alice QUIT :pwned'],
  ['alice', '/me says /me ok', 'action: alice says /me ok'],
  ['bob says', '/me waves', 'action: <bob says> waves'],
  ['alice', '/quit', '<alice> /quit'],
  ['alice', 'x\r\nQUIT :pwned', '<alice> x', '<alice> QUIT :pwned'],
  ['alice', 'x\0y', '<alice> xy'],
  ['alice', '\x01VERSION\x01', '<alice> VERSION'],
  ['alice', '\x01ACTION dies\x01', '<alice> ACTION dies'],
  ['alice', '\x02raw\x02 \x0304codes', '<alice> raw 04codes'],
  ['alice', '\x1b[31mred', '<alice> [31mred'],
  ['alice', '\u0080\u009fc1', '<alice> c1'],
  ['alice', '*bold*', `<alice> ${B}bold${B}`],
  ['alice', '_italic_', `<alice> ${I}italic${I}`],
  ['alice', '~gone~', `<alice> ${S}gone${S}`],
  ['alice', '`code`', '<alice> `code`'],
  ['alice', '`*not bold*`', '<alice> `*not bold*`'],
  ['alice', '*bold* and _it_', `<alice> ${B}bold${B} and ${I}it${I}`],
  ['alice', '*_both_*', `<alice> ${B}${I}both${I}${B}`],
  ['alice', '*a b c*', `<alice> ${B}a b c${B}`],
  ['alice', 'a *b* c', `<alice> a ${B}b${B} c`],
  ['alice', '(*b*)', `<alice> (${B}b${B})`],
  ['alice', '*b*, *c*.', `<alice> ${B}b${B}, ${B}c${B}.`],
  ['alice', '* list', '<alice> * list'],
  ['alice', '2*3*4', '<alice> 2*3*4'],
  ['alice', 'snake_case_name', '<alice> snake_case_name'],
  ['alice', '_private_var', '<alice> _private_var'],
  ['alice', '*not bold', '<alice> *not bold'],
  ['alice', '* not bold*', '<alice> * not bold*'],
  ['alice', '*not bold *', '<alice> *not bold *'],
  ['alice', '**', '<alice> **'],
  ['alice', '****', '<alice> ****'],
  ['alice', '~~', '<alice> ~~'],
  ['alice', '*x', '<alice> *x'],
  ['alice', 'http://a.b/c_d_e~f*g*', '<alice> http://a.b/c_d_e~f*g*'],
  ['alice', '> quote\nanswer', '<alice> > quote', '<alice> answer'],
  ['alice', '```\ncode\n```', '<alice> ```', '<alice> code', '<alice> ```'],
  ['alice', ':colon first', '<alice> :colon first'],
  ['alice', 'émoji 🎉 日本', '<alice> émoji 🎉 日本'],
  ['alice', '👨‍👩‍👧 family', '<alice> 👨‍👩‍👧 family'],
  ['alice', '<bob> I am stupid', '<alice> <bob> I am stupid'],
  ['alice', 'x\n<bob> I am stupid', '<alice> x', '<alice> <bob> I am stupid'],
  ['alice', 'x\n* bob dies', '<alice> x', '<alice> * bob dies'],
  ['alice', 'x\n-- alice joined', '<alice> x', '<alice> -- alice joined'],
  ['bob> hi <alice', 'x', '<bob＞ hi ＜alice> x'],
  ['<', 'x', '<＜> x'],
  ['al\nice', 'x', '<al ice> x'],
  ['al\r\nQUIT', 'x', '<al QUIT> x'],
  ['\x02bold\x02', 'x', '<bold> x'],
  ['al\u202eice', 'x', '<alice> x'],
  ['al\u200bice', 'x', '<alice> x'],
  ['\u00ad', 'x', '<?> x'],
  ['   ', 'x', '<?> x'],
  ['', 'x', '<?> x'],
  ['Zoë', 'x', '<Zoë> x'],
  ['{text}', 'x', '<{text}> x'],
  ['alice', '*a*b', '<alice> *a*b'],
  ['alice', 'a*b*', '<alice> a*b*'],
  ['alice', '*a* *b*', `<alice> ${B}a${B} ${B}b${B}`],
  ['alice', '"*quoted*"', `<alice> "${B}quoted${B}"`],
  ['alice', '*bold _and_ it*', `<alice> ${B}bold ${I}and${I} it${B}`],
  ['alice', '_a*b_', `<alice> ${I}a*b${I}`],
  ['alice', '*ça*', `<alice> ${B}ça${B}`],
  ['alice', '*日本*', `<alice> ${B}日本${B}`],
  ['alice', '`a` `b`', '<alice> `a` `b`'],
  ['alice', '`', '<alice> `'],
  ['alice', '``', '<alice> ``'],
  ['alice', '*bold*\n*bold*', `<alice> ${B}bold${B}`, `<alice> ${B}bold${B}`],
  ['alice', '*two\nlines*', '<alice> *two', '<alice> lines*'],
  ['alice', '*a*?', `<alice> ${B}a${B}?`],
  ['alice', '~a~ ~b', `<alice> ${S}a${S} ~b`],
  ['alice', '@everyone', '<alice> @everyone'],
  ['alice', 'NICK x', '<alice> NICK x'],
  ['alice', '\ufeffbom', '<alice> \ufeffbom'],
  ['alice', '\u202eright to left', '<alice> \u202eright to left'],
  ['alice', 'x\x0bQUIT', '<alice> x', '<alice> QUIT'],
  ['@op', 'x', '<@op> x'],
  ['+voice', 'x', '<+voice> x'],
  ['$&$1', 'x$&', '<$&$1> x$&'],
];

describe('room to IRC', () => {
  test.each(ROOM_TO_IRC)('%j says %j', (nick, body, ...lines) => {
    expect(said(nick, body)).toEqual(lines);
  });

  test.each([
    ['corrected', 'alice', 'better', { corrects: true }, ['* alice meant: better']],
    ['corrected, two lines', 'alice', 'a\nb', { corrects: true }, ['* alice meant: a', '* alice meant: b']],
    ['corrected action', 'alice', '/me waves', { corrects: true }, ['* alice meant: waves']],
    ['corrected by a hostile name', 'bob meant: x', 'y', { corrects: true }, ['* <bob meant: x> meant: y']],
    ['announced', 'sax', 'New topic: *Title*', { announcement: true }, [`-- New topic: ${B}Title${B}`]],
    ['announced, two lines', 'sax', 'a\nb', { announcement: true }, ['-- a', '-- b']],
    ['announced /me', 'sax', '/me x', { announcement: true }, ['-- /me x']],
    [
      'taken back',
      'alice',
      '',
      { retracted: { moderator: undefined, author: 'alice', text: 'oops' } },
      ['* alice took back: oops'],
    ],
    [
      'taken back, unknown',
      'alice',
      '',
      { retracted: { moderator: undefined, author: undefined, text: undefined } },
      ['* alice took back a line'],
    ],
    [
      'removed by a moderator',
      '',
      '',
      { retracted: { moderator: 'mod', author: 'troll', text: 'spam' } },
      ['* mod removed a line of troll'],
    ],
    [
      'removed, unknown author',
      '',
      '',
      { retracted: { moderator: 'mod', author: undefined, text: undefined } },
      ['* mod removed a line'],
    ],
    [
      'answer',
      'alice',
      'yes',
      { answers: { nick: 'bob', text: 'shall we?' } },
      [`<alice> > b${J}ob: shall we?`, '<alice> yes'],
    ],
    [
      'answer with its own quote',
      'alice',
      '> bob: shall we?\nyes',
      { answers: { nick: 'bob', text: 'shall we?' } },
      ['<alice> > bob: shall we?', '<alice> yes'],
    ],
    [
      'answer to a multi-line',
      'alice',
      'yes',
      { answers: { nick: 'bob', text: 'a\nb' } },
      [`<alice> > b${J}ob: a b`, '<alice> yes'],
    ],
    [
      'answer to a long line',
      'alice',
      'yes',
      { answers: { nick: 'b', text: 'x'.repeat(200) } },
      [`<alice> > b: ${'x'.repeat(80)}…`, '<alice> yes'],
    ],
    [
      'answer by action',
      'alice',
      '/me nods',
      { answers: { nick: 'bob', text: 'ok?' } },
      [`<alice> > b${J}ob: ok?`, 'action: alice nods'],
    ],
  ] as const)('%s', (_what, nick, body, extra, lines) => {
    expect(said(nick, body, extra)).toEqual(lines);
  });

  test.each([
    ['[{nick}] {text}', 'a]b[c', 'x', '[a］b［c] x'],
    ['{nick}: {text}', 'a:b', 'x', 'a：b: x'],
    ['{nick} {text}', '-- New topic', 'x', '－－ New topic x'],
    ['{nick}: {text}', '* bob meant', 'x', '＊ bob meant: x'],
    ['<{nick}>', 'alice', 'x', '<alice> x'],
    ['{text} ({nick})', 'alice', 'x', 'x (alice)'],
    ['{text} ~{nick}~ end', 'a~b', 'x', 'x ~a～b~ end'],
    ['says {text}', 'alice', 'x', 'says x'],
    ['<{nick}/xmpp> {text}', 'alice', 'x', '<alice/xmpp> x'],
  ])('form %j', (form, nick, body, line) => {
    expect(said(nick, body, {}, { form: parseForm(form) })).toEqual([line]);
  });

  test('the nickname of somebody who is there gets a joint, whole graphemes kept', () => {
    expect(said('alice', 'hi', {}, { joint: () => true })).toEqual([`<a${J}lice> hi`]);
    expect(said('👨‍👩‍👧x', 'hi', {}, { joint: () => true })).toEqual(['<👨👩👧x> hi'.replace('👨', `👨${J}`)]);
    expect(said('a', 'hi', {}, { joint: () => true })).toEqual(['<a> hi']);
    expect(said('alice', '/me hi', {}, { joint: () => true })).toEqual([`action: a${J}lice hi`]);
  });

  test('a colour belongs to a nickname', () => {
    const [first] = said('alice', 'x', {}, { colour: true });
    expect(first).toMatch(/^<\x03\d\dalice\x03> x$/);
    expect(said('alice', 'y', {}, { colour: true })[0]?.slice(0, 4)).toBe(first?.slice(0, 4));
  });

  test('a long line is cut at a space, each piece with its speaker, bold going on', () => {
    const text = `*${'word '.repeat(30)}end*`;
    const lines = said('alice', text, {}, { budget: 80 });
    expect(lines.length).toBeGreaterThan(2);
    for (const line of lines) {
      expect(line.startsWith(`<alice> ${B}`)).toBe(true);
      expect(utf8Length(line)).toBeLessThanOrEqual(80 - 8);
    }
    const joined = lines.map((line) => line.slice('<alice> '.length).replaceAll(B, '')).join('');
    expect(joined).toBe(`${'word '.repeat(30)}end`);
  });
});

/** A line of IRC, and the body in the room. */
const IRC_TO_ROOM: readonly (readonly [how: IrcSaying['how'], text: string, body: string | undefined])[] = [
  ['message', 'hello', '<bob> hello'],
  ['action', 'waves', '* bob waves'],
  ['notice', 'beep', '<bob> beep'],
  ['message', '', undefined],
  ['message', '   ', undefined],
  ['message', '\x02\x02', undefined],
  ['message', '\x03', undefined],
  ['message', `${B}bold${B}`, '<bob> *bold*'],
  ['message', `${B}bold`, '<bob> *bold*'],
  ['message', `${I}it${I}`, '<bob> _it_'],
  ['message', `${S}gone${S}`, '<bob> ~gone~'],
  ['message', '\x11code\x11', '<bob> `code`'],
  ['message', '\x1funder\x1f', '<bob> under'],
  ['message', '\x16reverse\x16', '<bob> reverse'],
  ['message', '\x034red\x03', '<bob> red'],
  ['message', '\x0304,12red on blue', '<bob> red on blue'],
  ['message', '\x03', undefined],
  ['message', '\x03,5x', '<bob> ,5x'],
  ['message', '\x031234', '<bob> 34'],
  ['message', '\x04ff0000hex', '<bob> hex'],
  ['message', `${B}${I}both${I}${B}`, '<bob> *_both_*'],
  ['message', `${B}a${I}b${I}c${B}`, '<bob> *abc*'],
  ['message', `${B}a\x0fb`, '<bob> ab'],
  ['message', `${B}a\x0f b`, '<bob> *a* b'],
  ['message', `a${B}b${B}c`, '<bob> abc'],
  ['message', `a ${B}b${B} c`, '<bob> a *b* c'],
  ['message', `a ${B} b ${B} c`, '<bob> a  *b*  c'],
  ['message', `${B}a*b${B}`, '<bob> a*b'],
  ['message', `${B}*${B}`, '<bob> *'],
  ['message', `(${B}b${B})`, '<bob> (*b*)'],
  ['message', `${B}b${B}, c`, '<bob> *b*, c'],
  ['message', `\x0304${B}b${B}\x03 c`, '<bob> *b* c'],
  ['message', `${B}a${B}${I}b${I}`, '<bob> ab'],
  ['message', '\x0f\x0fx', '<bob> x'],
  ['message', 'tab\there', '<bob> tab here'],
  ['message', 'bell\x07 esc\x1b nul\x00', '<bob> bell esc nul'],
  ['message', 'del\x7f c1\x80\x9f', '<bob> del c1'],
  ['message', 'x\x01y', '<bob> xy'],
  ['message', '*stars* typed', '<bob> *stars* typed'],
  ['message', '<alice> I am stupid', '<bob> <alice> I am stupid'],
  ['message', '* alice dies', '<bob> * alice dies'],
  ['message', '/me waves', '<bob> /me waves'],
  ['message', '<b>&amp;"', '<bob> <b>&amp;"'],
  ['message', '日本 🎉 é', '<bob> 日本 🎉 é'],
  ['message', 'ends with space ', '<bob> ends with space '],
  ['message', `${B}ends ${B}`, '<bob> *ends* '],
  ['action', `is ${B}bold${B}`, '* bob is *bold*'],
  ['action', '', undefined],
  ['action', '\x034colours', '* bob colours'],
  ['message', '$& $1 {nick} {text}', '<bob> $& $1 {nick} {text}'],
  ['message', `${B}\x0304both${B}\x03`, '<bob> *both*'],
  ['message', `\x0304,`, '<bob> ,'],
  ['message', `\x030412`, '<bob> 12'],
  ['message', `\x04zz`, '<bob> zz'],
  ['message', `${I}a${I} ${I}b${I}`, '<bob> _a_ _b_'],
  ['message', `${S}a${S}!`, '<bob> ~a~!'],
  ['message', `\x11a*b\x11`, '<bob> `a*b`'],
  ['message', `\x11a\`b\x11`, '<bob> a`b'],
  ['message', `"${B}q${B}"`, '<bob> "*q*"'],
  ['message', `x${B} y${B}`, '<bob> x *y*'],
  ['message', `${B}x ${B}y`, '<bob> *x* y'],
  ['notice', `${B}x${B}`, '<bob> *x*'],
  ['message', ']]>', '<bob> ]]>'],
  ['message', '-- alice joined', '<bob> -- alice joined'],
  ['message', '\u2028', undefined],
];

describe('IRC to room', () => {
  const form = parseForm('<{nick}> {text}');
  test.each(IRC_TO_ROOM)('%s %j becomes %j', (how, text, body) => {
    expect(ircToRoom({ nick: 'bob', text, how }, { form, joint: () => false, styled: true })).toBe(body);
  });

  test.each([
    ['b[o]b', '[{nick}] {text}', '[b［o］b] x'],
    ['b|away', '{nick}| {text}', 'b｜away| x'],
    ['bob', '<{nick}@irc> {text}', '<bob@irc> x'],
  ])('nickname %s in %s', (nick, pattern, body) => {
    const options = { form: parseForm(pattern), joint: () => false, styled: true };
    expect(ircToRoom({ nick, text: 'x', how: 'message' }, options)).toBe(body);
  });

  test('a namesake in the room is not woken up; styling can be left out', () => {
    expect(ircToRoom({ nick: 'alice', text: 'x', how: 'message' }, { form, joint: () => true, styled: false })).toBe(
      `<a${J}lice> x`,
    );
    expect(
      ircToRoom({ nick: 'bob', text: `${B}x${B}`, how: 'message' }, { form, joint: () => false, styled: false }),
    ).toBe('<bob> x');
  });
});

test('there are at least 150 rows', () => {
  expect(ROOM_TO_IRC.length + IRC_TO_ROOM.length).toBeGreaterThanOrEqual(150);
});

describe('what always holds', () => {
  const anything = fc.string({
    unit: fc.oneof(
      fc.constantFrom('\r', '\n', '\0', '\x01', '\x02', '\x03', '*', '_', '~', '`', ' ', '<', '>'),
      fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)),
      fc.constantFrom('é', '日', '🎉', '👨‍👩‍👧', 'e\u0301'),
    ),
    maxLength: 300,
  });

  test('nothing for IRC holds CR, LF, NUL or a frame of CTCP, nor is longer than the budget', () => {
    fc.assert(
      fc.property(
        anything,
        anything,
        fc.boolean(),
        fc.integer({ min: 300, max: 500 }),
        (nick, body, colour, budget) => {
          for (const { text } of roomToIrc(saying(nick, body), { ...toIrc, colour, budget })) {
            expect(text).not.toMatch(/[\r\n\0\x01]/);
            expect(utf8Length(text)).toBeLessThanOrEqual(
              Math.max(budget - 8, utf8Length(text.split('> ')[0] ?? '') + 20),
            );
          }
        },
      ),
    );
  });

  test('every line of a person begins with his name', () => {
    fc.assert(
      fc.property(anything, (body) => {
        fc.pre(!body.startsWith('/me'));
        for (const { text, how } of roomToIrc(saying('alice', body), toIrc)) {
          expect(how).toBe('message');
          expect(text.startsWith('<alice> ')).toBe(true);
        }
      }),
    );
  });

  test('a hostile nickname stays within its brackets', () => {
    fc.assert(
      fc.property(anything, (nick) => {
        for (const { text } of roomToIrc(saying(nick, 'x'), toIrc)) expect(text).toMatch(/^<[^<>]+> x$/);
      }),
    );
  });

  test('nothing for the room holds what XML forbids once it is sent, and no control but none', () => {
    fc.assert(
      fc.property(anything, anything, (nick, text) => {
        const body = ircToRoom(
          { nick, text, how: 'message' },
          { form: parseForm('<{nick}> {text}'), joint: () => false, styled: true },
        );
        if (body !== undefined) expect(xmlText(body)).toMatch(/^[\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]*$/u);
      }),
    );
  });

  test('pieces fit, are whole graphemes and joined again are the text', () => {
    const segmenter = new Intl.Segmenter('und', { granularity: 'grapheme' });
    fc.assert(
      fc.property(anything.map(xmlText), fc.integer({ min: 64, max: 400 }), (text, limit) => {
        const pieces = splitText(text, limit);
        expect(pieces.join('')).toBe(text);
        for (const piece of pieces) expect(utf8Length(piece)).toBeLessThanOrEqual(limit);
        const borders = new Set([...segmenter.segment(text)].map(({ index }) => index));
        let at = 0;
        for (const piece of pieces) {
          const longest = Math.max(...[...segmenter.segment(text)].map(({ segment }) => utf8Length(segment)), 0);
          if (longest <= limit) expect(borders.has(at)).toBe(true);
          at += piece.length;
        }
      }),
    );
  });

  test('length in bytes is what the encoder makes', () => {
    fc.assert(
      fc.property(anything.map(xmlText), (text) => {
        expect(utf8Length(text)).toBe(Buffer.byteLength(text));
      }),
    );
  });

  test('bold, italic and struck words survive the way to IRC and back', () => {
    const word = fc.stringMatching(/^[a-zé日]{1,8}$/);
    const styled = fc.oneof(
      word,
      word.map((text) => `*${text}*`),
      word.map((text) => `_${text}_`),
      word.map((text) => `~${text}~`),
      word.map((text) => `\`${text}\``),
    );
    fc.assert(
      fc.property(fc.array(styled, { minLength: 1, maxLength: 8 }), (words) => {
        const text = words.join(' ');
        expect(styledFromIrc(styledToIrc(text))).toBe(text);
      }),
    );
  });

  test('plain text has no controls', () => {
    fc.assert(
      fc.property(anything, (text) => {
        expect(plainFromIrc(text)).not.toMatch(/[\x00-\x1f\x7f-\x9f]/);
        expect(styledFromIrc(text)).not.toMatch(/[\x00-\x1f\x7f-\x9f]/);
        expect(safeForIrc(text)).not.toMatch(/[\x00-\x1f\x7f-\x9f]/);
      }),
    );
  });
});

test('a grapheme longer than a line is cut between code points', () => {
  const zalgo = `a${'\u0301'.repeat(500)}`;
  const pieces = splitText(zalgo, 100);
  expect(pieces.join('')).toBe(zalgo);
  expect(Math.max(...pieces.map(utf8Length))).toBeLessThanOrEqual(100);
});

test('the budget counts the prefix that the others see', () => {
  expect(textBudget('bot!user@host', '#sax')).toBe(512 - ':bot!user@host PRIVMSG #sax :\r\n'.length);
});

test('times', () => {
  expect(timePrefix(new Date(2023, 10, 14, 2, 3).getTime())).toBe('[02:03] ');
  expect(span(new Date(2023, 10, 14, 2, 3, 4).getTime(), new Date(2023, 10, 14, 12, 3, 9).getTime())).toBe(
    '02:03:04 to 12:03:09',
  );
  expect(span(new Date(2023, 10, 14, 23, 59, 59).getTime(), new Date(2023, 10, 15, 0, 0, 1).getTime())).toBe(
    '2023-11-14 23:59:59 to 2023-11-15 00:00:01',
  );
});
