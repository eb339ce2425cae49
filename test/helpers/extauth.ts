import { type ChildProcess, spawn } from 'node:child_process';
import { PROGRAM } from './stack.ts';

/** `saxctl auth` as ejabberd has it: packets in, answers of 4 bytes out. */
export type AuthProgram = {
  readonly child: ChildProcess;
  /** One packet; resolves with its answer. Rejects when the program ends, or says anything but an answer. */
  ask(packet: string | Uint8Array): Promise<boolean>;
  /** The same for a login. */
  login(user: string, secret: string, server?: string): Promise<boolean>;
  /** Bytes as they are. */
  write(bytes: Uint8Array): void;
  /** Answers and other bytes that nobody asked for. */
  stray(): number;
  stderr(): string;
  /** Ends stdin; resolves with the exit code. */
  end(): Promise<number | null>;
  readonly exited: Promise<number | null>;
};

export function framed(packet: string | Uint8Array): Uint8Array {
  const body = typeof packet === 'string' ? Buffer.from(packet) : packet;
  const head = Buffer.alloc(2);
  head.writeUInt16BE(body.length);
  return Buffer.concat([head, body]);
}

export type AuthProgramOptions = {
  readonly config: string;
  readonly domain?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly argv?: readonly string[];
  /** Real pipes, as ejabberd's; else the socket pairs of Node. */
  readonly pipes?: boolean;
};

export function startAuth({ config, domain = 'chat.test', env, argv = [], pipes }: AuthProgramOptions): AuthProgram {
  const command = [process.execPath, PROGRAM, '-c', config, ...argv, 'auth'];
  const child = spawn(
    pipes ? 'bash' : (command[0] ?? ''),
    // Process substitutions are pipes, and the program takes the shell's place, as with ejabberd's `sh -c exec`.
    pipes ? ['-c', 'exec "$@" < <(cat <&3) > >(cat >&4)', 'auth', ...command] : command.slice(1),
    {
      stdio: pipes ? ['ignore', 'ignore', 'pipe', 'pipe', 'pipe'] : ['pipe', 'pipe', 'pipe'],
      env: { PATH: '/usr/local/bin:/usr/bin:/bin', LANG: 'C.UTF-8', HOME: '/nonexistent', ...env },
    },
  );
  const input = (pipes ? child.stdio[3] : child.stdin) as NodeJS.WritableStream;
  const output = (pipes ? child.stdio[4] : child.stdout) as NodeJS.ReadableStream;
  const waiting: { yes(answer: boolean): void; no(error: Error): void }[] = [];
  let got = Buffer.alloc(0);
  let stray = 0;
  let errors = '';
  let ended = false;
  output.on('data', (chunk: Buffer) => {
    got = Buffer.concat([got, chunk]);
    while (got.length >= 4) {
      const answer = got.subarray(0, 4);
      got = got.subarray(4);
      const asker = waiting.shift();
      if (asker === undefined) stray += 4;
      else if (answer[0] === 0 && answer[1] === 2 && answer[2] === 0 && (answer[3] ?? 9) <= 1)
        asker.yes(answer[3] === 1);
      else asker.no(new Error(`no answer but ${answer.toString('hex')}`));
    }
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  input.on('error', () => undefined);
  const exited = new Promise<number | null>((resolve) => {
    child.once('exit', (code) => {
      ended = true;
      resolve(code);
      for (const { no } of waiting.splice(0)) no(new Error(`the program ended with ${code}: ${errors}`));
    });
  });
  const program: AuthProgram = {
    child,
    ask: (packet) =>
      new Promise((yes, no) => {
        if (ended) return no(new Error(`the program has ended: ${errors}`));
        waiting.push({ yes, no });
        input.write(framed(packet));
      }),
    login: (user, secret, server = domain) => program.ask(`auth:${user}:${server}:${secret}`),
    write: (bytes) => void input.write(bytes),
    stray: () => stray + got.length,
    stderr: () => errors,
    end() {
      input.end();
      return exited;
    },
    exited,
  };
  return program;
}
