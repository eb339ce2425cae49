import { spawn } from 'node:child_process';
import type { Finished } from '../../helpers/stack.ts';

/** A program as somebody else would run it: its own environment only, stdin given at once and closed. */
export function stranger(
  command: string,
  argv: readonly string[],
  env: Readonly<Record<string, string>>,
  stdin: string | Uint8Array = '',
): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, argv, {
      env: { PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin', LANG: 'C.UTF-8', ...env },
      stdio: 'pipe',
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('latin1').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.stdin.on('error', () => undefined);
    child.stdin.end(stdin);
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}
