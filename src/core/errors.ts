/**
 * What can go wrong, as the person at the terminal and the supervisor see it: one exit code and one line.
 * Exit codes are those of sysexits(3) where one fits; this table is the only one (help and README are tested against it).
 */
export const EXIT = {
  done: 0,
  partial: 1,
  usage: 64,
  data: 65,
  unavailable: 69,
  defect: 70,
  cannotCreate: 73,
  temporary: 75,
  refused: 77,
  config: 78,
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export const EXIT_MEANINGS: Readonly<Record<ExitCode, string>> = {
  0: 'done',
  1: 'done, but something was refused or failed (the summary says what)',
  64: 'usage: wrong command, flag or argument',
  65: 'bad input data',
  69: 'a server is unavailable',
  70: 'a defect of saxctl itself; please report it',
  73: 'cannot create (socket, file)',
  75: 'temporary failure, try again',
  77: 'refused (login, permission)',
  78: 'configuration',
  130: 'interrupted by a person',
};

/**
 * A failure that we expected and can explain. `message` is one line: what failed, with which value; `hint` is what to do.
 * Everything else that is thrown is a defect of ours.
 */
export class SaxError extends Error {
  override name = 'SaxError';
  readonly exit: ExitCode;
  readonly hint: string | undefined;

  constructor(exit: ExitCode, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.exit = exit;
    this.hint = options.hint;
  }
}

/** The reason of anything thrown, as one line without a stack: errors of libraries are often AggregateErrors without a message. */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(reasonOf).join('; ');
  if (error instanceof Error) return error.message || ((error as { code?: string }).code ?? error.name);
  return String(error);
}

/** The chain of causes behind an error, outermost first, for `--log-level debug`. */
export function causesOf(error: unknown): string[] {
  const chain: string[] = [];
  let current = error instanceof Error ? error.cause : undefined;
  while (current !== undefined && chain.length < 8) {
    chain.push(reasonOf(current));
    current = current instanceof Error ? current.cause : undefined;
  }
  return chain;
}
