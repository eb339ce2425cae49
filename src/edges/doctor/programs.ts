import { execFile } from 'node:child_process';

/** Runs a program to its end; output of both streams, and its code (undefined when it could not be run). */
export function runProgram(
  program: string,
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
  timeoutMs = 20_000,
): Promise<{ readonly code: number | undefined; readonly text: string }> {
  return new Promise((resolve) => {
    execFile(
      program,
      [...args],
      { encoding: 'utf8', timeout: timeoutMs, maxBuffer: 8_000_000, env: { ...environment, LC_ALL: 'C.UTF-8' } },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : undefined;
        const why =
          error !== null && code === undefined
            ? `${program}: ${error.killed ? 'no answer in time' : String(error.code)}`
            : '';
        resolve({ code, text: `${stdout}${stderr}${why}` });
      },
    );
  });
}
