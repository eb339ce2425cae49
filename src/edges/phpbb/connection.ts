import { reasonOf } from '../../core/errors.ts';
import { ForumError } from '../../core/phpbb/failure.ts';
import type { Decoder } from '../../core/phpbb/names.ts';
import { type Address, type Link, openLink, type Prepared, type Settled } from './link.ts';

export type { Address } from './link.ts';

export type Row = readonly unknown[];
export type Value = string | number | Uint8Array;

/**
 * One connection to the forum's database, opened on the first question and again after a loss. Questions are asked one after
 * the other by prepared statements. A question whose time is up takes its connection along, so that a late answer can never
 * be taken for the answer of the next question.
 */
export type Lane = {
  /**
   * @param within milliseconds for everything: connecting, asking again after a loss, the answer.
   * @throws ForumError
   */
  ask(sql: string, values: readonly Value[], within: number): Promise<readonly Row[]>;
  /** The same for a statement with one parameter and one text column, faster; `read` makes the result. */
  texts<T>(sql: string, value: string | number, within: number, read: (texts: readonly string[]) => T): Promise<T>;
  close(): void;
};

type Question = {
  readonly sql: string;
  readonly deadline: number;
  readonly execute: (over: Link, prepared: Prepared, settled: Settled<unknown>) => void;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
  asked: number;
};

/** How often deadlines are looked at, milliseconds: one tick for all costs less than a timer for each. */
const TICK = 25;
/** Ticks without a question after which the ticking stops. */
const IDLE_TICKS = 80;
/** A question is asked at most so often: again only when the connection turned out to be an old one. */
const ATTEMPTS = 2;

/** @param decode for text in columns without a character set. */
export function openLane(address: Address, decode: Decoder = latin1): Lane {
  let link: Link | undefined;
  let statements = new Map<string, Prepared>();
  let current: Question | undefined;
  let waiting: Question[] = [];
  let ticking: NodeJS.Timeout | undefined;
  let idle = 0;
  let closed = false;

  const drop = (dead: Link | undefined): void => {
    if (dead === undefined) return;
    if (link === dead) link = undefined;
    dead.destroy();
  };
  const connected = (): Link => {
    if (link === undefined) {
      statements = new Map();
      link = openLink(address, decode, drop);
    }
    return link;
  };

  const put = (question: Question): void => {
    current = question;
    question.asked++;
    const over = connected();
    const settled = (error: unknown, result?: unknown): void => {
      // Too late: it was refused and its connection closed.
      if (current !== question) return;
      current = undefined;
      if (error === undefined) {
        over.used = true;
        question.resolve(result);
      } else failed(question, over, error);
      next();
    };
    const known = statements.get(question.sql);
    if (known === undefined) prepare(question, over, settled);
    else execute(question, over, known, settled);
  };

  const execute = (question: Question, over: Link, prepared: Prepared, settled: Settled<unknown>): void => {
    try {
      question.execute(over, prepared, settled);
    } catch (error) {
      // A value that has no packet: nothing was asked, and the next question must not wait for its answer.
      settled(error);
    }
  };

  const prepare = (question: Question, over: Link, settled: Settled<unknown>): void => {
    const mine = statements;
    over.prepare(question.sql, (error, prepared) => {
      if (error !== undefined || prepared === undefined) settled(error ?? late());
      else {
        mine.set(question.sql, prepared);
        if (current === question && link === over) execute(question, over, prepared, settled);
      }
    });
  };

  const failed = (question: Question, over: Link, error: unknown): void => {
    const failure = asForumError(error);
    const again = isStatementLost(error) || (over.used && isLoss(error));
    // After an error of the statement itself the connection is as good as before.
    if (failure.kind === 'schema') statements.delete(question.sql);
    else drop(over);
    if (again && question.asked < ATTEMPTS && performance.now() < question.deadline) put(question);
    else question.reject(failure);
  };

  const next = (): void => {
    const question = current === undefined ? waiting.shift() : undefined;
    if (question !== undefined) put(question);
  };

  const tick = (): void => {
    const now = performance.now();
    if (current === undefined && waiting.length === 0) {
      if (++idle < IDLE_TICKS) return;
      clearInterval(ticking);
      ticking = undefined;
      return;
    }
    idle = 0;
    for (const { reject } of waiting.filter(({ deadline }) => now >= deadline)) reject(late());
    waiting = waiting.filter(({ deadline }) => now < deadline);
    if (current === undefined || now < current.deadline) return;
    const { reject } = current;
    current = undefined;
    drop(link);
    reject(late());
    next();
  };

  const ask = <T>(
    sql: string,
    within: number,
    execute: (over: Link, prepared: Prepared, settled: Settled<T>) => void,
  ): Promise<T> =>
    new Promise((resolve, reject) => {
      // Whoever tries again after the loss must not open what nobody would close.
      if (closed) throw gone();
      const deadline = performance.now() + within;
      const question: Question = {
        sql,
        deadline,
        execute,
        resolve: resolve as (result: unknown) => void,
        reject,
        asked: 0,
      };
      ticking ??= setInterval(tick, TICK);
      if (current === undefined) put(question);
      else waiting.push(question);
    });

  return {
    ask: (sql, values, within) => ask(sql, within, (over, prepared, settled) => over.rows(prepared, values, settled)),
    texts: (sql, value, within, read) =>
      ask(sql, within, (over, prepared, settled) =>
        over.texts(prepared, value, (error, texts) =>
          texts === undefined ? settled(error) : settled(undefined, read(texts)),
        ),
      ),
    close() {
      closed = true;
      clearInterval(ticking);
      ticking = undefined;
      for (const { reject } of current === undefined ? waiting : [current, ...waiting]) reject(gone());
      current = undefined;
      waiting = [];
      drop(link);
    },
  };
}

const gone = (): ForumError => new ForumError('down', 'closed');
const late = (): ForumError => new ForumError('down', 'no answer in time');

/** Every byte a character. */
const latin1: Decoder = (bytes) => Buffer.from(bytes).toString('latin1');

const codeOf = (error: unknown): string => (error as { code?: string } | undefined)?.code ?? '';

/** The connection was lost, which says nothing about the server: it may have closed an idle one. */
function isLoss(error: unknown): boolean {
  return (
    [
      'EPIPE',
      'ECONNRESET',
      'PROTOCOL_CONNECTION_LOST',
      'ER_CLIENT_INTERACTION_TIMEOUT',
      'ER_SERVER_SHUTDOWN',
      'ER_CONNECTION_KILLED',
      'ERR_STREAM_DESTROYED',
    ].includes(codeOf(error)) || /closed state|has been closed/.test(reasonOf(error))
  );
}

/** The server forgot the prepared statement (proxy, table changed under it). */
const isStatementLost = (error: unknown): boolean =>
  ['ER_UNKNOWN_STMT_HANDLER', 'ER_NEED_REPREPARE'].includes(codeOf(error));

const REFUSED = new Set([
  'ER_ACCESS_DENIED_ERROR',
  'ER_DBACCESS_DENIED_ERROR',
  'ER_BAD_DB_ERROR',
  'ER_NO_DB_ERROR',
  'ER_MUST_CHANGE_PASSWORD',
  'ER_ACCOUNT_HAS_BEEN_LOCKED',
  'AUTH_SWITCH_PLUGIN_ERROR',
  'HANDSHAKE_NO_SSL_SUPPORT',
]);
const SCHEMA = new Set([
  'ER_NO_SUCH_TABLE',
  'ER_BAD_FIELD_ERROR',
  'ER_TABLEACCESS_DENIED_ERROR',
  'ER_COLUMNACCESS_DENIED_ERROR',
  'ER_PARSE_ERROR',
  // No fault of the connection's.
  'ER_CANT_AGGREGATE_2COLLATIONS',
]);

function asForumError(error: unknown): ForumError {
  if (error instanceof ForumError) return error;
  const code = codeOf(error);
  const kind = REFUSED.has(code) ? 'refused' : SCHEMA.has(code) ? 'schema' : 'down';
  return new ForumError(kind, reasonOf(error), { code, cause: error });
}
