import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/** `npm run generate` mends what fails here. */
describe('generated files', () => {
  const fresh = mkdtempSync(join(tmpdir(), 'saxctl-generated-'));
  beforeAll(() => {
    execFileSync(process.execPath, ['bin/saxctl.js', 'completion', '--write', fresh]);
  });
  afterAll(() => rmSync(fresh, { recursive: true }));

  it.each(['completions', 'man'])('%s/ is what the program writes today', (folder) => {
    expect(readdirSync(folder).sort()).toEqual(readdirSync(join(fresh, folder)).sort());
    for (const file of readdirSync(folder))
      expect(readFileSync(join(folder, file), 'utf8'), file).toBe(readFileSync(join(fresh, folder, file), 'utf8'));
  });

  it('`saxctl completion SHELL` prints the same text', () => {
    for (const [shell, file] of [
      ['bash', 'saxctl.bash'],
      ['zsh', '_saxctl'],
      ['fish', 'saxctl.fish'],
    ] as const) {
      const printed = execFileSync(process.execPath, ['bin/saxctl.js', 'completion', shell], { encoding: 'utf8' });
      expect(printed).toBe(readFileSync(`completions/${file}`, 'utf8'));
    }
  });

  it('THIRD-PARTY.md names what the bundles hold today', () => {
    execFileSync(process.execPath, ['scripts/third-party.mjs', '--check']);
    expect(readFileSync('THIRD-PARTY.md', 'utf8')).toContain('| koffi | ');
  });

  it('renders every manual page without a warning', () => {
    for (const page of readdirSync('man')) {
      const options = {
        encoding: 'utf8',
        stdio: 'pipe',
        env: { ...process.env, LC_ALL: 'C.UTF-8', MANWIDTH: '80' },
      } as const;
      const { stdout, stderr } = spawnSync('man', ['--warnings', '-l', `man/${page}`], options);
      expect(stderr, page).toBe('');
      expect(stdout).toContain('NAME');
    }
  });
});
