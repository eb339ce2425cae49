import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { entryOf, ircNickOf, type KnownBot } from '../../../../src/core/history/entry.ts';
import { colorOf, jsonEntry, renderEntry } from '../../../../src/core/history/render.ts';

const BOTS: KnownBot[] = [
  { nick: 'news', jid: 'webridge@chat.test', kind: 'announcement' },
  { nick: 'irc', jid: 'ircbridge@chat.test', kind: 'irc' },
  { nick: 'guard', jid: undefined, kind: 'system' },
];
const line = { id: '1', nick: 'Tari', jid: undefined as string | undefined, body: 'hi', at: 0 };
const style = { color: false, time: () => '2026-03-01 18:00:05' };

describe('entryOf', () => {
  it.each([
    [line, 'chat'],
    [{ ...line, nick: 'news' }, 'announcement'],
    [{ ...line, nick: 'irc' }, 'irc'],
    [{ ...line, nick: 'guard' }, 'system'],
    [{ ...line, nick: '' }, 'system'],
    [{ ...line, nick: 'irc', kind: 'system' }, 'system'],
    [{ ...line, nick: 'irc', kind: 'nonsense' }, 'irc'],
    [{ ...line, kind: 'announcement' }, 'chat'],
    [{ ...line, nick: 'news', jid: 'mallory@chat.test' }, 'chat'],
    [{ ...line, nick: 'renamed', jid: 'Webridge@chat.test' }, 'announcement'],
  ])('%o is %s', (said, kind) => {
    expect(entryOf(said, BOTS).kind).toBe(kind);
  });
});

describe('ircNickOf', () => {
  it.each([
    ['<bob> hello', '<{nick}> {text}', 'bob'],
    ['[bob] hello', '[{nick}] {text}', 'bob'],
    ['bob: a: b', '{nick}: {text}', 'bob'],
    ['hello', '<{nick}> {text}', undefined],
    ['hello', '{text}', undefined],
    ['bob hello', '{text} {nick} {nick}', undefined],
  ])('%j in the form %j is by %j', (text, form, nick) => {
    expect(ircNickOf(text, form)).toBe(nick);
  });
});

describe('renderEntry', () => {
  const entry = { id: '1', at: 0, nick: 'Tari', text: 'hi', kind: 'chat' as const };
  it.each([
    [entry, '2026-03-01 18:00:05 <Tari> hi'],
    [{ ...entry, text: '/me waves' }, '2026-03-01 18:00:05 * Tari waves'],
    [{ ...entry, kind: 'announcement' as const }, '2026-03-01 18:00:05 *** hi'],
    [{ ...entry, kind: 'system' as const }, '2026-03-01 18:00:05 -!- hi'],
    [{ ...entry, kind: 'irc' as const, text: '<bob> hi' }, '2026-03-01 18:00:05 [irc] <bob> hi'],
    [{ ...entry, text: 'a\nb\r\nc' }, '2026-03-01 18:00:05 <Tari> a\n                      b\n                      c'],
    [
      { ...entry, nick: 'a\u001b[31mb', text: 'x\u0007\u009b\u202ey\tz' },
      '2026-03-01 18:00:05 <a\\u{1b}[31mb> x\\u{7}\\u{9b}\\u{202e}y    z',
    ],
  ])('%o', (given, shown) => {
    expect(renderEntry(given, style)).toBe(shown);
  });

  it('gives a nickname one colour for ever, and letter case does not change it', () => {
    expect(colorOf('Tari')).toBe(colorOf('tari'));
    expect(renderEntry(entry, { ...style, color: true })).toContain(`<${colorOf('Tari')}Tari\u001b[0m> hi`);
    expect(new Set(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map(colorOf)).size).toBeGreaterThan(4);
  });

  it('never lets a control character through, in either form', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (nick, text) => {
        const hostile = { ...entry, nick, text };
        expect(renderEntry(hostile, style)).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
        expect(jsonEntry(hostile)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202e]/);
        expect(JSON.parse(jsonEntry(hostile))).toEqual({
          id: '1',
          time: new Date(0).toISOString(),
          nick,
          text,
          kind: 'chat',
        });
      }),
    );
  });
});
