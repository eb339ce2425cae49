import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type HttpAnswer, newAnswerReader } from '../../../../src/edges/ejabberd-api/answer.ts';

/** Feeds the bytes in pieces that end at the given places; the answer and how much of it was there when it came. */
function read(text: string, cuts: readonly number[] = [], most = 1000): HttpAnswer | undefined {
  const bytes = Buffer.from(text, 'utf8');
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  const reader = newAnswerReader(most);
  let from = 0;
  for (const to of [...places, bytes.length]) {
    const answer = to > from ? reader.take(bytes.subarray(from, to)) : undefined;
    if (answer !== undefined) return answer;
    from = to;
  }
  return reader.end();
}

const ANSWERS: readonly [string, string, HttpAnswer][] = [
  ['with a length', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nЖ"0"', { status: 200, body: 'Ж"0"', last: false }],
  [
    'of ejabberd',
    'HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\n0',
    { status: 200, body: '0', last: false },
  ],
  ['without a body', 'HTTP/1.1 204 No Content\r\n\r\n', { status: 204, body: '', last: false }],
  ['with nothing in it', 'HTTP/1.1 403 Forbidden\r\ncontent-length:0\r\n\r\n', { status: 403, body: '', last: false }],
  [
    'in chunks, with a trailer',
    'HTTP/1.1 400 Bad Request\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\n"ni\r\nA\r\nck already\r\n0\r\nx: y\r\n\r\n',
    { status: 400, body: '"nick already', last: false },
  ],
  [
    'to the end',
    'HTTP/1.1 502 Bad Gateway\r\nServer: nginx\r\n\r\n<html>',
    { status: 502, body: '<html>', last: true },
  ],
  [
    'the last one',
    'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\n0',
    { status: 200, body: '0', last: true },
  ],
  ['of HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n0', { status: 200, body: '0', last: true }],
  [
    'behind a 100',
    'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n0',
    { status: 200, body: '0', last: false },
  ],
];

describe('an answer of HTTP/1.1', () => {
  test.each(ANSWERS)('%s, however it is cut', (_name, text, answer) => {
    fc.assert(
      fc.property(fc.array(fc.nat(200), { maxLength: 12 }), (cuts) => {
        expect(read(text, cuts)).toEqual(answer);
      }),
    );
  });

  test.each(ANSWERS.filter(([, , { last }]) => !last))('%s, cut off, is none', (_name, text) => {
    const bytes = Buffer.from(text, 'utf8');
    for (let end = 0; end < bytes.length; end += 1) {
      const reader = newAnswerReader(1000);
      expect([end, end === 0 ? undefined : reader.take(bytes.subarray(0, end)), reader.end()]).toEqual([
        end,
        undefined,
        undefined,
      ]);
    }
  });

  test.each([
    ['not HTTP', 'SSH-2.0-OpenSSH\r\n\r\n'],
    ['more than it says', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n00'],
    ['two at once', `${'HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n0'.repeat(2)}`],
    ['a chunk without size', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n'],
    ['too much', `HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n${'x'.repeat(2000)}`],
    ['too large a chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffff\r\n'],
    ['a head without end', `HTTP/1.1 200 OK\r\n${'x: y\r\n'.repeat(20_000)}`],
  ])('%s is refused', (_name, text) => {
    expect(() => read(text)).toThrow();
  });
});
