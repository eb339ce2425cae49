import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { DatagramSocket } from '../../src/app/ports/datagram.ts';
import { encodeAnswer } from '../../src/core/datagram.ts';
import { listenDatagrams } from '../../src/edges/dgram/listen.ts';
import { sendDatagram } from '../../src/edges/dgram/send.ts';
import { type Finished, runSaxctl, startSaxctl } from '../helpers/stack.ts';
import { until } from '../helpers/until.ts';

let directory: string;
let path: string;
let socket: DatagramSocket;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sax-'));
  path = join(directory, 's');
  socket = listenDatagrams({ path, mode: 0o600 });
});
afterEach(() => {
  socket.close();
  rmSync(directory, { recursive: true });
});

const nothing = { config: '/dev/null', env: {} };
const say = (...argv: string[]): Promise<Finished> => runSaxctl(nothing, ['say', '--socket', path, ...argv]);
const taken = (): string[] => socket.take().map(({ bytes }) => new TextDecoder().decode(bytes));
/** Answers what comes next as the webridge would. */
const answer = async (what: Parameters<typeof encodeAnswer>[0]): Promise<string> => {
  const [got] = await until(() => {
    const some = socket.take();
    return some.length > 0 ? some : undefined;
  });
  socket.answer(got?.from ?? '', encodeAnswer(what));
  return new TextDecoder().decode(got?.bytes);
};

test('what is typed is what is sent', async () => {
  expect((await say('Q&amp;A', 'as', 'it is')).code).toBe(0);
  expect((await say('--type', 'reply', '--who', 'T', 'a', 'title')).code).toBe(0);
  const words = ['--who', 'T', '--what', 'W', '--where', 'F', '--url', 'https://x.test/'];
  expect((await say('--type', 'own-type', ...words)).code).toBe(0);
  expect((await runSaxctl(nothing, ['say', '--socket', path, '--stdin'], { stdin: 'a\r\n\nb' })).code).toBe(0);
  expect(taken()).toEqual([
    'Q&amp;A as it is',
    '{"sax":1,"type":"reply","who":"T","what":"a title"}',
    '{"sax":1,"type":"own-type","who":"T","what":"W","where":"F","url":"https://x.test/"}',
    'a',
    'b',
  ]);
});

describe('--wait', () => {
  test('prints the stanza id and the milliseconds', async () => {
    const said = say('--wait', '20000', 'hi');
    expect(JSON.parse(await answer({ ok: true, id: '1795369452581919', ms: 12 }))).toMatchObject({
      text: 'hi',
      ack: true,
    });
    expect(await said).toMatchObject({ code: 0, stdout: '1795369452581919 12\n', stderr: '' });
  });

  test('a refusal is told with its reason', async () => {
    const said = say('--wait', '20000', 'hi');
    await answer({ ok: false, error: 'the outbox is full' });
    expect(await said).toMatchObject({ code: 75, stdout: '', stderr: expect.stringContaining('the outbox is full') });
  });

  test('time that runs out is 75', async () => {
    expect(await say('--wait', '50', 'hi')).toMatchObject({ code: 75, stdout: '' });
  });

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 75],
  ] as const)(
    '%s ends it at once with %i',
    async (signal, code) => {
      const running = startSaxctl(nothing, ['say', '--socket', path, '--wait', '60000', 'hi']);
      await until(() => taken().length > 0);
      running.child.kill(signal);
      // Sooner than what it waits for, which is longer than this test may take.
      expect((await running.finished).code).toBe(code);
    },
    50_000,
  );
});

test.each<[number, string, string[]]>([
  [64, 'nothing to say', []],
  [64, 'not a type', ['--type', 'No Type', 'x']],
  [64, '--who needs --type', ['--who', 'T', 'x']],
  [64, 'either TEXT or --what', ['--type', 'reply', '--what', 'x', 'y']],
  [64, 'either TEXT or --stdin', ['--stdin', 'x']],
  [64, 'either --stdin or --what', ['--stdin', '--type', 'reply', '--what', 'x']],
  [64, 'not milliseconds', ['--wait', '0', 'x']],
  [64, 'not milliseconds', ['--wait', '-5', 'x']],
  [65, 'nothing to say', ['']],
  [65, 'too long', ['--type', 'chat', '--what', 'x'.repeat(9000)]],
  [65, 'too long', ['x'.repeat(65_537)]],
  [69, 'nobody listens', ['--socket', '/nonexistent/say.sock', 'x']],
])('%i: %s', async (code, words, argv) => {
  expect(await say(...argv)).toMatchObject({ code, stdout: '', stderr: expect.stringContaining(words) });
  expect(taken()).toEqual([]);
});

test('a queue that is full is 75', async () => {
  expect(() => {
    for (let n = 0; n < 10_000; n += 1) sendDatagram(path, new Uint8Array([65]));
  }).toThrow(expect.objectContaining({ code: 'EAGAIN' }));
  expect(await say('x')).toMatchObject({ code: 75, stderr: expect.stringContaining('the queue is full') });
});
