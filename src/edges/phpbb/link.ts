import { connect } from 'node:net';
import mysql, { type PrepareStatementInfo } from 'mysql2';
import { executePacket, readAnswer } from '../../core/mysql-wire.ts';
import type { Decoder } from '../../core/phpbb/names.ts';

export type Address = {
  readonly host: string;
  readonly port: number;
  readonly socket: string | undefined;
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly database: string | undefined;
};

/** A statement that this connection has prepared. */
export type Prepared = PrepareStatementInfo;
export type Settled<T> = (error: unknown, result?: T) => void;

/**
 * One connection, for one question at a time. mysql2 connects, logs in, prepares, and asks what has many columns. What each
 * login asks is asked by hand (core/mysql-wire.ts), which takes a third of the time: between two commands of mysql2 the bytes
 * of its socket come to us first, and any that we did not ask for go to mysql2, which takes them for the end.
 */
export type Link = {
  /** Answered at least one question: an error that follows may only mean that the server had closed it. */
  used: boolean;
  /** Once it is connected. */
  prepare(sql: string, settled: Settled<Prepared>): void;
  rows(statement: Prepared, values: readonly unknown[], settled: Settled<readonly (readonly unknown[])[]>): void;
  /** Asks with one value for one text column. */
  texts(statement: Prepared, value: string | number, settled: Settled<readonly string[]>): void;
  /** Ends it at once; nothing that was asked is settled any more. */
  destroy(): void;
};

/** mysql2 gives up connecting by itself only long after whoever asks. */
const CONNECT_WITHIN = 30_000;
const CHUNK = 16_384;

/**
 * @param decode for text in columns without a character set.
 * @param lost the connection broke; what was asked has been settled with that error.
 */
export function openLink(address: Address, decode: Decoder, lost: (link: Link) => void): Link {
  let asked: Settled<readonly string[]> | undefined;
  let held: Buffer | undefined;
  let gone = false;

  const settle = (error: unknown, texts?: readonly string[]): void => {
    const settled = asked;
    asked = undefined;
    held = undefined;
    settled?.(error, texts);
  };
  const text = (bytes: Uint8Array, binary: boolean): string =>
    binary ? decode(bytes) : (bytes as Buffer).toString('utf8');
  const take = (length: number, chunk: Uint8Array): boolean => {
    if (gone) return true;
    const bytes = (chunk as Buffer).subarray(0, length);
    if (asked === undefined) {
      stream.emit('data', Buffer.from(bytes));
      return true;
    }
    const whole = held === undefined ? bytes : Buffer.concat([held, bytes]);
    const answer = readAnswer(whole, text);
    if (answer === 'more') held = held === undefined ? Buffer.from(bytes) : whole;
    else if (answer === 'broken') settle(failure('PROTOCOL_BROKEN', 'the database sent what was not asked for'));
    else if ('code' in answer) settle(failure(NAMES[answer.code] ?? `ER_${answer.code}`, answer.message));
    else settle(undefined, answer);
    return true;
  };
  // Idle for hours between two logins: without probes a firewall forgets us in silence.
  const stream = connect({
    ...(address.socket === undefined
      ? { host: address.host, port: address.port, noDelay: true, keepAlive: true, keepAliveInitialDelay: 30_000 }
      : { path: address.socket }),
    onread: { buffer: Buffer.allocUnsafeSlow(CHUNK), callback: take },
  });
  const connection = mysql.createConnection({
    stream,
    ...(address.user === undefined ? {} : { user: address.user }),
    ...(address.password === undefined ? {} : { password: address.password }),
    ...(address.database === undefined ? {} : { database: address.database }),
    charset: 'utf8mb4',
    rowsAsArray: true,
    // Answers in many columns are few: a parser compiled for each statement costs more than it saves.
    disableEval: true,
    maxPreparedStatements: 64,
    connectTimeout: CONNECT_WITHIN,
    // Attributes would change the packets; files of ours are nothing for a server to ask for.
    flags: ['-CLIENT_QUERY_ATTRIBUTES', '-LOCAL_FILES'],
  });
  const ready = new Promise<void>((resolve, reject) => {
    connection.connect((error) => {
      if (error) reject(error);
      // What the handshake asked for may be ignored (character_set_client_handshake) or undone (init_connect): a name would
      // come with `?` for each letter that the other character set lacks, and be another name. Prepared, as everything is:
      // what mysql2 needs for a plain query is not in the bundle (scripts/slim-mysql2.mjs).
      else connection.execute('SET NAMES utf8mb4', (failed: unknown) => (failed ? reject(failed) : resolve()));
    });
  });
  // Whoever prepares hears of it.
  ready.catch(() => {});

  const link: Link = {
    used: false,
    prepare(sql, settled) {
      ready.then(
        () => connection.prepare(sql, (error, prepared) => settled(error ?? undefined, prepared)),
        (error: unknown) => settled(error),
      );
    },
    rows: (statement, values, settled) =>
      statement.execute(values as unknown[], (error, rows) => settled(error ?? undefined, rows as unknown[][])),
    texts(statement, value, settled) {
      const packet = executePacket((statement as unknown as { id: number }).id, value);
      asked = settled;
      stream.write(packet);
    },
    destroy() {
      gone = true;
      asked = undefined;
      // destroy() of mysql2 only sends FIN: a frozen server would keep socket and callbacks for hours.
      connection.destroy();
      stream.destroy();
    },
  };
  // Also heard between questions: the server restarted, an idle connection was closed.
  connection.on('error', (error) => {
    if (gone) return;
    settle(error);
    lost(link);
  });
  return link;
}

const failure = (code: string, message: string): Error => Object.assign(new Error(message), { code });

/** The server's errors that mean something to us, as mysql2 calls them. */
const NAMES: Readonly<Record<number, string>> = {
  1044: 'ER_DBACCESS_DENIED_ERROR',
  1053: 'ER_SERVER_SHUTDOWN',
  1054: 'ER_BAD_FIELD_ERROR',
  1142: 'ER_TABLEACCESS_DENIED_ERROR',
  1143: 'ER_COLUMNACCESS_DENIED_ERROR',
  1146: 'ER_NO_SUCH_TABLE',
  1243: 'ER_UNKNOWN_STMT_HANDLER',
  1615: 'ER_NEED_REPREPARE',
  1927: 'ER_CONNECTION_KILLED',
  4031: 'ER_CLIENT_INTERACTION_TIMEOUT',
};
