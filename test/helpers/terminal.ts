import { execFile, execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { until } from './until.ts';

const run = promisify(execFile);

/** A real terminal of 110 × 40 characters (tmux with a server of its own) in which a program runs. */
export type Terminal = {
  /** Types literally. */
  type(text: string): Promise<void>;
  /** Presses keys by tmux's names: Tab, Enter, C-c. */
  press(...keys: string[]): Promise<void>;
  /** What the screen shows, without empty lines. */
  screen(): Promise<string>;
  /** Waits until the screen shows all of the texts; fails with the screen as the message. */
  shows(...texts: readonly (string | RegExp)[]): Promise<string>;
  close(): void;
};

export function openTerminal(
  command: string,
  environment: Readonly<Record<string, string>> = {},
  directory = process.cwd(),
): Terminal {
  const server = `saxctl-test-${randomBytes(6).toString('hex')}`;
  const tmux = (...args: string[]) => run('tmux', ['-L', server, ...args]);
  execFileSync(
    'tmux',
    ['-L', server, '-f', '/dev/null', 'new-session', '-d', '-x', '110', '-y', '40', '-s', 't', command],
    {
      cwd: directory,
      env: { ...process.env, TERM: 'screen-256color', ...environment },
    },
  );
  const screen = async () => (await tmux('capture-pane', '-p', '-t', 't')).stdout.replaceAll(/\n{2,}/g, '\n');
  return {
    async type(text) {
      await tmux('send-keys', '-t', 't', '-l', text);
    },
    async press(...keys) {
      await tmux('send-keys', '-t', 't', ...keys);
    },
    screen,
    async shows(...texts) {
      let last = '';
      await until(
        async () => {
          last = await screen();
          return texts.every((text) => (typeof text === 'string' ? last.includes(text) : text.test(last)));
        },
        () => `the screen never showed ${texts.join(', ')}:\n${last}`,
      );
      return last;
    },
    close() {
      execFileSync('tmux', ['-L', server, 'kill-server']);
    },
  };
}
