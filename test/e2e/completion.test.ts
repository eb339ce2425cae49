import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTerminal, type Terminal } from '../helpers/terminal.ts';

const files = resolve('completions');

/** The three real shells without anybody's start-up files; READY tells that the script was taken in. */
const SHELLS = [
  ['bash', 'bash --norc --noprofile', `PS1='> '; . ${files}/saxctl.bash; clear; echo READY`],
  ['zsh', 'zsh -f', `PS1='> '; fpath=(${files} $fpath); autoload -U compinit; compinit -u -D; clear; echo READY`],
  ['fish', 'fish --no-config', `source ${files}/saxctl.fish; clear; echo READY`],
] as const;

describe.each(SHELLS)('Tab in %s', (shell, command, setup) => {
  const directory = mkdtempSync(join(tmpdir(), 'saxctl-tab-'));
  let terminal: Terminal;

  beforeAll(async () => {
    writeFileSync(join(directory, 'only-file.toml'), '');
    terminal = openTerminal(command, { HOME: directory, LC_ALL: 'C.UTF-8' }, directory);
    await terminal.type(setup);
    await terminal.press('Enter');
    await terminal.shows(/^READY$/m);
  });
  afterAll(() => {
    terminal.close();
    // The shell may still be writing its history.
    rmSync(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  });

  /** Types a line, presses Tab, and waits for what the screen must show. */
  const tab = async (line: string, ...wanted: (string | RegExp)[]) => {
    await terminal.press('C-c');
    await terminal.press('C-l');
    await terminal.type(line);
    await terminal.press('Tab');
    if (shell !== 'fish') await terminal.press('Tab');
    const screen = await terminal.shows(...wanted);
    expect(screen).toContain('saxctl');
  };

  it('lists the commands with what they do', async () => {
    await tab('saxctl ', 'ircbridge', 'doctor', /history.*read what was said/);
  });

  it('completes a command', async () => {
    await tab('saxctl hist', 'saxctl history');
  });

  it('lists the flags of a command and the global ones', async () => {
    await tab('saxctl config --', '--json', '--log-format');
  });

  it('lists the values of a flag, also after =', async () => {
    await tab('saxctl --log-level ', 'debug', 'error', 'info');
    await tab('saxctl --log-format=jo', '--log-format=journald');
  });

  it('lists the values of an argument behind global flags', async () => {
    await tab('saxctl --log-level debug completion ', 'bash', 'zsh', 'fish');
  });

  it('completes the keys of the configuration', async () => {
    await tab('saxctl config show database.ta', 'database.table_prefix');
  });

  it('completes file names', async () => {
    await tab('saxctl --config on', 'only-file.toml');
  });
});
