import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { COMMANDS } from '../../src/commands/table.ts';
import { EXIT, EXIT_MEANINGS } from '../../src/core/errors.ts';
import { fakeIo, saxctl } from '../helpers/fake-io.ts';

describe('saxctl', () => {
  it('prints version, commit and Node', async () => {
    const { code, stdout } = await saxctl(['--version']);
    expect(code).toBe(EXIT.done);
    expect(stdout).toMatch(/^\S+ \((commit [0-9a-f]{12}, )?Node v\d+\.\d+\.\d+\)\n$/);
  });

  it('lists every command, examples and the whole table of exit codes in its help', async () => {
    const { code, stdout, stderr } = await saxctl(['--help']);
    expect(code).toBe(EXIT.done);
    expect(stderr).toBe('');
    for (const { name } of COMMANDS) expect(stdout).toContain(`\n  ${name} `);
    for (const [exit, meaning] of Object.entries(EXIT_MEANINGS))
      expect(stdout).toContain(`${exit.padStart(5)}  ${meaning}`);
    expect(stdout).toContain('Examples:');
  });

  it.each(COMMANDS.map(({ name }) => [name]))('%s --help has a purpose and the global flags', async (name) => {
    const { code, stdout } = await saxctl([name, '--help']);
    expect(code).toBe(EXIT.done);
    expect(stdout).toContain(`Usage: saxctl ${name}`);
    expect(stdout).toContain('--log-format');
  });

  it.each([
    [['hystory'], "saxctl: unknown command 'hystory'; did you mean history?; see: saxctl --help\n"],
    [['config', 'check', '--jsn'], "saxctl: unknown option '--jsn'; did you mean --json?; see: saxctl config --help\n"],
    [['--quite', 'config', 'check'], "saxctl: unknown option '--quite'; did you mean --quiet?; see: saxctl --help\n"],
    [['config'], "saxctl: missing required argument 'ACTION'; see: saxctl config --help\n"],
    [
      ['config', 'check', '--log-level', 'loud'],
      /option '--log-level <LEVEL>' argument 'loud' is invalid\. Allowed choices/,
    ],
  ])('%j is a usage error in one line', async (argv, message) => {
    const { code, stdout, stderr } = await saxctl(argv);
    expect({ code, stdout, lines: stderr.split('\n').length }).toEqual({ code: EXIT.usage, stdout: '', lines: 2 });
    expect(stderr).toEqual(typeof message === 'string' ? message : expect.stringMatching(message));
  });

  it('reads short flags that are written together', async () => {
    const { code, stdout } = await saxctl(['-qc', '/dev/null', 'config', 'check']);
    expect([code, stdout]).toEqual([EXIT.done, 'configuration is valid: /dev/null\n']);
  });

  it('without a command prints the help to stderr and exits 64', async () => {
    const { code, stdout, stderr } = await saxctl([]);
    expect([code, stdout]).toEqual([EXIT.usage, '']);
    expect(stderr).toContain('Usage: saxctl');
  });

  it('escapes a hostile word in the error', async () => {
    const { stderr } = await saxctl(['\u001b[31mred']);
    expect(stderr).not.toContain('\u001b');
    expect(stderr).toContain('\\u{1b}[31mred');
  });

  it.each([
    [{}, true, true],
    [{ NO_COLOR: '1' }, true, false],
    [{ TERM: 'dumb' }, true, false],
    [{}, false, false],
    [{ FORCE_COLOR: '1' }, false, true],
  ])('colours logs by environment %j and terminal %s: %s', async (env, terminal, colored) => {
    const io = fakeIo({ ...env, SAXCTL_NOT_A_KEY: 'x' }, terminal);
    const { stderr } = await saxctl(['config', 'check', '--log-format', 'pretty'], io);
    expect(stderr.includes('\u001b[')).toBe(colored);
  });

  it('--no-color switches colours off on a terminal', async () => {
    const io = fakeIo({ SAXCTL_NOT_A_KEY: 'x' }, true);
    const { stderr } = await saxctl(['--no-color', 'config', 'check'], io);
    expect(stderr).toContain('SAXCTL_NOT_A_KEY');
    expect(stderr).not.toContain('\u001b[');
  });

  it('keeps the README’s table of exit codes equal to the code’s', () => {
    const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
    const rows = [...readme.matchAll(/^\| (\d+) \| (.+) \|$/gm)].map(([, code, meaning]) => [code, meaning]);
    expect(rows).toEqual(Object.entries(EXIT_MEANINGS));
  });
});
