import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { DatagramSocket } from '../../../../src/app/ports/datagram.ts';
import { encodeAddress } from '../../../../src/edges/dgram/address.ts';
import { adoptDatagrams, listenDatagrams } from '../../../../src/edges/dgram/listen.ts';
import { openSocket, sendDatagram } from '../../../../src/edges/dgram/send.ts';
import { bind, closeDescriptor } from '../../../../src/edges/state/libc.ts';

let directory: string;
let open: DatagramSocket[];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sax-'));
  open = [];
});
afterEach(() => {
  for (const socket of open) socket.close();
  rmSync(directory, { recursive: true });
});

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const texts = (datagrams: readonly { bytes: Uint8Array }[]): string[] =>
  datagrams.map(({ bytes: b }) => new TextDecoder().decode(b));
const listen = (path = join(directory, 's'), mode = 0o660): DatagramSocket => {
  const socket = listenDatagrams({ path, mode });
  open.push(socket);
  return socket;
};
const adopt = (path = join(directory, 'kept')): { path: string; adopted: () => DatagramSocket } => {
  const fd = openSocket();
  const address = encodeAddress(path);
  bind(fd, address.bytes, address.length);
  return {
    path,
    adopted: () => {
      const socket = adoptDatagrams(fd);
      open.push(socket);
      return socket;
    },
  };
};

test('takes in order what was sent, and wakes for it', async () => {
  const socket = listen();
  const woken = socket.readable();
  for (const text of ['a', 'b', 'c']) sendDatagram(join(directory, 's'), bytes(text));
  expect(await woken).toBe(true);
  expect(texts(socket.take())).toEqual(['a', 'b', 'c']);
  expect(socket.take()).toEqual([]);
});

test('cuts at 65,536 bytes and says so, and the next one is whole', () => {
  const socket = listen();
  sendDatagram(join(directory, 's'), new Uint8Array(200_000).fill(65));
  sendDatagram(join(directory, 's'), bytes('next'));
  const [long, next] = socket.take();
  expect([long?.bytes.length, long?.truncated]).toEqual([65_536, true]);
  expect([texts(next ? [next] : []), next?.truncated]).toEqual([['next'], false]);
});

test('closing ends a wait and removes the file', async () => {
  const socket = listen();
  const wait = socket.readable();
  socket.close();
  expect(await wait).toBe(false);
  expect(statSync(join(directory, 's'), { throwIfNoEntry: false })).toBeUndefined();
});

test.each([0o660, 0o622, 0o600])('gives the socket the mode %o whatever the umask', (mode) => {
  listen(join(directory, 's'), mode);
  expect(statSync(join(directory, 's')).mode & 0o777).toBe(mode);
});

test('replaces a stale socket, and only that', () => {
  const path = join(directory, 's');
  const fd = openSocket();
  const address = encodeAddress(path);
  bind(fd, address.bytes, address.length);
  expect(() => listen()).toThrow(/somebody listens on/);
  closeDescriptor(fd);
  expect(listen().kept).toBe(false);
});

test.each<[string, (path: string) => void, RegExp]>([
  ['a file', (path) => writeFileSync(path, ''), /is a file/],
  ['a symlink', (path) => symlinkSync('/nowhere', path), /is a symbolic link/],
  ['a directory', (path) => mkdirSync(path), /is a directory/],
])('refuses %s in the place of the socket', (_what, make, message) => {
  make(join(directory, 's'));
  expect(() => listen()).toThrow(message);
});

test('refuses a directory that is missing or open to everybody, and a path that is too long', () => {
  expect(() => listen(join(directory, 'no', 's'))).toThrow(/no directory/);
  mkdirSync(join(directory, 'open'));
  chmodSync(join(directory, 'open'), 0o777);
  expect(() => listen(join(directory, 'open', 's'))).toThrow(/everybody can write/);
  expect(() => listen(join(directory, 'x'.repeat(108)))).toThrow(/ENAMETOOLONG/);
  expect(() => listen('@abstract')).toThrow(/everybody could write/);
});

test.each([
  ['ENOENT', 'nobody'],
  ['ENAMETOOLONG', 'x'.repeat(108)],
])('a failed send has the code %s', (code, name) => {
  expect(() => sendDatagram(join(directory, name), bytes('x'))).toThrow(expect.objectContaining({ code }));
});

test('a full queue and a dead file have their codes', () => {
  const { path } = adopt();
  const fill = (): void => {
    for (let n = 0; n < 1000; n += 1) sendDatagram(path, bytes('x'));
  };
  expect(fill).toThrow(expect.objectContaining({ code: 'EAGAIN' }));
  writeFileSync(join(directory, 'file'), '');
  expect(() => sendDatagram(join(directory, 'file'), bytes('x'))).toThrow(
    expect.objectContaining({ code: 'ECONNREFUSED' }),
  );
});

test('an abstract address works for sending and for answers', () => {
  const name = `@sax-test-${process.pid}`;
  const socket = listen(name.replace('@', `${directory}/`));
  const fd = openSocket();
  const address = encodeAddress(name);
  expect(bind(fd, address.bytes, address.length)).toBe(0);
  expect(socket.answer(name, bytes('{}'))).toBe(true);
  closeDescriptor(fd);
  expect(socket.answer(name, bytes('{}'))).toBe(false);
});

test('an adopted socket shows the same datagrams again until they are taken', () => {
  const { path, adopted } = adopt();
  sendDatagram(path, bytes('early'));
  const first = adopted();
  for (const text of ['one', '', 'two']) sendDatagram(path, bytes(text));
  const shown = first.peek();
  expect(texts(shown)).toEqual(['early', 'one', 'two']);
  const again = adopted().peek();
  expect(again).toEqual(shown);
  expect(new Set(shown.map(({ stamp }) => stamp)).size).toBe(3);
  first.drop(2);
  expect(texts(first.peek())).toEqual(['two']);
  first.drop(1);
  expect(first.peek()).toEqual([]);
});

test('an empty or an oversized datagram does not hide the next one', () => {
  const { path, adopted } = adopt();
  const socket = adopted();
  sendDatagram(path, bytes(''));
  expect(socket.peek()).toEqual([]);
  expect(socket.peek()).toEqual([]);
  sendDatagram(path, new Uint8Array(150_000).fill(65));
  sendDatagram(path, bytes('after'));
  const [long, ...rest] = socket.peek();
  expect([long?.truncated, rest]).toEqual([true, []]);
  socket.drop(1);
  expect(texts(socket.peek())).toEqual(['after']);
});

test('refuses to adopt what is not a datagram socket', () => {
  expect(() => adoptDatagrams(0)).toThrow(/not a UNIX datagram socket/);
});
