import type { Log, LogFields, LogLevel } from '../../src/app/ports/log.ts';

export type Entry = {
  readonly level: LogLevel;
  readonly event: string;
  readonly message: string;
  readonly fields: LogFields;
};

/** A log that remembers. */
export function fakeLog(): Log & { readonly entries: Entry[] } {
  const entries: Entry[] = [];
  const make = (bound: LogFields): Log & { readonly entries: Entry[] } => {
    const at =
      (level: LogLevel) =>
      (event: string, message: string, fields: LogFields = {}): void => {
        entries.push({ level, event, message, fields: { ...bound, ...fields } });
      };
    return {
      entries,
      error: at('error'),
      warn: at('warn'),
      info: at('info'),
      debug: at('debug'),
      child: (fields) => make({ ...bound, ...fields }),
    };
  };
  return make({});
}
