import mysql, { type Connection, type PrepareStatementInfo, type QueryError } from 'mysql2';
import { reasonOf } from '../../core/errors.ts';
import { ForumError } from '../../core/phpbb/failure.ts';

export type Address = {
  readonly host: string;
  readonly port: number;
  readonly socket: string | undefined;
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly database: string | undefined;
};

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
  close(): void;
};

type Link = {
  readonly connection: Connection;
  readonly ready: Promise<void>;
  readonly statements: Map<string, PrepareStatementInfo>;
  /** Answered at least one question: an error that follows may only mean that the server had closed it. */
  used: boolean;
};

type Question = {
  readonly sql: string;
  readonly values: readonly Value[];
  readonly deadline: number;
  readonly resolve: (rows: readonly Row[]) => void;
  readonly reject: (error: ForumError) => void;
  asked: number;
};

/** How often deadlines are looked at, milliseconds: one tick for all costs less than a timer for each. */
const TICK = 25;
/** Ticks without a question after which the ticking stops. */
const IDLE_TICKS = 80;
/** A question is asked at most so often: again only when the connection turned out to be an old one. */
const ATTEMPTS = 2;

export function openLane(address: Address): Lane {
  let link: Link | undefined;
  let current: Question | undefined;
  let waiting: Question[] = [];
  let ticking: NodeJS.Timeout | undefined;
  let idle = 0;

  const drop = (dead: Link | undefined): void => {
    if (dead === undefined) return;
    if (link === dead) link = undefined;
    // destroy() of mysql2 only sends FIN: a frozen server would keep socket and callbacks for hours.
    dead.connection.destroy();
    (dead.connection as unknown as { stream: { destroy(): void } }).stream.destroy();
  };

  const put = (question: Question): void => {
    current = question;
    question.asked++;
    link ??= connect(address, drop);
    const over = link;
    const settled = (error: QueryError | null, rows: unknown): void => {
      // Too late: it was refused and its connection closed.
      if (current !== question) return;
      current = undefined;
      if (error === null) {
        over.used = true;
        question.resolve(rows as Row[]);
      } else failed(question, over, error);
      next();
    };
    const prepared = over.statements.get(question.sql);
    if (prepared === undefined) prepareAndExecute(over, question, settled);
    else prepared.execute(question.values as unknown[], settled);
  };

  const failed = (question: Question, over: Link, error: QueryError): void => {
    const failure = asForumError(error);
    const again = isStatementLost(error) || (over.used && isLoss(error));
    // After an error of the statement itself the connection is as good as before.
    if (failure.kind === 'schema') over.statements.delete(question.sql);
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

  return {
    ask(sql, values, within) {
      return new Promise((resolve, reject) => {
        const question = { sql, values, deadline: performance.now() + within, resolve, reject, asked: 0 };
        ticking ??= setInterval(tick, TICK);
        if (current === undefined) put(question);
        else waiting.push(question);
      });
    },
    close() {
      clearInterval(ticking);
      ticking = undefined;
      const gone = new ForumError('down', 'closed');
      for (const { reject } of current === undefined ? waiting : [current, ...waiting]) reject(gone);
      current = undefined;
      waiting = [];
      drop(link);
    },
  };
}

const late = (): ForumError => new ForumError('down', 'no answer in time');

type Settled = (error: QueryError | null, rows: unknown) => void;

function prepareAndExecute({ connection, ready, statements }: Link, { sql, values }: Question, settled: Settled): void {
  ready.then(
    () =>
      connection.prepare(sql, (error, prepared) => {
        if (error) return settled(error, undefined);
        statements.set(sql, prepared);
        prepared.execute(values as unknown[], settled);
      }),
    (error: QueryError) => settled(error, undefined),
  );
}

/** mysql2 gives up connecting by itself only long after whoever asks. */
const CONNECT_WITHIN = 30_000;

function connect(address: Address, lost: (link: Link) => void): Link {
  const connection = mysql.createConnection({
    ...(address.socket === undefined ? { host: address.host, port: address.port } : { socketPath: address.socket }),
    ...(address.user === undefined ? {} : { user: address.user }),
    ...(address.password === undefined ? {} : { password: address.password }),
    ...(address.database === undefined ? {} : { database: address.database }),
    charset: 'utf8mb4',
    rowsAsArray: true,
    connectTimeout: CONNECT_WITHIN,
    // Idle for hours between two logins: without probes a firewall forgets us in silence.
    enableKeepAlive: true,
    keepAliveInitialDelay: 30_000,
  });
  const link: Link = {
    connection,
    statements: new Map(),
    used: false,
    ready: new Promise((resolve, reject) => {
      connection.connect((error) => (error ? reject(error) : resolve()));
    }),
  };
  // Also heard between questions: the server restarted, an idle connection was closed.
  connection.on('error', () => lost(link));
  return link;
}

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
]);

function asForumError(error: unknown): ForumError {
  if (error instanceof ForumError) return error;
  const code = codeOf(error);
  const kind = REFUSED.has(code) ? 'refused' : SCHEMA.has(code) ? 'schema' : 'down';
  return new ForumError(kind, reasonOf(error), { code, cause: error });
}
