import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Forum } from '../../src/app/ports/forum.ts';
import { ForumError } from '../../src/core/phpbb/failure.ts';
import { openForum } from '../../src/edges/phpbb/forum.ts';
import type { Stack } from '../../src/edges/stack/types.ts';
import { startTestStack } from '../helpers/stack.ts';
import { until } from '../helpers/until.ts';

/** What happens to the server's bytes on their way to us. */
type Spoil = (bytes: Buffer, send: (bytes: Uint8Array) => void) => void;
const plain: Spoil = (bytes, send) => send(bytes);

let stack: Stack;
let proxy: Server;
let spoil: Spoil = plain;
let connections = 0;
const open = new Set<Socket>();
let forum: Forum;

beforeAll(async () => {
  // mysql2 tells of every packet that is out of order.
  vi.spyOn(console, 'error').mockImplementation(() => {});
  vi.spyOn(console, 'trace').mockImplementation(() => {});
  stack = await startTestStack({ parts: ['mariadb'] });
  proxy = createServer((ours) => {
    connections++;
    const server = createConnection(stack.databaseSocket);
    open.add(ours);
    ours.on('data', (bytes) => server.write(bytes));
    server.on('data', (bytes: Buffer) => spoil(bytes, (part) => void ours.write(part)));
    for (const [one, other] of [
      [ours, server],
      [server, ours],
    ] as const)
      one.on('close', () => other.destroy()).on('error', () => {});
  });
  await new Promise<void>((resolve) => proxy.listen(join(stack.directory, 'proxy.sock'), resolve));
});
afterAll(async () => {
  for (const socket of open) socket.destroy();
  proxy.close();
  await stack.stop();
});
afterEach(() => {
  forum.close();
  spoil = plain;
});

/** Connected, with everything prepared: what follows is questions and answers only. */
async function ready(): Promise<Forum> {
  forum = openForum({
    host: '127.0.0.1',
    port: 1,
    socket: join(stack.directory, 'proxy.sock'),
    user: 'root',
    password: undefined,
    name: 'forum',
    table_prefix: 'phpbb_',
    board: undefined,
    charset: 'utf8mb4',
  });
  await forum.session(sid('Tari'), 5000);
  await forum.account(2, 5000);
  await forum.member(2, 5000);
  connections = 0;
  return forum;
}
const sid = (name: string): string => stack.member(name).session.sid;
const nameOf = async (name: string, within = 5000): Promise<string | undefined> =>
  (await forum.session(sid(name), within))?.username;

describe('an answer of the database', () => {
  it.each([
    [
      'byte by byte',
      (bytes, send) => {
        for (const byte of bytes) send(Uint8Array.of(byte));
      },
    ],
    [
      'in two halves',
      (bytes, send) => {
        send(bytes.subarray(0, bytes.length / 2));
        setTimeout(() => send(bytes.subarray(bytes.length / 2)), 5);
      },
    ],
  ] as readonly (readonly [string, Spoil])[])('is understood when it comes %s', async (_, how) => {
    await ready();
    spoil = how;
    for (const name of ['Tari', 'alice', 'Jürgen Müßig', 'Tari', '春夏秋冬東西南北花鳥風月山川海空星雪雨雲'])
      expect(await nameOf(name)).toBe(name);
    expect((await forum.session('f'.repeat(32), 5000))?.id).toBeUndefined();
    expect(connections).toBe(0);
  });

  it('is the one of this question, when the server says the last one once more', async () => {
    await ready();
    let last: Buffer = Buffer.alloc(0);
    spoil = (bytes, send) => {
      send(last);
      last = bytes;
      send(bytes);
    };
    expect(await nameOf('Tari')).toBe('Tari');
    for (let round = 0; round < 10; round++)
      for (const name of ['alice', 'Tari']) {
        // Refused or right, whatever the connection has to be made anew for.
        const answer = await nameOf(name).catch((error: unknown) => error);
        expect(answer instanceof ForumError ? name : answer).toBe(name);
      }
    expect(connections).toBeGreaterThan(0);
    spoil = plain;
    await until(async () => (await nameOf('alice').catch(() => '')) === 'alice');
  });

  it('is taken for none when it was said twice, and the next question is answered over a new connection', async () => {
    await ready();
    spoil = (bytes, send) => send(Buffer.concat([bytes, bytes]));
    await expect(nameOf('Tari')).rejects.toThrow('not asked for');
    spoil = plain;
    expect(await nameOf('alice')).toBe('alice');
    expect(connections).toBe(1);
  });

  it('that nobody asked for ends the connection, and is never taken for the next one’s', async () => {
    await ready();
    let saved: Buffer = Buffer.alloc(0);
    spoil = (bytes, send) => {
      saved = bytes;
      send(bytes);
    };
    const tari = (await forum.session(sid('Tari'), 5000))?.id ?? 0;
    const stale = saved;
    await forum.member(tari, 5000);
    const staleMember = saved;
    spoil = plain;
    for (let round = 0; round < 20; round++) {
      for (const socket of open) socket.write(round % 2 === 0 ? stale : staleMember);
      // It may come between the next question and its answer: then that one is refused.
      const answer =
        round % 4 < 2
          ? await nameOf('alice').catch(() => undefined)
          : await forum.member(tari + 1, 5000).then(
              (member) => (member?.id === tari + 1 ? 'alice' : member?.username),
              () => undefined,
            );
      expect(['alice', undefined]).toContain(answer);
      await until(async () => (await nameOf('alice').catch(() => '')) === 'alice');
    }
    expect(connections).toBeGreaterThan(0);
  });

  it('that is late is refused in time, and never taken for the next one’s', async () => {
    await ready();
    const held: (() => void)[] = [];
    spoil = (bytes, send) => held.push(() => send(bytes));
    const began = performance.now();
    await expect(nameOf('Tari', 200)).rejects.toThrow('no answer in time');
    expect(performance.now() - began).toBeGreaterThan(150);
    spoil = plain;
    const next = nameOf('alice');
    for (const release of held) release();
    expect(await next).toBe('alice');
    expect(connections).toBe(1);
  });

  it('that is an error is one, and the connection stays', async () => {
    await ready();
    await stack.sql('RENAME TABLE phpbb_sessions TO phpbb_away');
    try {
      await expect(nameOf('Tari')).rejects.toThrow("doesn't exist");
    } finally {
      await stack.sql('RENAME TABLE phpbb_away TO phpbb_sessions');
    }
    expect(await nameOf('Tari')).toBe('Tari');
    expect(connections).toBe(0);
  });
});
