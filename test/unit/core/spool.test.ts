import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fnv1a } from '../../../src/core/fnv1a.ts';
import { parseSpool } from '../../../src/core/spool.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const record = (id: string, text: string): string => `\n${id} ${bytes(text).length} ${fnv1a(bytes(text))}\n${text}\n`;
const texts = (input: string): [string[], number] => {
  const { records, damaged } = parseSpool(bytes(input));
  return [records.map(({ bytes: body }) => new TextDecoder().decode(body)), damaged];
};
const id = (n: number): string => `170000000${n % 10}.00000${n % 10}-77-${n}`;

test('records are read in order, whatever they hold, with their time', () => {
  expect(texts(`${record(id(1), 'a\nb é')}${record(id(2), '')}${record(id(3), `${id(4)} 3\nx`)}`)).toEqual([
    ['a\nb é', '', `${id(4)} 3\nx`],
    0,
  ]);
  expect(parseSpool(bytes(record('1700000001.500000-1-1', 'x'))).records[0]).toMatchObject({
    id: '1700000001.500000-1-1',
    at: 1_700_000_001_500,
  });
});

test.each([
  ['torn at the end', `${record(id(1), 'a')}\n${id(2)} 50 00000000\nhalf`, ['a']],
  ['torn in the middle', `${record(id(1), 'a')}\n${id(2)} 50 00000000\nhalf${record(id(3), 'c')}`, ['a', 'c']],
  ['torn head', `${record(id(1), 'a')}\n17000${record(id(3), 'c')}`, ['a', 'c']],
  ['garbage', `garbage\n\n${record(id(3), 'c')}`, ['c']],
])('%s: what is whole is read, the damage counted once', (_what, input, wanted) => {
  expect(texts(input)).toEqual([wanted, 1]);
});

test('wherever a full disk cut a record off, those around it are whole', () => {
  const torn = record(id(2), 'torn, and\nof two lines');
  for (let size = 1; size < torn.length - 1; size += 1)
    expect(
      texts(`${record(id(1), 'a')}${torn.slice(0, size)}${record(id(3), 'b\nc')}${record(id(4), 'd')}`)[0],
    ).toEqual(['a', 'b\nc', 'd']);
});

test('no bytes make it throw or hang', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 500 }), (input) => parseSpool(input).records.length <= input.length),
  );
});
