import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Prometheus' own checker. Debian's package takes 96 MB, too much for every run of the tests: only the long form unpacks it,
 * into a directory of its own, installing nothing.
 */
export function unpackPromtool(): { readonly program: string; readonly directory: string } {
  const directory = mkdtempSync(join(tmpdir(), 'saxctl-promtool-'));
  const installed = '/usr/bin/promtool';
  if (existsSync(installed)) return { program: installed, directory };
  execFileSync('apt-get', ['download', '-q', 'prometheus'], { cwd: directory, stdio: 'pipe' });
  const [archive = ''] = readdirSync(directory).filter((name) => name.endsWith('.deb'));
  execFileSync('dpkg-deb', ['-x', archive, 'unpacked'], { cwd: directory, stdio: 'pipe' });
  return { program: join(directory, 'unpacked/usr/bin/promtool'), directory };
}

/** Runs promtool; its code and everything that it said. */
export function promtool(
  program: string,
  words: readonly string[],
  stdin = '',
): Promise<{ code: number; text: string }> {
  return new Promise((resolve) => {
    const child = execFile(program, [...words], (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), text: stdout + stderr }),
    );
    child.stdin?.end(stdin);
  });
}
