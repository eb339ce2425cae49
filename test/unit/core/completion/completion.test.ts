import { describe, expect, it } from 'vitest';
import { bashCompletion } from '../../../../src/core/completion/bash.ts';
import { fishCompletion } from '../../../../src/core/completion/fish.ts';
import { everyCommand } from '../../../../src/core/completion/model.ts';
import { zshCompletion } from '../../../../src/core/completion/zsh.ts';
import { sampleTree } from '../../../helpers/sample-tree.ts';

describe('the tree', () => {
  it('gives each command the flags of those above it', () => {
    const show = everyCommand(sampleTree()).find(({ path }) => path === 'config show');
    expect(show?.flags.map((flag) => flag.long)).toEqual(['--json', '--help', '--config', '--log-level', '--quiet']);
  });

  it('knows configuration keys as values of KEY', () => {
    const show = everyCommand(sampleTree()).find(({ path }) => path === 'config show');
    expect(show?.command.arguments[0]?.value.choices).toContain('database.table_prefix');
  });
});

describe('completion scripts', () => {
  it.each([
    ['bash', bashCompletion, ["'new-topic'", "'--log-level\thow much to log'", 'files=files', 'files=directories']],
    ['zsh', zshCompletion, ['(chat new-topic news)', '[only errors: it', 'FILE:_files', 'DIR:_files -/']],
    ['fish', fishCompletion, ["-a 'chat new-topic news'", '-l log-level -x', "it’s [quiet]'", '__fish_complete_path']],
  ])('%s holds flags, values and descriptions', (_shell, generate, wanted) => {
    const script = generate(sampleTree());
    for (const text of wanted) expect(script).toContain(text);
  });

  it('escapes brackets where zsh ends a description by one', () => {
    expect(zshCompletion(sampleTree())).toContain('[only errors: it’s \\[quiet\\]]');
  });
});
