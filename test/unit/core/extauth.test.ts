import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createPacketSplitter, parseAuthRequest } from '../../../src/core/extauth.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const packet = (body: Uint8Array): Uint8Array => Uint8Array.of(body.length >> 8, body.length & 255, ...body);

/** Cuts bytes at the given places. */
function cut(stream: Uint8Array, places: readonly number[]): Uint8Array[] {
  const at = [0, ...places.map((place) => place % (stream.length + 1)).sort((a, b) => a - b), stream.length];
  return at.slice(1).map((end, index) => stream.subarray(at[index], end));
}

describe('packets', () => {
  it('are the same however the stream is cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 12 }),
        fc.array(fc.nat(), { maxLength: 40 }),
        (bodies, places) => {
          const stream = Uint8Array.from(bodies.flatMap((body) => [...packet(body)]));
          const splitter = createPacketSplitter();
          const got = cut(stream, places).flatMap((chunk) => splitter.push(chunk));
          expect(got.map((body) => [...body])).toEqual(bodies.map((body) => [...body]));
          expect(splitter.pending()).toBe(0);
        },
      ),
    );
  });

  it.each([0, 1, 2559, 2560, 32_767, 32_768, 65_509, 65_535])(
    'of %i bytes arrive whole, also byte by byte',
    (length) => {
      const body = new Uint8Array(length).map((_, index) => index % 251);
      const stream = packet(body);
      const splitter = createPacketSplitter();
      const got = [...stream].flatMap((byte) => splitter.push(Uint8Array.of(byte)));
      expect(got).toHaveLength(1);
      expect(Buffer.compare(got[0] ?? new Uint8Array(), body)).toBe(0);
    },
  );

  it('that are cut off stay in the splitter', () => {
    const splitter = createPacketSplitter();
    expect(splitter.push(Uint8Array.of(0))).toEqual([]);
    expect(splitter.pending()).toBe(1);
    expect(splitter.push(Uint8Array.of(4, 97, 98))).toEqual([]);
    expect(splitter.pending()).toBe(4);
  });
});

describe('a question', () => {
  it.each([
    ['auth:tari:chat.test:secret', { op: 'auth', user: 'tari', server: 'chat.test', secret: bytes('secret') }],
    ['auth:tari:chat.test:a:b\n\0c', { op: 'auth', user: 'tari', server: 'chat.test', secret: bytes('a:b\n\0c') }],
    ['auth:tari:chat.test:', { op: 'auth', user: 'tari', server: 'chat.test', secret: bytes('') }],
    ['auth:жук:chat.test:x', { op: 'auth', user: 'жук', server: 'chat.test', secret: bytes('x') }],
    ['isuser:tari:chat.test', { op: 'isuser', user: 'tari', server: 'chat.test' }],
    ['setpass:tari:chat.test:x', { op: 'other', name: 'setpass' }],
    ['tryregister:tari:chat.test:x', { op: 'other', name: 'tryregister' }],
    ['removeuser:tari:chat.test', { op: 'other', name: 'removeuser' }],
    ['removeuser3:tari:chat.test:x', { op: 'other', name: 'removeuser3' }],
    ['certauth:-----BEGIN\n', { op: 'other', name: 'certauth' }],
  ])('%j', (text, wanted) => expect(parseAuthRequest(bytes(text))).toEqual(wanted));

  it.each([
    '',
    ':',
    'auth',
    'auth:',
    'auth:tari',
    'auth:tari:chat.test',
    'auth::chat.test:x',
    'auth:tari::x',
    'isuser:tari',
    'isuser::chat.test',
    'isuser:tari:chat.test:more',
    'AUTH:tari:chat.test:x',
    ' auth:tari:chat.test:x',
    'auth\n:tari:chat.test:x',
    'auth:ta\nri:chat.test:x',
    'auth:ta\0ri:chat.test:x',
    'unknown:tari:chat.test:x',
  ])('that ejabberd does not ask is malformed: %j', (text) =>
    expect(parseAuthRequest(bytes(text))).toEqual({ op: 'malformed' }),
  );

  it('whose name is not UTF-8 is malformed, whose secret is not is none the less a question', () => {
    const join = (...parts: (string | number[])[]): Uint8Array =>
      Uint8Array.from(parts.flatMap((part) => (typeof part === 'string' ? [...bytes(part)] : part)));
    expect(parseAuthRequest(join('auth:', [0xff, 0xfe], ':chat.test:x'))).toEqual({ op: 'malformed' });
    expect(parseAuthRequest(join('auth:a:', [0xc3], ':x'))).toEqual({ op: 'malformed' });
    expect(parseAuthRequest(join('auth:a:b:', [0xff, 0x00]))).toMatchObject({ op: 'auth', secret: join([0xff, 0x00]) });
  });

  it('is never a crash, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (body) => void parseAuthRequest(body)),
      { numRuns: 2000 },
    );
  });
});
