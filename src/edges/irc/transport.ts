import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { decodeIrcLine } from '../../core/irc-decode.ts';

/** More than any line may have (8191 bytes of tags and 512 of line, IRCv3): who sends more without an end is no IRC server. */
const LONGEST_LINE = 65_536;
/** Lines handed on in one turn of the event loop: thousands may come at once, and each takes a while to be relayed. */
const LINES_PER_TURN = 32;
const LF = 0x0a;
const CR = 0x0d;

export type TransportHooks = {
  readonly socket: Socket;
  /** Everything that came has been handed on. */
  readonly heard: () => void;
};

/**
 * What irc-framework writes to and reads from, over a socket that is open already: its own transport decodes every byte as
 * UTF-8, looks at no certificate of ours and keeps an endless line. One line goes out per call, whatever stands in it.
 */
export function transportClass({ socket, heard }: TransportHooks): unknown {
  return class extends EventEmitter {
    connected = false;
    rest: Buffer = Buffer.alloc(0);
    turn: NodeJS.Immediate | undefined;

    isConnected(): boolean {
      return this.connected;
    }

    connect(): void {
      socket.on('data', (chunk: Buffer) => this.take(chunk));
      socket.on('error', (error) => this.over(error));
      socket.on('close', () => this.over());
      queueMicrotask(() => {
        this.connected = true;
        this.emit('open');
      });
    }

    take(chunk: Buffer): void {
      this.rest = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk]);
      if (this.turn === undefined) this.lines(LINES_PER_TURN);
    }

    /** Hands on at most so many lines; what is left waits for the next turn, and nothing more is read until then. */
    lines(most: number): void {
      const bytes = this.rest;
      let start = 0;
      let end = bytes.indexOf(LF);
      for (let count = 0; end !== -1 && count < most; end = bytes.indexOf(LF, start), count++) {
        const stop = end > start && bytes[end - 1] === CR ? end - 1 : end;
        if (stop > start) this.emit('line', decodeIrcLine(bytes.subarray(start, stop)));
        start = end + 1;
      }
      this.rest = bytes.subarray(start);
      if (end !== -1) {
        socket.pause();
        this.turn = setImmediate(() => {
          this.turn = undefined;
          socket.resume();
          this.lines(most);
        });
        return;
      }
      heard();
      if (this.rest.length > LONGEST_LINE) socket.destroy(new Error('the server sends a line without an end'));
    }

    over(error?: Error): void {
      if (!this.connected) return;
      clearImmediate(this.turn);
      // What was received before the end was said, also what waited while we were reading no more.
      for (let chunk: Buffer | null = socket.read(); chunk !== null; chunk = socket.read())
        this.rest = Buffer.concat([this.rest, chunk]);
      this.lines(Number.POSITIVE_INFINITY);
      this.connected = false;
      this.emit('close', error ?? false);
    }

    writeLine(line: string, done?: () => void): void {
      socket.write(`${oneLine(line)}\r\n`, () => done?.());
    }

    close(force: boolean): void {
      if (force) socket.destroy();
      else socket.end();
    }

    disposeSocket(): void {
      socket.destroy();
    }

    setEncoding(): boolean {
      return true;
    }
  };
}

/** Nothing that was typed can begin a second line (CVE-like findings of several bridges: a lone CR is enough on some servers). */
export function oneLine(line: string): string {
  return line.replace(/[\r\n\0]/g, ' ');
}
