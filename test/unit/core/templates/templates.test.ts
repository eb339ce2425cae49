import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lineDiff } from '../../../../src/core/line-diff.ts';
import { readForumConfig } from '../../../../src/core/templates/phpbb-config.ts';

describe('readForumConfig', () => {
  const none = {
    host: undefined,
    port: undefined,
    socket: undefined,
    name: undefined,
    user: undefined,
    tablePrefix: undefined,
  };
  it.each([
    ['', none],
    [
      `$dbhost = 'localhost'; $dbname = "forum"; $table_prefix = 'phpbb_';`,
      { ...none, host: 'localhost', name: 'forum', tablePrefix: 'phpbb_' },
    ],
    [`$dbhost = ''; $dbport = '';`, none],
    [`$dbhost = 'db:3307';`, { ...none, host: 'db', port: 3307 }],
    [`$dbhost = 'localhost:/run/my.sock';`, { ...none, host: 'localhost', socket: '/run/my.sock' }],
    [`$dbport = 3308; $dbuser = 'o\\'neil';`, { ...none, port: 3308, user: "o'neil" }],
    [`// $dbname = 'old';\n/* $dbname = 'older'; */\n$dbname = 'new';`, { ...none, name: 'new' }],
  ])('%j', (php, wanted) => {
    expect(readForumConfig(php)).toEqual(wanted);
  });
});

describe('lineDiff', () => {
  it('is empty for equal texts, and its lines make both texts', () => {
    const text = fc.array(fc.constantFrom('a', 'b', 'c', ''), { maxLength: 12 }).map((lines) => lines.join('\n'));
    fc.assert(
      fc.property(text, text, (before, after) => {
        const difference = lineDiff(before, after, ['x', 'y']);
        expect(difference === '').toBe(before === after);
        const count = (sign: string) =>
          difference
            .split('\n')
            .slice(2)
            .filter((line) => line.startsWith(sign)).length;
        expect(after.split('\n').length - before.split('\n').length).toBe(count('+') - count('-'));
      }),
    );
  });

  it('shows three lines around a change', () => {
    const before = ['1', '2', '3', '4', '5', '6', '7', '8', '9'].join('\n');
    expect(lineDiff(before, before.replace('5', 'five'), ['a', 'b'])).toBe(
      '--- a\n+++ b\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n@@\n',
    );
  });
});
