import { describe, expect, it } from 'vitest';
import { describeConfiguration } from '../../../../src/config/describe.ts';
import { commandPages } from '../../../../src/core/manual/command-page.ts';
import { configPage } from '../../../../src/core/manual/config-page.ts';
import { roffText } from '../../../../src/core/manual/roff.ts';
import { sampleTree } from '../../../helpers/sample-tree.ts';

describe('roffText', () => {
  it.each([
    ['.dot', '\\&.dot'],
    ["'quote", "\\&'quote"],
    ['a\n.b', 'a\n\\&.b'],
    ['back\\slash', 'back\\eslash'],
    ['--flag', '\\-\\-flag'],
    ['it’s', 'it\\[u2019]s'],
    ['🎷', '\\[u1F3B7]'],
  ])('%j → %j', (text, roff) => {
    expect(roffText(text)).toBe(roff);
  });
});

describe('pages', () => {
  const pages = new Map(commandPages(sampleTree(), '1.2.3').map((page) => [page.file, page.text]));

  it('are one for the program and one for each command but help', () => {
    expect([...pages.keys()]).toEqual([
      'saxctl.1',
      'saxctl-say.1',
      'saxctl-init.1',
      'saxctl-completion.1',
      'saxctl-config.1',
    ]);
  });

  it('carry the examples of the help as they stand', () => {
    expect(pages.get('saxctl-say.1')).toContain('.SH "EXAMPLES"\n.nf\n  saxctl say');
  });

  it('describe commands below a command', () => {
    expect(pages.get('saxctl-config.1')).toContain('.SS "saxctl config show [FLAG...] [KEY...]"');
  });

  it('name every key of the configuration with its variable', () => {
    const { text } = configPage(describeConfiguration(), '1.2.3');
    for (const section of describeConfiguration())
      for (const key of section.keys) {
        expect(text).toContain(`\\fB${roffText(key.name)}\\fR`);
        expect(text).toContain(key.variable);
      }
  });
});
