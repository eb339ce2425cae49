import { PassThrough, Writable } from 'node:stream';
import type { Io } from '../../src/commands/command.ts';
import type { ExitCode } from '../../src/core/errors.ts';
import { main } from '../../src/main.ts';

class Sink extends Writable {
  text = '';
  isTTY = false;
  columns = 100;
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

/** An Io that remembers what was written, and can send signals. */
export type FakeIo = Io & {
  readonly stdin: PassThrough;
  readonly stdout: Sink;
  readonly stderr: Sink;
  /** Delivers a signal as the kernel would. */
  signal(name: 'SIGINT' | 'SIGTERM' | 'SIGHUP'): void;
  readonly exits: ExitCode[];
};

export function fakeIo(env: Record<string, string> = {}, terminal = false): FakeIo {
  const handlers = new Map<string, Set<() => void>>();
  const exits: ExitCode[] = [];
  const stdout = new Sink();
  const stderr = new Sink();
  stdout.isTTY = terminal;
  stderr.isTTY = terminal;
  return {
    stdin: new PassThrough(),
    stdout,
    stderr,
    // A home that holds no configuration, so that the machine's own cannot leak into a test.
    env: { HOME: '/nonexistent', ...env },
    onSignal(name, handler) {
      const set = handlers.get(name) ?? new Set();
      handlers.set(name, set.add(handler));
      return () => set.delete(handler);
    },
    exit: (code) => exits.push(code),
    exits,
    signal: (name) => {
      for (const handler of [...(handlers.get(name) ?? [])]) handler();
    },
  };
}

/** Runs a command line in this process; what it wrote and its exit code. */
export async function saxctl(
  argv: readonly string[],
  io: FakeIo = fakeIo(),
): Promise<{ code: ExitCode; stdout: string; stderr: string }> {
  const code = await main(argv, io);
  return { code, stdout: io.stdout.text, stderr: io.stderr.text };
}
