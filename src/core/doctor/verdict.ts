/** What a check found. Only a problem makes doctor end with 1; a warning is worth a look, but works. */
export type Status = 'ok' | 'warning' | 'problem' | 'skipped';

export type Verdict = {
  readonly status: Status;
  /** One line: what was found, with its value. */
  readonly message: string;
  /** What to do, to be pasted as it stands: commands, or lines of a configuration with their place in a comment. */
  readonly repair?: string;
};

export const ok = (message: string): Verdict => ({ status: 'ok', message });
export const skipped = (message: string): Verdict => ({ status: 'skipped', message });
export const warning = (message: string, repair: string): Verdict => ({ status: 'warning', message, repair });
export const problem = (message: string, repair: string): Verdict => ({ status: 'problem', message, repair });

/** A check by name; `group.word`, stable for scripts. */
export type Finding = Verdict & { readonly name: string; readonly group: string };

/** The worst of several verdicts with all their messages; ok when there is none. */
export function worst(verdicts: readonly Verdict[], fine: string): Verdict {
  const order: readonly Status[] = ['problem', 'warning', 'skipped', 'ok'];
  const found = order.find((status) => verdicts.some((verdict) => verdict.status === status));
  if (found === undefined || found === 'ok') return ok(fine);
  const matching = verdicts.filter((verdict) => verdict.status === found);
  const repairs = [...new Set(matching.flatMap(({ repair }) => (repair === undefined ? [] : [repair])))];
  return {
    status: found,
    message: matching.map(({ message }) => message).join('; '),
    ...(repairs.length === 0 ? {} : { repair: repairs.join('\n') }),
  };
}
