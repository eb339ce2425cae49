import { describe, expect, test } from 'vitest';
import { splitWords } from '../../../src/core/words.ts';

describe('splitWords', () => {
  test.each([
    ['ejabberdctl', ['ejabberdctl']],
    ['  sudo -u ejabberd   ejabberdctl ', ['sudo', '-u', 'ejabberd', 'ejabberdctl']],
    [`'/a b/ctl' "--node" "x \\"y\\" $z" \\'`, ['/a b/ctl', '--node', 'x "y" $z', "'"]],
    [`a''b""c`, ['abc']],
    ['x ""', ['x', '']],
  ])('%s', (command, words) => expect(splitWords(command)).toEqual(words));

  test.each(['', '   ', "'open", '"open', 'x \\', "''"])('%j is no command', (command) => {
    expect(() => splitWords(command)).toThrow(RangeError);
  });
});
