import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { CommandModule } from '../../src/commands/command.ts';
import { COMMANDS } from '../../src/commands/table.ts';
import { describeTree } from '../../src/commands/tree.ts';
import { CATALOGUE } from '../../src/core/doctor/catalogue.ts';
import { buildProgram } from '../../src/program.ts';
import { PAGES, saxctlLines } from '../helpers/doc-lines.ts';
import { fakeIo } from '../helpers/fake-io.ts';

/** Parses a command line as the program does, without running it. Undefined when it is taken, else why not. */
async function refusal(words: readonly string[]): Promise<string | undefined> {
  const io = fakeIo();
  const modules = new Map<string, CommandModule>();
  for (const { name, load } of COMMANDS) modules.set(name, (await load()).command);
  try {
    await buildProgram(io, modules, async () => {}).parseAsync([...words], { from: 'user' });
  } catch (error) {
    if ((error as { exitCode?: number }).exitCode !== 0) return io.stderr.text || String(error);
  }
  return undefined;
}

describe('pages for people', () => {
  const lines = PAGES.flatMap(saxctlLines);

  it('hold command lines of every command that people type', () => {
    const used = new Set(lines.map(({ words }) => words.find((word) => !word.startsWith('-'))));
    for (const name of ['say', 'history', 'doctor', 'init', 'sync-nicks', 'auth', 'widget', 'config'])
      expect(used).toContain(name);
  });

  it.each(lines.map(({ file, line, words }) => [`${file}:${line}`, words] as const))(
    '%s: saxctl %j is taken',
    async (_place, words) => {
      expect(await refusal(words)).toBeUndefined();
    },
  );

  it('a wrong line would be noticed', async () => {
    expect(await refusal(['history', '--sinse', '2h'])).toContain('--sinse');
    expect(await refusal(['doktor'])).toContain('doktor');
  });

  it.each(PAGES)('%s links to what is there', (page) => {
    const text = readFileSync(page, 'utf8');
    const broken = [...text.matchAll(/\]\((?!https?:)([^)#\s]+)/g)]
      .map((match) => join(dirname(page), match[1] ?? ''))
      .filter((target) => !existsSync(target));
    expect(broken).toEqual([]);
  });
});

describe('help', () => {
  it.each(COMMANDS.map(({ name }) => name))('%s has at least two examples', async (name) => {
    const io = fakeIo();
    const modules = new Map<string, CommandModule>();
    for (const entry of COMMANDS) modules.set(entry.name, (await entry.load()).command);
    const command = describeTree(buildProgram(io, modules, async () => {})).commands.find((each) => each.name === name);
    const examples =
      /\nExamples:\n((?: {2}.*\n?)+)/
        .exec(command?.epilog ?? '')?.[1]
        ?.trimEnd()
        .split('\n') ?? [];
    expect(examples.length).toBeGreaterThanOrEqual(2);
  });
});

describe('docs/doctor.md', () => {
  it('lists every check with its question, in the order of a run', () => {
    const tables = Object.entries(CATALOGUE).map(
      ([group, checks]) =>
        `## ${group}\n\n| check | the question |\n|---|---|\n${Object.entries(checks)
          .map(([name, question]) => `| \`${name}\` | ${question} |\n`)
          .join('')}`,
    );
    const page = readFileSync('docs/doctor.md', 'utf8');
    expect(page.slice(page.indexOf('## config'))).toBe(tables.join('\n'));
  });
});

describe('docs/metrics.md', () => {
  it('names every metric of the program and no other', () => {
    const names = (text: string): Set<string> =>
      new Set(text.match(/(?<![a-z_])(?:saxctl|process)_[a-z_]+[a-z](?![a-z_*])/g));
    const page = names(
      [...readFileSync('docs/metrics.md', 'utf8').matchAll(/^\| `([a-z_]+)`/gm)].map((match) => match[1]).join(' '),
    );
    const sources = execFileSync('git', ['ls-files', 'src'], { encoding: 'utf8' })
      .split('\n')
      .filter((file) => file.endsWith('.ts'));
    const made = new Set(
      sources.flatMap((file) =>
        [...readFileSync(file, 'utf8').matchAll(/\.(?:counter|gauge|histogram|sampled)\(\s*'([a-z_]+)'/g)].map(
          (match) => match[1] ?? '',
        ),
      ),
    );
    expect([...made].filter((name) => !page.has(name))).toEqual([]);
    expect([...page].filter((name) => !made.has(name))).toEqual([]);
  });
});
