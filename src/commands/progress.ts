import type { Io } from './command.ts';

export type Progress = {
  /** Somebody sees it. */
  readonly shown: boolean;
  /** How many there will be. */
  expect(total: number): void;
  update(done: number): void;
  end(): void;
};

const BAR = 24;
const EVERY_MS = 100;

/** `[#####-----] 45% 4,500/10,000  1,360/s  4 s left`, or without a total `4,500  1,360/s`. Rate since the start. */
export function progressText(done: number, total: number | undefined, elapsedMs: number, columns = 80): string {
  const number = (value: number): string => Math.round(value).toLocaleString('en');
  const rate = elapsedMs > 0 ? (done * 1000) / elapsedMs : 0;
  if (total === undefined || total <= 0) return `${number(done)}  ${number(rate)}/s`.slice(0, columns - 1);
  const share = Math.min(1, done / total);
  const filled = Math.round(share * BAR);
  const left = rate > 0 ? `  ${duration((Math.max(0, total - done) / rate) * 1000)} left` : '';
  const bar = `[${'#'.repeat(filled)}${'-'.repeat(BAR - filled)}] `;
  const figures = `${Math.floor(share * 100)}% ${number(done)}/${number(total)}  ${number(rate)}/s${left}`;
  return (bar.length + figures.length < columns ? bar + figures : figures).slice(0, columns - 1);
}

function duration(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  if (seconds < 100) return `${seconds} s`;
  return seconds < 6000 ? `${Math.ceil(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

/** One line on a terminal that is written over; nothing at all elsewhere, or when `quiet`. */
export function showProgress(io: Io, { now, quiet }: { now: () => number; quiet: boolean }): Progress {
  const { stderr } = io;
  if (!stderr.isTTY || quiet) return { shown: false, expect() {}, update() {}, end() {} };
  const began = now();
  let total: number | undefined;
  let shown = Number.NEGATIVE_INFINITY;
  return {
    shown: true,
    expect(members) {
      total = members;
    },
    update(done) {
      if (now() - shown < EVERY_MS) return;
      shown = now();
      stderr.write(`\r\u001b[K${progressText(done, total, shown - began, stderr.columns || 80)}`);
    },
    end: () => void stderr.write('\r\u001b[K'),
  };
}
