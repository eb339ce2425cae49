import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { listenDatagrams } from '../src/edges/dgram/listen.ts';
import { median, printTable } from './lib/table.ts';

const ROUNDS = 25;

/** Milliseconds from spawn to exit of a command whose output nobody reads. */
function time(argv: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<number> {
  const started = process.hrtime.bigint();
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, argv, { stdio: 'ignore', env });
    child.once('error', reject);
    child.once('exit', (code) =>
      code === 0
        ? resolve(Number(process.hrtime.bigint() - started) / 1e6)
        : reject(new Error(`node ${argv.join(' ')}: exit ${code}`)),
    );
  });
}

/** Start-up of the commands that people and the site call often, as ratios to a bare Node in the same rounds. */
export async function run(): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'saxctl-bench-'));
  const socket = join(dir, 'say.sock');
  const sink = listenDatagrams({ path: socket, mode: 0o600 });
  const commands: Record<string, readonly string[]> = {
    'node -e 0 (floor)': ['-e', '0'],
    'saxctl --version': ['bin/saxctl.js', '--version'],
    'saxctl say': ['bin/saxctl.js', 'say', '--socket', socket, 'hello'],
    'saxctl --help': ['bin/saxctl.js', '--help'],
    'saxctl config check': ['bin/saxctl.js', 'config', 'check'],
  };
  const times = new Map(Object.keys(commands).map((name) => [name, [] as number[]]));
  try {
    // Interleaved, so that a slow moment of the machine hits all of them; the first round warms the page cache.
    for (let round = 0; round <= ROUNDS; round++)
      for (const [name, argv] of Object.entries(commands)) {
        const ms = await time(argv);
        if (round > 0) times.get(name)?.push(ms);
        // Nobody else reads what `say` sends, and the kernel's queue is short.
        sink.take();
      }
  } finally {
    sink.close();
    rmSync(dir, { recursive: true });
  }
  const floor = median(times.get('node -e 0 (floor)') ?? []);
  printTable(`Start to exit, ${ROUNDS} interleaved rounds, ms`, [
    ['', 'min', 'median', 'max', 'ratio of medians'],
    ...[...times].map(([name, all]) => [name, Math.min(...all), median(all), Math.max(...all), median(all) / floor]),
  ]);
}
