import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type Announcement,
  decodeAnswer,
  decodeDatagram,
  encodeAnswer,
  encodeDatagram,
  LIMITS,
} from '../../../src/core/datagram.ts';

const options = { entities: 'decode', wording: {} } as const;
const decode = (input: string | Uint8Array | object, truncated = false): string => {
  const text = typeof input === 'string' || input instanceof Uint8Array ? input : JSON.stringify({ sax: 1, ...input });
  const result = decodeDatagram(typeof text === 'string' ? new TextEncoder().encode(text) : text, truncated, options);
  return result.ok ? result.announcement.text : `refused: ${result.reason}`;
};

const announced = (members: object): Announcement => {
  const result = decodeDatagram(new TextEncoder().encode(JSON.stringify({ sax: 1, ...members })), false, options);
  if (!result.ok) throw new Error(result.reason);
  return result.announcement;
};

test.each<[string | object, string]>([
  ['hello &amp; welcome\n', 'hello & welcome'],
  ['{"foo":1}', '{"foo":1}'],
  [' {"sax":1}', ' {"sax":1}'],
  ['', 'refused: empty'],
  ['\n\u0001\n', 'refused: empty'],
  ['{"sax":1', 'refused: not JSON'],
  ['{"sax":2,"type":"chat"}', 'refused: not version 1'],
  ['{"sax":"1","type":"chat"}', 'refused: not version 1'],
  [{}, 'refused: no type'],
  [{ type: 'No Type' }, 'refused: no type'],
  [
    { type: 'new-topic', who: 'Tari', what: 'Q&amp;A &lt;1&gt;', where: 'Forum', url: 'https://x.test/a?b=1&amp;c=2' },
    '* Tari opened a topic in Forum: Q&A <1> – https://x.test/a?b=1&c=2',
  ],
  [{ type: 'reply', who: 7, what: ['x'], where: { a: 1 }, url: 5 }, '* Somebody replied'],
  [{ type: 'reply', who: 'A\nB', url: 'javascript:alert(1)' }, '* A B replied'],
  [{ type: 'reply', who: 'A\u202eB', what: 'x\u202ey' }, '* AB replied to x\u202ey\u202c'],
  [{ type: 'reply', who: 'x'.repeat(65) }, `* ${'x'.repeat(63)}… replied`],
  [{ type: 'chat', who: 'half \ud800', what: 'a\udfffb' }, '* half: ab'],
  [{ type: 'badge', who: 'Tari', what: 'gold' }, '* Tari (badge): gold'],
  [{ type: 'system' }, 'refused: empty'],
  [{ type: 'system', text: '\u0001\n' }, 'refused: empty'],
  ['*', '*'],
  [{ type: 'system', text: 'as it is\nline two' }, 'as it is\nline two'],
])('%j says %j', (input, text) => {
  expect(decode(input)).toBe(text);
});

test('members of a wrong type or value are ignored and named', () => {
  const { ignored } = announced({
    type: 'reply',
    who: 7,
    what: ['x'],
    where: {},
    url: 'ftp://x',
    id: 1.5,
    ts: 'now',
    more: 1,
  });
  expect([...ignored].sort()).toEqual(['id', 'ts', 'url', 'what', 'where', 'who']);
  expect(announced({ type: 'reply', who: null, url: null, id: 'p17', ts: 1_700_000_000 }).ignored).toEqual([]);
});

test('long texts are cut on a grapheme, long structures refused, lines counted', () => {
  expect([...decode('é'.repeat(4000))]).toHaveLength(LIMITS.text);
  expect(decode(`${'x\n'.repeat(20)}`).split('\n')).toHaveLength(LIMITS.lines);
  expect(decode({ type: 'chat', what: 'x'.repeat(9000) })).toMatch(/refused: structured and longer/);
  expect(decode('{"sax":1', true)).toMatch(/refused: structured and longer/);
  expect(decode('cut short', true)).toBe('cut short…');
});

test('a wish for an answer is seen even where the rest is refused', () => {
  const result = decodeDatagram(new TextEncoder().encode('{"sax":1,"ack":true}'), false, options);
  expect(result).toEqual({ ok: false, reason: 'no type', ack: true });
});

test('no bytes at all make it throw, and what it says may stand in XML', () => {
  const json = fc
    .string({ unit: 'binary' })
    .map((text) => new TextEncoder().encode(`{"sax":1,"type":"chat","what":${JSON.stringify(text)}}`));
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), json), fc.boolean(), (input, truncated) => {
      const result = decodeDatagram(input, truncated, options);
      if (!result.ok) return;
      expect(result.announcement.text).not.toMatch(/[\u0000-\u0008\u000b-\u001f\ufffe\uffff]/);
      expect(() => encodeURIComponent(result.announcement.text)).not.toThrow();
    }),
  );
});

test('what is encoded is decoded', () => {
  expect(decode(encodeDatagram({ type: 'chat', who: 'Tari', what: 'hi' }) ?? '')).toBe('* Tari: hi');
  expect(encodeDatagram({ type: 'chat', text: 'x'.repeat(9000) })).toBeUndefined();
  expect(decodeAnswer(encodeAnswer({ ok: true, id: '17', ms: 3 }))).toEqual({ ok: true, id: '17', ms: 3 });
  expect(decodeAnswer(encodeAnswer({ ok: false, error: 'full' }))).toEqual({ ok: false, error: 'full' });
  expect(decodeAnswer(new Uint8Array([1]))).toBeUndefined();
});

test.each([
  ['{"sax":1,"ack":true', true],
  ['{"sax":1,"type":"chat"', false],
  [`{"sax":1,"type":"chat","ack": true,"what":"${'x'.repeat(LIMITS.structuredBytes)}"}`, true],
])('whoever asked for an answer gets one, also when nothing can be read: %.30j', (text, ack) => {
  expect(decodeDatagram(new TextEncoder().encode(text), false, options)).toMatchObject({ ok: false, ack });
});
