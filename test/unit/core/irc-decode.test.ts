import { expect, test } from 'vitest';
import { fullBucket, owe, take } from '../../../src/core/flood.ts';
import { decodeIrcLine } from '../../../src/core/irc-decode.ts';

const utf8 = (text: string, cut = 0): Uint8Array => Buffer.from(text).subarray(0, Buffer.byteLength(text) - cut);
const latin1 = (text: string): Uint8Array => Buffer.from(text, 'latin1');

test.each<[string, Uint8Array, string]>([
  ['ASCII', utf8('hello'), 'hello'],
  ['nothing', utf8(''), ''],
  ['UTF-8', utf8('ça dépend 日本 🎉'), 'ça dépend 日本 🎉'],
  ['windows-1252', latin1('\xe7a d\xe9pend'), 'ça dépend'],
  ['windows-1252 with its own signs', latin1('\x80 \x93quoted\x94'), '€ “quoted”'],
  ['windows-1252 ending in a letter', latin1('caf\xe9'), 'café'],
  ['UTF-8 cut in a character of two', utf8('abc é é', 1), 'abc é '],
  ['UTF-8 cut in a character of three', utf8('日本', 1), '日'],
  ['UTF-8 cut earlier in it', utf8('日本', 2), '日'],
  ['UTF-8 cut in an emoji', utf8('hé 🎉', 1), 'hé '],
  ['UTF-8 cut in an emoji, two bytes left', utf8('🎉', 2), ''],
  ['a lone byte in the middle', latin1('a\xffb'), 'aÿb'],
  ['an overlong form', Uint8Array.of(0xc0, 0xaf), 'À¯'],
  ['a surrogate', Uint8Array.of(0xed, 0xa0, 0x80, 0x41), 'í\u00a0€A'],
])('%s', (_what, bytes, text) => {
  expect(decodeIrcLine(bytes)).toBe(text);
});

test('never throws', () => {
  for (let seed = 0; seed < 2000; seed += 1) {
    const bytes = Uint8Array.from(
      { length: seed % 40 },
      (_value, index) => (seed * 2_654_435_761 + index * 40_503) >>> 13,
    );
    expect(typeof decodeIrcLine(bytes)).toBe('string');
  }
});

test('a burst, then one line a second', () => {
  const bucket = { burst: 8, everyMs: 1000 };
  let level = fullBucket(bucket, 0);
  let now = 0;
  const sent: number[] = [];
  for (let line = 0; line < 12; line += 1) {
    for (;;) {
      const taken = take(level, bucket, now);
      level = taken.level;
      if (taken.waitMs === 0) break;
      now += taken.waitMs;
    }
    sent.push(now);
  }
  expect(sent).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 1000, 2000, 3000, 4000]);
  // What cannot wait is paid for by what comes behind it.
  expect(take(owe(level, bucket, now), bucket, now).waitMs).toBe(2000);
  expect(take(fullBucket({ burst: 1, everyMs: 0 }, 0), { burst: 1, everyMs: 0 }, 0).waitMs).toBe(0);
});
