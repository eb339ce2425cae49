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
  ask(sql: string, values: readonly (string | number | Uint8Array)[], within: number): Promise<readonly Row[]>;
  close(): void;
};

type Link = {
  readonly connection: Connection;
  readonly ready: Promise<void>;
  readonly statements: Map<string, Promise<PrepareStatementInfo>>;
  /** Answered at least one question: an error that follows may only mean that the server had closed it. */
  used: boolean;
};

export function openLane(address: Address): Lane {
  let link: Link | undefined;

  const drop = (dead: Link | undefined): void => {
    if (dead === undefined) return;
    if (link === dead) link = undefined;
    // destroy() of mysql2 only sends FIN: a frozen server would keep socket and callbacks for hours.
    dead.connection.destroy();
    (dead.connection as unknown as { stream: { destroy(): void } }).stream.destroy();
  };

  const once = async (
    sql: string,
    values: readonly (string | number | Uint8Array)[],
    current: Link,
  ): Promise<readonly Row[]> => {
    await current.ready;
    let statement = current.statements.get(sql);
    if (statement === undefined) {
      statement = prepare(current.connection, sql);
      current.statements.set(sql, statement);
    }
    const prepared = await statement;
    return new Promise((resolve, reject) => {
      prepared.execute(values as unknown[], (error: QueryError | null, rows: unknown) => {
        if (error) reject(error);
        else resolve(rows as Row[]);
      });
    });
  };

  const attempt = async (
    sql: string,
    values: readonly (string | number | Uint8Array)[],
    within: number,
  ): Promise<readonly Row[]> => {
    const deadline = performance.now() + within;
    for (let round = 0; ; round++) {
      link ??= connect(address, within, drop);
      const current = link;
      const left = deadline - performance.now();
      try {
        const rows = await timely(once(sql, values, current), left, () => drop(current));
        current.used = true;
        return rows;
      } catch (error) {
        const failure = asForumError(error);
        const stale = current.used && isLoss(error);
        // After an error of the statement itself the connection is as good as before.
        if (failure.kind !== 'schema' || isStatementLost(error)) drop(current);
        else current.statements.delete(sql);
        if (round > 0 || !(stale || isStatementLost(error))) throw failure;
      }
    }
  };

  // One after the other: mysql2 would queue as well, but then a timeout would take the waiting ones along.
  let last: Promise<unknown> = Promise.resolve();
  let busy = 0;
  return {
    async ask(sql, values, within) {
      if (busy++ === 0) {
        const asked = attempt(sql, values, within).finally(() => busy--);
        last = asked.catch(() => {});
        return asked;
      }
      const since = performance.now();
      const asked = last.then(() => attempt(sql, values, within - (performance.now() - since))).finally(() => busy--);
      last = asked.catch(() => {});
      return asked;
    },
    close: () => drop(link),
  };
}

function connect(address: Address, within: number, lost: (link: Link) => void): Link {
  const connection = mysql.createConnection({
    ...(address.socket === undefined ? { host: address.host, port: address.port } : { socketPath: address.socket }),
    ...(address.user === undefined ? {} : { user: address.user }),
    ...(address.password === undefined ? {} : { password: address.password }),
    ...(address.database === undefined ? {} : { database: address.database }),
    charset: 'utf8mb4',
    rowsAsArray: true,
    connectTimeout: Math.max(1, Math.ceil(within)),
    maxPreparedStatements: 64,
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
  link.ready.catch(() => {});
  // Also heard between questions: the server restarted, an idle connection was closed.
  connection.on('error', () => lost(link));
  return link;
}

function prepare(connection: Connection, sql: string): Promise<PrepareStatementInfo> {
  const statement = new Promise<PrepareStatementInfo>((resolve, reject) => {
    connection.prepare(sql, (error, prepared) => (error ? reject(error) : resolve(prepared)));
  });
  statement.catch(() => {});
  return statement;
}

/** Settles as `work` does, or rejects when `ms` have passed; then `late` ends what is still going on. */
function timely<T>(work: Promise<T>, ms: number, late: () => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => {
        reject(new ForumError('down', 'no answer in time'));
        late();
      },
      Math.max(0, ms),
    );
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
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
