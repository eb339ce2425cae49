import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { printTable } from './table.ts';
import { startAlone } from './webridge-process.ts';

/** Issue: no call takes longer than this, milliseconds. */
const BOUND = 5;

type Figures = {
  readonly sent: number;
  readonly refused: readonly number[];
  readonly seconds: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  readonly maxWaited: number;
  readonly maxFloor: number;
};

/**
 * What saxSay costs a page: the real PHP in a hurry, ten calls back to back every 300 µs for ten seconds. Beside each call as much
 * arithmetic: what makes that slow, too, is the machine.
 */
export async function php(count = 100_000): Promise<void> {
  const rows: (string | number)[][] = [
    ['', 'calls', 'false', 'seconds', 'p50 µs', 'p99 µs', 'max ms', 'arithmetic max ms', 'max of those that waited ms'],
  ];
  let slowest = 0;
  let waited = 0;
  let floor = 0;
  const alone = await startAlone();
  try {
    for (const [name, more] of [
      ['socket alone', {}],
      ['socket and spool', { spool: alone.spool }],
      ['spool alone (no webridge)', { spool: alone.spool, socket: `${alone.path}.none` }],
    ] as const) {
      const figures = await play({
        socket: alone.path,
        prefix: `${name} `,
        floor: true,
        burst: 10,
        everyUs: 300,
        count,
        ...more,
      });
      slowest = Math.max(slowest, figures.max);
      waited = Math.max(waited, figures.maxWaited);
      floor = Math.max(floor, figures.maxFloor);
      rows.push([
        name,
        figures.sent,
        figures.refused.length,
        figures.seconds,
        figures.p50 * 1000,
        figures.p99 * 1000,
        figures.max,
        figures.maxFloor,
        figures.maxWaited,
      ]);
    }
  } finally {
    await alone.stop();
  }
  printTable('saxSay in the real PHP, 10 calls back to back every 300 µs', rows);
  console.log(
    `  longest wait in a call ${waited.toFixed(2)} ms (longer calls were interrupted by the other programs of this bench)`,
  );
  console.log(
    `  slowest call ${slowest.toFixed(2)} ms, allowed ${BOUND}: ${slowest <= BOUND ? 'met' : 'NOT MET'}; slowest arithmetic of the same length beside it ${floor.toFixed(2)} ms`,
  );
}

async function play(how: object): Promise<Figures> {
  const child = spawn('php', ['test/fixtures/saxsay-load.php', JSON.stringify(how)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let out = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  await once(child, 'close');
  return JSON.parse(out) as Figures;
}
