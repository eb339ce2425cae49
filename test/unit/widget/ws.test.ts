import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { webSocket } from '../../../widget/src/ws.ts';

/** What of a browser's WebSocket the transport touches. */
class FakeSocket {
  static all: FakeSocket[] = [];
  readyState = 0;
  sent: string[] = [];
  onopen = () => {};
  onclose = () => {};
  readonly url: string;
  constructor(url: string) {
    this.url = url;
    FakeSocket.all.push(this);
  }
  open(): void {
    this.readyState = 1;
    this.onopen();
  }
  send(frame: string): void {
    this.sent.push(frame);
  }
  close(): void {
    this.readyState = 3;
    this.onclose();
  }
}

const { all } = FakeSocket;
let downs: string[] = [];
const on = { receive: () => {}, down: (why: string) => downs.push(why) };

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('WebSocket', FakeSocket);
  all.length = 0;
  downs = [];
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

it('dials before it is asked, and gives that socket to the first connection alone', async () => {
  const transport = webSocket('/ws');
  expect(all).toHaveLength(1);
  all[0]?.open();
  const first = transport('example.org', on);
  await first.ready;
  first.open();
  expect(all[0]?.sent).toEqual([expect.stringContaining("to='example.org'")]);
  vi.advanceTimersByTime(60_000);
  expect(all[0]?.readyState).toBe(1);
  transport('example.org', on);
  expect(all).toHaveLength(2);
  expect(downs).toEqual([]);
});

it('waits for a handshake that is still on its way', async () => {
  const transport = webSocket('/ws');
  const { ready } = transport('example.org', on);
  let isReady = false;
  const waited = ready?.then(() => {
    isReady = true;
  });
  await Promise.resolve();
  expect(isReady).toBe(false);
  all[0]?.open();
  await waited;
  expect(all).toHaveLength(1);
  all[0]?.close();
  expect(downs).toEqual(['closed']);
});

it('does not take a socket that has ended, and says of its own when it did not open', () => {
  const transport = webSocket('/ws');
  all[0]?.close();
  transport('example.org', on);
  expect(all).toHaveLength(2);
  all[1]?.close();
  expect(downs).toEqual(['unopened']);
});

it('closes what nobody needed', () => {
  const transport = webSocket('/ws');
  all[0]?.open();
  vi.advanceTimersByTime(5000);
  expect(all[0]?.readyState).toBe(3);
  transport('example.org', on);
  expect(all).toHaveLength(2);
  expect(downs).toEqual([]);
});
