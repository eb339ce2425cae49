import type { CheckName } from './catalogue.ts';
import type { Verdict } from './verdict.ts';
import type { Yml } from './yml.ts';

/** What of our own configuration the options are judged by. */
export type Expected = {
  /** Bare JIDs of the bots that are configured. */
  readonly bots: readonly string[];
  readonly guard: string | undefined;
  /** `[ejabberd] via`. */
  readonly via: 'ctl' | 'http';
};

export type OptionCheck = { readonly name: CheckName; readonly judge: (yml: Yml, expected: Expected) => Verdict };

/** Lines to paste. */
export const yml = (...lines: readonly string[]): string => ['# ejabberd.yml', ...lines].join('\n');

/** A value as it may stand in a message. */
export function show(value: unknown): string {
  return value === undefined ? 'not set' : typeof value === 'string' ? value : JSON.stringify(value);
}
