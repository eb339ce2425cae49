import { printable } from '../escape.ts';
import type { Finding, Status } from './verdict.ts';

const WORDS: Readonly<Record<Status, string>> = { ok: 'ok', warning: 'warn', problem: 'FAIL', skipped: 'skip' };
const COLORS: Readonly<Record<Status, string>> = { ok: '32', warning: '33', problem: '1;31', skipped: '2' };

/** One finding for people: a line, and the repair under it. */
export function renderFinding(finding: Finding, color: boolean): string {
  const word = WORDS[finding.status].padEnd(4);
  const mark = color ? `\u001b[${COLORS[finding.status]}m${word}\u001b[0m` : word;
  const repair =
    finding.repair === undefined || finding.status === 'ok'
      ? []
      : finding.repair.split('\n').map((line) => `         ${printable(line, 1000)}`);
  return [`  ${mark} ${finding.name}: ${printable(finding.message, 2000)}`, ...repair].join('\n');
}

export function summary(findings: readonly Finding[]): Readonly<Record<Status, number>> {
  const count = (status: Status): number => findings.filter((finding) => finding.status === status).length;
  return { ok: count('ok'), warning: count('warning'), problem: count('problem'), skipped: count('skipped') };
}

export function renderSummary(findings: readonly Finding[]): string {
  const { ok, warning, problem, skipped } = summary(findings);
  return `${ok} ok, ${warning} warnings, ${problem} problems, ${skipped} skipped`;
}

/** The whole report as one JSON object. */
export function jsonReport(findings: readonly Finding[]): string {
  const counts = summary(findings);
  return JSON.stringify({
    ok: counts.problem === 0,
    counts,
    checks: findings.map(({ name, group, status, message, repair }) => ({
      name,
      group,
      status,
      message,
      repair: repair ?? null,
    })),
  });
}
