import { readFileSync } from 'node:fs';
import { openSocket, sendFrom } from '../../src/edges/dgram/send.ts';
import { printTable } from './table.ts';
import { startAlone } from './webridge-process.ts';

const FIRST = 10_000;
/** Issue: after a million at most this many times what it was after ten thousand. */
const BOUND = 1.2;

/**
 * Memory of the real webridge process over very many announcements. The room is a reflector of ours instead of ejabberd, which
 * says some 800 a second: a million would take 20 minutes, and it is not ejabberd's memory that is looked at.
 */
export async function memory(total: number): Promise<void> {
  const alone = await startAlone();
  const { room, path, webridge } = alone;
  const fd = openSocket();
  const rss = (): number =>
    Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${webridge.pid}/status`, 'utf8'))?.[1]) / 1024;
  /** Processor time of the process so far, microseconds (proc(5): user and system, in hundredths of a second). */
  const cpu = (): number => {
    const [, , , , , , , , , , , user, system] = readFileSync(`/proc/${webridge.pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ');
    return (Number(user) + Number(system)) * 10_000;
  };
  const rows: (string | number)[][] = [['announcements', 'RSS, MiB', 'ratio', 'per second', 'CPU µs each']];
  let first = rss();
  rows.push(['0', first, '', '', '']);
  const cpuBefore = cpu();
  const started = performance.now();
  try {
    for (let n = 0; n < total; ) {
      n = await sendSome(n, Math.min(total, n + 1000));
      if (n !== FIRST && n !== total && n % (total / 10) !== 0) continue;
      const now = rss();
      if (n === FIRST) first = now;
      // It takes minutes: whoever waits may see how it goes.
      process.stderr.write(`${n.toLocaleString('en')}: ${now.toFixed(1)} MiB\n`);
      rows.push([
        n.toLocaleString('en'),
        now,
        now / first,
        (n * 1000) / (performance.now() - started),
        (cpu() - cpuBefore) / n,
      ]);
    }
    printTable('Memory of the webridge process, against a reflector instead of ejabberd', rows);
    const ratio = rss() / first;
    console.log(
      `  ${total} against ${FIRST}: ${ratio.toFixed(2)}, allowed ${BOUND}: ${ratio <= BOUND ? 'met' : 'NOT MET'}`,
    );
  } finally {
    await alone.stop();
  }

  /** Sends up to a number and resolves when all of it was said. A full queue is tried again a millisecond later. */
  async function sendSome(from: number, to: number): Promise<number> {
    for (let n = from; n < to; ) {
      try {
        sendFrom(fd, path, new TextEncoder().encode(announcement(n)));
        n += 1;
      } catch (error) {
        if ((error as { code?: string }).code !== 'EAGAIN') throw error;
        await new Promise((done) => setTimeout(done, 1));
      }
    }
    while (room.count() < to) await new Promise((done) => setTimeout(done, 1));
    return to;
  }
}

/** Texts as a board has them: of every length, plain and structured, no two the same. */
function announcement(n: number): string {
  const words = 'Grüße – was bedeutet das Thema? '.repeat((n % 9) + 1);
  if (n % 2 === 0) return `${n} ${words}`;
  return JSON.stringify({
    sax: 1,
    type: 'reply',
    who: `Tari${n % 977}`,
    what: `${n} ${words}`,
    where: 'News',
    url: `https://x.test/${n}`,
  });
}
