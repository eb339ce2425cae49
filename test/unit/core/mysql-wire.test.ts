import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { executePacket, readAnswer } from '../../../src/core/mysql-wire.ts';

const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
const read = (bytes: Uint8Array): ReturnType<typeof readAnswer> =>
  readAnswer(bytes, (text, binary) => `${binary ? 'b:' : ''}${latin1(text)}`);

const packets = (...bodies: Uint8Array[]): Buffer =>
  Buffer.concat(
    bodies.map((body, index) =>
      Buffer.concat([
        Buffer.of(body.length & 255, (body.length >> 8) & 255, body.length >> 16, (index + 1) & 255),
        body,
      ]),
    ),
  );
const COUNT = Buffer.of(1);
/** Names of any length, then the thirteen fixed bytes. */
const column = (charset = 45, type = 0xfd, names = 'def'): Buffer =>
  Buffer.concat([Buffer.from(names), Buffer.of(0x0c, charset & 255, charset >> 8, 9, 9, 0, 0, type, 0, 0, 39, 0, 0)]);
const end = (status = 2): Buffer => Buffer.of(0xfe, 0, 0, status, 0);
const size = (length: number): Buffer =>
  length < 251
    ? Buffer.of(length)
    : length < 65_536
      ? Buffer.of(0xfc, length & 255, length >> 8)
      : Buffer.of(0xfd, length & 255, (length >> 8) & 255, length >> 16);
const row = (text: string | null): Buffer =>
  text === null ? Buffer.of(0, 4) : Buffer.concat([Buffer.of(0, 0), size(text.length), Buffer.from(text, 'latin1')]);
const answer = (texts: readonly (string | null)[], charset = 45): Buffer =>
  packets(COUNT, column(charset), end(), ...texts.map(row), end());
const error = (code: number, text: string): Buffer =>
  Buffer.concat([Buffer.of(0xff, code & 255, code >> 8), Buffer.from(text)]);

describe('executePacket', () => {
  it('writes a text', () => {
    expect(Buffer.from(executePacket(0x2e, 'abc')).toString('hex')).toBe(
      '12000000' + '17' + '2e000000' + '00' + '01000000' + '00' + '01' + 'fd00' + '03616263',
    );
  });
  it('writes a number, negative ones too', () => {
    expect(Buffer.from(executePacket(1, -1)).toString('hex')).toBe(
      '16000000' + '17' + '01000000' + '00' + '01000000' + '00' + '01' + '0800' + 'ffffffffffffffff',
    );
  });
  it.each([['ä'], ['x'.repeat(251)], [1.5], [Number.NaN]])('refuses what it would write wrongly: %s', (value) => {
    expect(() => executePacket(1, value)).toThrow(RangeError);
  });
});

describe('readAnswer', () => {
  it.each([
    ['no rows', []],
    ['NULL', [null]],
    ['a row', ['x']],
    ['rows of every size', ['', 'y'.repeat(250), 'y'.repeat(251), 'y'.repeat(70_000)]],
    ['more rows than there are packet numbers', Array.from({ length: 600 }, (_, index) => String(index))],
  ])('reads %s', (_, texts: readonly (string | null)[]) => {
    expect(read(answer(texts))).toEqual(texts.map((text) => text ?? ''));
  });
  it('tells bytes from text', () => {
    expect(read(answer(['x'], 63))).toEqual(['b:x']);
  });
  it('reads an error in place of the answer and in the midst of the rows', () => {
    expect(read(packets(error(1146, '#42S02no table')))).toEqual({ code: 1146, message: 'no table' });
    expect(read(packets(COUNT, column(), end(), row('x'), error(1927, '#70100killed')))).toEqual({
      code: 1927,
      message: 'killed',
    });
  });

  it.each([
    ['two columns', packets(Buffer.of(2), column(), column(), end(), end())],
    ['a number', packets(COUNT, column(45, 8), end(), row('x'), end())],
    ['a result behind the result', packets(COUNT, column(), end(), row('x'), end(0x0a))],
    ['an OK', packets(Buffer.of(0, 0, 0, 2, 0, 0, 0))],
    ['a question for a file of ours', packets(Buffer.from([0xfb, ...Buffer.from('/etc/passwd')]))],
    [
      'an end that is an OK (CLIENT_DEPRECATE_EOF)',
      packets(COUNT, column(), row('x'), Buffer.of(0xfe, 0, 0, 2, 0, 0, 0)),
    ],
    ['a text longer than its row', packets(COUNT, column(), end(), Buffer.of(0, 0, 5, 65), end())],
    ['a text shorter than its row', packets(COUNT, column(), end(), Buffer.of(0, 0, 1, 65, 66), end())],
    ['an empty packet', packets(Buffer.of())],
    ['the answer to the question before', answer(['x']).fill(7, 3, 4)],
    ['a packet that does not end', Buffer.from([0, 0, 0xff, 1, 1])],
  ])('takes %s for no answer', (_, bytes) => {
    expect(read(bytes)).toBe('broken');
  });

  const whole = fc
    .array(fc.option(fc.string({ maxLength: 300, unit: 'binary-ascii' })), { maxLength: 5 })
    .map((texts) => answer(texts));
  it('waits for every byte', () => {
    fc.assert(
      fc.property(whole, fc.nat(), (bytes, cut) => {
        expect(read(bytes.subarray(0, cut % bytes.length))).toBe('more');
      }),
    );
  });
  it('takes nothing behind the answer', () => {
    fc.assert(
      fc.property(whole, fc.uint8Array({ minLength: 1, maxLength: 400 }), (bytes, more) => {
        expect(read(Buffer.concat([bytes, more]))).toBe('broken');
      }),
    );
  });
  it('reads whatever comes without falling over, and never a row out of its number', () => {
    fc.assert(
      fc.property(whole, fc.nat(), fc.integer({ min: 1, max: 255 }), (bytes, at, change) => {
        const spoilt = Buffer.from(bytes);
        const place = at % spoilt.length;
        spoilt[place] = (spoilt[place] ?? 0) ^ change;
        const result = read(spoilt);
        let packet = 0;
        for (let from = 0; from < bytes.length; from += 4 + bytes.readUIntLE(from, 3)) {
          if (place === from + 3) packet++;
        }
        if (packet > 0) expect(result).toBe('broken');
      }),
      { numRuns: 2000 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const result = read(bytes);
        expect(typeof result === 'string' || 'code' in result || bytes.length >= 30).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});
