import { EXIT, type ExitCode, SaxError } from '../errors.ts';

/**
 * `down`: not reachable, too slow, lost. `refused`: wrong account, password or database name. `schema`: no such table or
 * column, or no right to read it.
 */
export type ForumFailure = 'down' | 'refused' | 'schema';

const EXITS: Readonly<Record<ForumFailure, ExitCode>> = {
  down: EXIT.unavailable,
  refused: EXIT.refused,
  schema: EXIT.config,
};

const HINTS: Readonly<Record<ForumFailure, string>> = {
  down: 'is it running, and are [database] host, port or socket right?',
  refused: 'check [database] user, password and name',
  schema: 'check [database] name and table_prefix, and GRANT SELECT on the tables users, sessions, config and banlist',
};

/** The forum's database did not answer a question, and why. */
export class ForumError extends SaxError {
  override name = 'ForumError';
  readonly kind: ForumFailure;
  /** The server's or the system's name of the error (`ER_NO_SUCH_TABLE`, `ECONNREFUSED`). */
  readonly code: string;

  constructor(kind: ForumFailure, message: string, options: { code?: string; cause?: unknown } = {}) {
    super(EXITS[kind], `forum database: ${message}`, { hint: HINTS[kind], cause: options.cause });
    this.kind = kind;
    this.code = options.code ?? '';
  }
}
