import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Stack } from '../../src/edges/stack/types.ts';
import { PAGES, saxctlLines } from '../helpers/doc-lines.ts';
import { type RunningSaxctl, runSaxctl, startSaxctl, startTestStack } from '../helpers/stack.ts';

/** Lines whose checks call ejabberdctl many times: doctor.test.ts runs those, once. */
const SLOW = ['doctor', 'doctor ejabberd auth room'];

/** Commands that end by themselves and change nothing outside of the stack. */
const RUNNABLE = ['say', 'history', 'sync-nicks', 'config', 'doctor', 'completion', 'auth'];

const commandOf = (words: readonly string[]): string => words.find((word) => !word.startsWith('-')) ?? '';
const lines = [
  ...new Map(
    PAGES.flatMap(saxctlLines)
      .filter(
        ({ words }) =>
          RUNNABLE.includes(commandOf(words)) &&
          !words.includes('--follow') &&
          !SLOW.includes(words.join(' ')) &&
          !words.includes('--url') &&
          !words.includes('-c'),
      )
      .map((line) => [line.words.join(' '), line] as const),
  ).values(),
];

/** The pages' own command lines on a real site. What they are parsed as is docs.test.ts' business; here they do their work. */
describe('command lines of the docs', () => {
  const scratch = mkdtempSync(join(tmpdir(), 'saxctl-docs-'));
  let stack: Stack;
  let webridge: RunningSaxctl;
  beforeAll(async () => {
    stack = await startTestStack({ parts: ['mariadb', 'ejabberd', 'irc1'], config: { ejabberd: { via: 'http' } } });
    webridge = startSaxctl(stack, ['webridge']);
    await webridge.logged(/"event":"ready"/);
  });
  afterAll(async () => {
    await webridge?.kill();
    await stack?.stop();
    rmSync(scratch, { recursive: true, force: true });
  });

  it.each(lines.map(({ file, line, words }) => [`${file}:${line}`, words] as const))(
    '%s: saxctl %j works',
    async (_place, words) => {
      const { code, stderr } = await runSaxctl(stack, words, { stdin: `${stack.member('Tari').session.sid}\n` });
      // doctor and sync-nicks end with 1 when they find something, which they may on a site for tests.
      expect(['doctor', 'sync-nicks'].includes(commandOf(words)) ? [0, 1] : [0], stderr).toContain(code);
      expect(stderr).not.toContain('internal error');
    },
    120_000,
  );
});
