import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { nodeprep, resourceprep } from '../../../src/core/stringprep.ts';

/** Rows of a table that ejabberd's own library answered (erlang-p1-stringprep 1.0.29). */
function rows(name: string): string[][] {
  const packed = readFileSync(new URL(`../../fixtures/${name}.tsv.gz`, import.meta.url));
  const lines = gunzipSync(packed).toString('utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => line.split('\t'));
}

const hex = (text: string | undefined) => (text === undefined ? 'error' : Buffer.from(text).toString('hex'));

describe('stringprep is ejabberd’s', () => {
  test('for every code point of the BMP between two letters', () => {
    const table = rows('prep');
    const differences = table.filter(([point = '', , , node, resource]) => {
      const text = `x${String.fromCodePoint(Number.parseInt(point, 16))}y`;
      return hex(nodeprep(text)) !== node || hex(resourceprep(text)) !== resource;
    });
    expect(table.length).toBe(63_455);
    expect(differences).toEqual([]);
  });

  test('for every code point beyond the BMP', () => {
    const answers = new Map<number, readonly [string, string]>();
    for (const [first = '', last = '', node = '', resource = ''] of rows('prep-astral'))
      for (let point = Number.parseInt(first, 16); point <= Number.parseInt(last, 16); point++)
        answers.set(point, [node, resource]);
    const differences: number[] = [];
    for (let point = 0x10000; point <= 0x10ffff; point++) {
      const char = String.fromCodePoint(point);
      const same = hex(char);
      const [node, resource] = (answers.get(point) ?? ['error', 'error']).map((known) =>
        known === '=' ? same : known,
      );
      if (hex(nodeprep(char)) !== node || hex(resourceprep(char)) !== resource) differences.push(point);
    }
    expect(answers.size).toBeGreaterThan(40_000);
    expect(differences).toEqual([]);
  });

  test('for sequences: marks out of order, Hangul, both directions, corrigenda', () => {
    const table = rows('prep-sequences');
    const differences = table.filter(([given = '', node, resource]) => {
      const text = Buffer.from(given, 'hex').toString('utf8');
      return hex(nodeprep(text)) !== node || hex(resourceprep(text)) !== resource;
    });
    expect(table.length).toBe(5_000);
    expect(differences).toEqual([]);
  });
});

describe('prepared names', () => {
  test.each([
    ['Straße', 'strasse', 'Straße'],
    ['Ｔari', 'tari', 'Tari'],
    ['TARI', 'tari', 'TARI'],
    ['Tari\u200b\u00ad', 'tari', 'Tari'],
    ['ﬁligature', 'filigature', 'filigature'],
    ['a b', undefined, 'a b'],
    ['mail@host', undefined, 'mail@host'],
    ['Жук', 'жук', 'Жук'],
    ['tari🙂', undefined, undefined],
    ['\ud83d', undefined, undefined],
    ['\u202etari', undefined, undefined],
    ['', '', ''],
  ])('%j is %j as a localpart and %j as a nickname', (text, node, resource) => {
    expect(nodeprep(text)).toBe(node);
    expect(resourceprep(text)).toBe(resource);
  });

  test('the short way for ASCII says what the tables say', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary-ascii', maxLength: 12 }), (text) => {
        // A soft hyphen is mapped to nothing and sends the text through the tables.
        expect(nodeprep(`${text}\u00ad`)).toBe(nodeprep(text));
        expect(resourceprep(`${text}\u00ad`)).toBe(resourceprep(text));
      }),
    );
  });

  test('any text at all is prepared or refused, never thrown at', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 30 }), (text) => {
        for (const prepared of [nodeprep(text), resourceprep(text)]) {
          expect(prepared === undefined || Buffer.from(prepared).toString() === prepared).toBe(true);
        }
      }),
    );
  });
});
