import { expect, test } from 'vitest';
import { type Say, say } from '../../../src/app/say.ts';
import { systemClock } from '../../../src/clock.ts';
import { encodeAnswer } from '../../../src/core/datagram.ts';

const plain: Say = { path: '/s', text: 'hi', words: {}, waitMs: undefined, patienceMs: 0 };
const sent = async (what: Partial<Say>): Promise<string> => {
  let bytes = new Uint8Array();
  await say(
    { ...plain, ...what },
    {
      send(_path, data) {
        bytes = new Uint8Array(data);
      },
      answer: async () => encodeAnswer({ ok: true, id: '1', ms: 2 }),
    },
    systemClock,
  );
  return new TextDecoder().decode(bytes);
};

test.each<[string, Partial<Say>, string]>([
  ['a text alone as it is', { text: '{"a":1} é' }, '{"a":1} é'],
  [
    'a type as a structure',
    { text: '', words: { type: 'reply', who: 'T', what: 'x' } },
    '{"sax":1,"type":"reply","who":"T","what":"x"}',
  ],
  [
    'the text as what it happened to',
    { text: 'Title', words: { type: 'lock' } },
    '{"sax":1,"type":"lock","what":"Title"}',
  ],
  ['a text that waits with a wish for an answer', { waitMs: 5 }, '{"sax":1,"type":"system","text":"hi","ack":true}'],
])('sends %s', async (_what, what, bytes) => {
  expect(await sent(what)).toBe(bytes);
});

test.each([
  ['ENOENT', 69],
  ['ECONNREFUSED', 69],
  ['EPROTOTYPE', 69],
  ['EAGAIN', 75],
  ['EMSGSIZE', 65],
  ['EACCES', 77],
  ['ENAMETOOLONG', 64],
])('%s ends with %i', async (code, exit) => {
  const send = (): never => {
    throw Object.assign(new Error(code), { code });
  };
  await expect(say(plain, { send }, systemClock)).rejects.toMatchObject({ exit, hint: expect.any(String) });
});

test.each<[string, Partial<Say>, number]>([
  ['nothing', { text: '' }, 65],
  ['more than fits a datagram', { text: 'x'.repeat(65_537) }, 65],
  ['more than fits a structure', { text: 'x'.repeat(9000), waitMs: 5 }, 65],
])('%s is refused', async (_what, what, exit) => {
  await expect(say({ ...plain, ...what }, { send() {} }, systemClock)).rejects.toMatchObject({ exit });
});

test('a full queue is tried again as long as there is patience', async () => {
  let tries = 0;
  const send = (): void => {
    tries += 1;
    if (tries < 4) throw Object.assign(new Error('full'), { code: 'EAGAIN' });
  };
  await say({ ...plain, patienceMs: 5000 }, { send }, systemClock);
  expect(tries).toBe(4);
});

test('waiting tells what the room has, that nothing came, or why not', async () => {
  const wait = (answer: Uint8Array | undefined) =>
    say({ ...plain, waitMs: 5 }, { send() {}, answer: async () => answer }, systemClock);
  expect(await wait(encodeAnswer({ ok: true, id: '17', ms: 3 }))).toEqual({ id: '17', ms: 3 });
  await expect(wait(undefined)).rejects.toMatchObject({ exit: 75 });
  await expect(wait(encodeAnswer({ ok: false, error: 'disk\u001b full' }))).rejects.toMatchObject({
    exit: 75,
    message: 'not said: disk\\u{1b} full',
  });
});
