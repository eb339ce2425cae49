import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { type HttpAnswer, newAnswerReader } from './answer.ts';

export type WireOptions = {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  /** Connections at most; calls beyond wait for a free one. */
  readonly connections: number;
  /** Lines of the head that all calls share, without the last CR LF. Nothing here may hold a line break of another's making. */
  readonly head: string;
  /** Milliseconds for one call. */
  readonly timeoutMs: number;
};

/** POSTs over connections that stay open, one call at a time on each. */
export type Wire = {
  /**
   * Rejects with what broke the connection, or when time is over.
   * @param path and query, as they stand in the request line. @param most bytes of the answer's body.
   */
  post(path: string, body: string, most: number): Promise<HttpAnswer>;
  /** Ends all connections; calls under way are rejected. */
  close(): void;
};

type Call = {
  readonly path: string;
  readonly body: string;
  readonly most: number;
  readonly resolve: (answer: HttpAnswer) => void;
  readonly reject: (error: Error) => void;
  deadline: number;
};

type Line = { readonly socket: Socket; call: Call | undefined; take: (call: Call) => void };

/**
 * HTTP/1.1 (RFC 9112) as far as a hundred thousand small calls to one server need it: a third of the processor time of
 * node:http, and the processor is what ejabberd wants at the same moment.
 */
export function openWire(options: WireOptions): Wire {
  const { host, port, connections, head, timeoutMs } = options;
  const lines = new Set<Line>();
  const free: Line[] = [];
  const waiting: Call[] = [];
  let over = false;

  const look = (): void => {
    const now = performance.now();
    for (const { socket, call } of [...lines])
      if (call !== undefined && now >= call.deadline)
        socket.destroy(new Error(`no answer within ${timeoutMs / 1000} s`));
  };
  const watch = setInterval(look, Math.max(10, Math.min(1000, timeoutMs / 4))).unref();

  const open = (): Line => {
    const secure = { host, port, ...(isIP(host) === 0 ? { servername: host } : {}) };
    const socket = options.tls ? connectTls(secure) : connect({ host, port });
    socket.setNoDelay(true);
    let reader = newAnswerReader(0);
    const line: Line = {
      socket,
      call: undefined,
      take(call) {
        line.call = call;
        call.deadline = performance.now() + timeoutMs;
        reader = newAnswerReader(call.most);
        socket.write(
          `POST ${call.path} HTTP/1.1\r\n${head}\r\ncontent-length: ${Buffer.byteLength(call.body)}\r\n\r\n${call.body}`,
        );
      },
    };
    let broken: Error | undefined;
    const settle = (answer: HttpAnswer | undefined): void => {
      const { call } = line;
      line.call = undefined;
      if (answer === undefined) call?.reject(broken ?? new Error('the connection was closed without an answer'));
      else call?.resolve(answer);
    };
    socket.on('data', (bytes) => {
      try {
        const answer = line.call === undefined ? undefined : reader.take(bytes);
        if (answer === undefined) {
          // Nobody asked: what comes now would be taken for the answer to the next call.
          if (line.call === undefined) socket.destroy();
          return;
        }
        if (answer.last) {
          lines.delete(line);
          socket.destroy();
        } else free.push(line);
        settle(answer);
        next();
      } catch (error) {
        socket.destroy(error as Error);
      }
    });
    socket.on('error', (error) => {
      broken = error;
    });
    socket.on('close', () => {
      lines.delete(line);
      const at = free.indexOf(line);
      if (at >= 0) free.splice(at, 1);
      settle(line.call === undefined || broken !== undefined ? undefined : reader.end());
      next();
    });
    lines.add(line);
    return line;
  };

  const next = (): void => {
    while (!over && waiting.length > 0) {
      const line = free.pop() ?? (lines.size < connections ? open() : undefined);
      if (line === undefined) return;
      line.take(waiting.shift() as Call);
    }
  };

  return {
    post: (path, body, most) =>
      new Promise((resolve, reject) => {
        if (over) {
          reject(new Error('closed'));
          return;
        }
        waiting.push({ path, body, most, resolve, reject, deadline: 0 });
        next();
      }),
    close() {
      over = true;
      clearInterval(watch);
      for (const { reject } of waiting.splice(0)) reject(new Error('closed'));
      for (const { socket } of [...lines]) socket.destroy(new Error('closed'));
    },
  };
}
