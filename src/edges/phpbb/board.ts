import { EXIT, SaxError } from '../../core/errors.ts';
import { ForumError } from '../../core/phpbb/failure.ts';
import { type Decoder, nameDecoder } from '../../core/phpbb/names.ts';
import { type Board, type Statements, statements } from '../../core/phpbb/statements.ts';
import { type Address, type Lane, openLane, type Row, type Value } from './connection.ts';

/** The keys of `[database]`, as the configuration names them. */
export type DatabaseConfig = {
  readonly host: string;
  readonly port: number;
  readonly socket: string | undefined;
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly name: string | undefined;
  readonly table_prefix: string;
  /** phpbb3, phpbb2, or found out. */
  readonly board: string | undefined;
  readonly charset: string;
};

/** The forum's tables behind one connection: knows, or finds out by asking, which board they belong to. */
export type BoardLane = {
  ask(question: keyof Statements, values: readonly Value[], within: number): Promise<readonly Row[]>;
  /** Asks with one value for rows of one text. `read` gets the board that they come from. */
  texts<T>(
    question: TextQuestion,
    value: string | number,
    within: number,
    read: (texts: readonly string[], board: Board) => T,
  ): Promise<T>;
  /** Which board it is; asks when that is not known yet. */
  board(within: number): Promise<Board>;
  readonly decode: Decoder;
  close(): void;
};

/** Statements of one text column; those with bans are understood by the right board only. */
export type TextQuestion = 'session' | 'account' | 'member';
const TELLING: ReadonlySet<keyof Statements> = new Set(['session', 'account']);

/** Shared by the lanes of one forum: what one found out the others need not. */
export type Known = { board: Board | undefined };

/** @throws SaxError (exit 78) when prefix or character set are impossible. */
export function openBoard(config: DatabaseConfig, known: Known = { board: undefined }): BoardLane {
  const { decode, texts } = prepareTexts(config);
  const candidates: readonly Board[] =
    config.board === undefined
      ? ['phpbb3', 'phpbb4', 'phpbb2']
      : config.board === 'phpbb3'
        ? ['phpbb3', 'phpbb4']
        : ['phpbb2'];
  const lane: Lane = openLane(addressOf(config), decode);

  type Ask<T> = (board: Board, within: number) => Promise<T>;

  /** Asks as each board in turn, the known one first. */
  const findOut = async <T>(ask: Ask<T>, within: number): Promise<T> => {
    const order =
      known.board === undefined ? candidates : [known.board, ...candidates.filter((one) => one !== known.board)];
    const since = performance.now();
    let first: unknown;
    for (const one of order) {
      try {
        const answer = await ask(one, within - (performance.now() - since));
        known.board = one;
        return answer;
      } catch (error) {
        first ??= error;
        if (!isOtherBoard(error)) throw error;
      }
    }
    throw first;
  };

  const board = async (within: number): Promise<Board> => {
    if (known.board === undefined)
      await findOut((one, left) => lane.texts(texts[one].account, 0, left, () => undefined), within);
    return known.board ?? 'phpbb3';
  };

  const put = <T>(question: keyof Statements, ask: Ask<T>, within: number): Promise<T> => {
    if (known.board !== undefined)
      return ask(known.board, within).catch((error: unknown) => {
        // The forum was upgraded under us.
        if (isOtherBoard(error)) return findOut(ask, within);
        throw error;
      });
    if (TELLING.has(question)) return findOut(ask, within);
    const since = performance.now();
    return board(within).then((one) => ask(one, within - (performance.now() - since)));
  };

  return {
    ask: (question, values, within) =>
      put(question, (one, left) => lane.ask(texts[one][question], values, left), within),
    texts: (question, value, within, read) =>
      put(question, (one, left) => lane.texts(texts[one][question], value, left, (rows) => read(rows, one)), within),
    board,
    decode,
    close: () => lane.close(),
  };
}

/** Whoever has rights on single tables is denied one that does not exist: the server does not say which there are. */
const OTHER_BOARD = ['ER_NO_SUCH_TABLE', 'ER_BAD_FIELD_ERROR', 'ER_TABLEACCESS_DENIED_ERROR'];
const isOtherBoard = (error: unknown): boolean => error instanceof ForumError && OTHER_BOARD.includes(error.code);

function addressOf(config: DatabaseConfig): Address {
  return {
    host: config.host,
    port: config.port,
    socket: config.socket,
    user: config.user,
    password: config.password,
    database: config.name,
  };
}

function prepareTexts(config: DatabaseConfig): { decode: Decoder; texts: Record<Board, Statements> } {
  const wrong = (key: string, value: string, cause: unknown): SaxError =>
    new SaxError(
      EXIT.config,
      `[database] ${key}: ${JSON.stringify(value)} is wrong: must be ${(cause as Error).message}`,
      { cause },
    );
  let decode: Decoder | undefined;
  try {
    decode = nameDecoder(config.charset);
  } catch (error) {
    throw wrong('charset', config.charset, error);
  }
  const raw = decode !== undefined;
  try {
    const of = (board: Board): Statements => statements(board, config.table_prefix, raw);
    return {
      decode: decode ?? (nameDecoder('binary') as Decoder),
      texts: { phpbb3: of('phpbb3'), phpbb4: of('phpbb4'), phpbb2: of('phpbb2') },
    };
  } catch (error) {
    throw wrong('table_prefix', config.table_prefix, error);
  }
}

/** A text column: a string, or bytes where the column is binary or read raw; NULL is ''. */
export function textOf(value: unknown, decode: Decoder): string {
  if (typeof value === 'string') return value;
  return value instanceof Uint8Array ? decode(value) : value === null || value === undefined ? '' : String(value);
}
