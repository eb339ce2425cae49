/** What a run of sync-nicks did, for people and for programs. */
import { decodeEntities } from './entities.ts';

export type NickProblem = {
  readonly kind: 'conflict' | 'failed';
  readonly id: number | null;
  /** As the forum stores it. */
  readonly username: string;
  readonly reason: string;
  /** The other party of a conflict, where it is known. */
  readonly other: { readonly id: number; readonly username: string } | null;
};

export const COUNTS = ['registered', 'unchanged', 'renamed', 'removed', 'conflicts', 'failed'] as const;

export type NickSummary = { [K in (typeof COUNTS)[number]]: number } & { problems: NickProblem[] };

/** So many problems are told one by one; the counts count all. */
export const MAX_PROBLEMS = 1000;

export const newSummary = (): NickSummary => ({
  registered: 0,
  unchanged: 0,
  renamed: 0,
  removed: 0,
  conflicts: 0,
  failed: 0,
  problems: [],
});

export function addProblem(summary: NickSummary, problem: NickProblem): void {
  summary[problem.kind === 'conflict' ? 'conflicts' : 'failed'] += 1;
  if (summary.problems.length < MAX_PROBLEMS) summary.problems.push(problem);
}

/** What went wrong for one member, or for a name that nobody has (id null). */
export function addFailure(summary: NickSummary, id: number | null, username: string, reason: string): void {
  addProblem(summary, { kind: 'failed', id, username, reason, other: null });
}

/** `registered 12, unchanged 98765, renamed 1, removed 2, conflicts 1, failed 0` */
export function summaryLine(summary: NickSummary): string {
  return COUNTS.map((count) => `${count} ${summary[count]}`).join(', ');
}

/** One line for a problem, with names as people read them: `conflict: "Tari²" (id 17): …: that is "Tari2" (id 5)` */
export function problemLine({ kind, id, username, reason, other }: NickProblem): string {
  const name = (stored: string): string => JSON.stringify(decodeEntities(stored));
  const who = `${name(username)}${id === null ? '' : ` (id ${id})`}`;
  const party = other === null ? '' : `: that is ${name(other.username)} (id ${other.id})`;
  return `${kind}: ${who}: ${reason}${party}`;
}
