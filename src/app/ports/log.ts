export type LogLevel = 'error' | 'warn' | 'info' | 'debug';

/** Structured values of one log line. Never a password, a session id or a token: not even at debug. */
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined | readonly string[]>>;

/** One event is one line on stderr. `event` is a stable word for machines (`ready`, `refused`), `message` is for people. */
export interface Log {
  error(event: string, message: string, fields?: LogFields): void;
  warn(event: string, message: string, fields?: LogFields): void;
  info(event: string, message: string, fields?: LogFields): void;
  debug(event: string, message: string, fields?: LogFields): void;
  child(fields: LogFields): Log;
}
