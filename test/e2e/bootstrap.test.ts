import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { missingPackages } from '../../src/edges/stack/programs.ts';

const script = fileURLToPath(new URL('../../scripts/bootstrap.mjs', import.meta.url));

function bootstrap(
  argv: readonly string[],
  ...nodeFlags: string[]
): { code: number | null; stderr: string; stdout: string } {
  const { status, stderr, stdout } = spawnSync(process.execPath, [...nodeFlags, script, ...argv], { encoding: 'utf8' });
  return { code: status, stderr, stdout };
}

/** Makes Node pretend to be another version before the script runs. */
const pretend = (version: string): string[] => [
  '--import',
  `data:text/javascript,Object.defineProperty(process.versions,'node',{value:'${version}'})`,
];

describe('npm run demo and npm test', () => {
  it.each(['18.20.4', '20.18.9', '16.0.0'])('say in one line that Node %s is too old', (version) => {
    const { code, stderr, stdout } = bootstrap(['demo'], ...pretend(version));
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(stderr).toMatch(
      new RegExp(`^saxctl needs Node 20\\.19 or newer, this is ${version.replaceAll('.', '\\.')} \\(`),
    );
    expect(stdout).toBe('');
    expect(code).toBe(78);
  });

  it('know only demo and test', () => {
    expect(bootstrap(['other'])).toMatchObject({ code: 64, stderr: expect.stringContaining('demo|test') });
  });

  it('name the Debian packages of what is missing, each once', () => {
    expect(missingPackages(['sh', 'no-such-program', 'no-such-program'])).toEqual(['no-such-program']);
  });
});
