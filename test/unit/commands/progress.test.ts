import { describe, expect, test } from 'vitest';
import type { Io } from '../../../src/commands/command.ts';
import { progressText, showProgress } from '../../../src/commands/progress.ts';

describe('progressText', () => {
  test.each([
    [0, 10_000, 0, 80, '[------------------------] 0% 0/10,000  0/s'],
    [4500, 10_000, 3000, 80, '[###########-------------] 45% 4,500/10,000  1,500/s  4 s left'],
    [100_000, 100_000, 80_000, 80, '[########################] 100% 100,000/100,000  1,250/s  0 s left'],
    [300, 100_000, 100_000, 80, '[------------------------] 0% 300/100,000  3/s  9.2 h left'],
    [50, 1000, 16_667, 80, '[#-----------------------] 5% 50/1,000  3/s  6 min left'],
    [12, 10, 1000, 80, '[########################] 100% 12/10  12/s  0 s left'],
    [4500, undefined, 3000, 80, '4,500  1,500/s'],
    [4500, 10_000, 3000, 40, '45% 4,500/10,000  1,500/s  4 s left'],
    [4500, 10_000, 3000, 20, '45% 4,500/10,000  1'],
  ])('%j of %j after %j ms in %j columns: %s', (done, total, ms, columns, text) => {
    expect(progressText(done, total, ms, columns)).toBe(text);
  });
});

function terminal(isTTY: boolean, columns = 80) {
  const written: string[] = [];
  const io = { stderr: { isTTY, columns, write: (text: string) => written.push(text) > 0 } } as unknown as Io;
  return { io, written };
}

describe('showProgress', () => {
  test('writes one line over and over, ten times a second at most, and takes it away', () => {
    const { io, written } = terminal(true);
    let now = 0;
    const progress = showProgress(io, { now: () => now, quiet: false });
    progress.expect(1000);
    for (let done = 1; done <= 1000; done += 1) {
      now += 1;
      progress.update(done);
    }
    progress.end();
    expect(written.length).toBeLessThanOrEqual(12);
    for (const text of written) expect(text).toMatch(/^\r\u001b\[K[^\n]*$/);
    expect(written.at(-1)).toBe('\r\u001b[K');
  });

  test('a terminal that does not know its width gets the whole line', () => {
    const { io, written } = terminal(true, 0);
    let now = 0;
    const progress = showProgress(io, { now: () => now, quiet: false });
    progress.expect(10);
    now = 1000;
    progress.update(5);
    expect(written.at(-1)).toMatch(/5\/10 {2}5\/s {2}1 s left$/);
  });

  test.each([
    ['nobody looks', false, false],
    ['quiet was asked for', true, true],
  ])('writes nothing where %s', (_why, isTTY, quiet) => {
    const { io, written } = terminal(isTTY);
    const progress = showProgress(io, { now: () => 0, quiet });
    progress.update(1);
    progress.end();
    expect([progress.shown, written]).toEqual([false, []]);
  });
});
