import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { encodeAddress } from '../../src/edges/dgram/address.ts';
import { openSocket } from '../../src/edges/dgram/send.ts';
import type { Stack } from '../../src/edges/stack/types.ts';
import { bind, check, closeDescriptor } from '../../src/edges/state/libc.ts';
import { PROGRAM } from './stack.ts';

const LOAD = fileURLToPath(new URL('../fixtures/saxsay-load.php', import.meta.url));

export type SiteResult = {
  /** The numbers that saxSay returned true for, as the lines that they are. */
  readonly accepted: string[];
  readonly refused: number;
  readonly sent: number;
  readonly seconds: number;
  /** Milliseconds of one call. */
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  /** The same of those calls in which PHP waited for something, rather than being interrupted by other programs. */
  readonly maxWaited: number;
};

/** The real PHP with the real saxSay: announces `${prefix}1`, `${prefix}2`, … until stopped or `count`. */
export function startSite(how: {
  readonly socket: string;
  readonly spool?: string;
  readonly prefix: string;
  readonly burst: number;
  readonly everyUs: number;
  readonly count?: number;
}): { stop(): Promise<SiteResult>; readonly finished: Promise<SiteResult> } {
  const child = spawn('php', [LOAD, JSON.stringify(how)], { stdio: ['pipe', 'pipe', 'pipe'] });
  let out = '';
  let complaints = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints += text;
  });
  const finished = new Promise<SiteResult>((resolve, reject) => {
    child.once('close', (code) => {
      if (code !== 0 || complaints !== '') return reject(new Error(`php ended with ${code}: ${complaints}${out}`));
      const { refused, ...result } = JSON.parse(out) as SiteResult & { refused: number[] };
      const gone = new Set(refused as unknown as number[]);
      const all = Array.from({ length: result.sent }, (_, index) => index + 1);
      const accepted = all.filter((n) => !gone.has(n)).map((n) => `${how.prefix}${n}`);
      resolve({ ...result, refused: gone.size, accepted });
    });
  });
  return {
    finished,
    stop() {
      child.stdin.end();
      return finished;
    },
  };
}

/** A socket as systemd keeps one: bound here, outliving every webridge that it is handed to. */
export function keptSocket(path: string): { readonly fd: number; close(): void } {
  const fd = openSocket();
  const address = encodeAddress(path);
  check(bind(fd, address.bytes, address.length), 'bind', path);
  return { fd, close: () => void closeDescriptor(fd) };
}

export type Bridge = {
  readonly log: () => string;
  readonly pid: number;
  ready(withinMs?: number): Promise<void>;
  /** Resolves with the exit code, or the signal's name. */
  end(signal: NodeJS.Signals): Promise<number | string | null>;
  readonly ended: Promise<number | string | null>;
};

/** The real webridge as a process of its own, with a kept socket handed over where one is given. */
export function startBridge(
  stack: Stack,
  options: { fd?: number; env?: Record<string, string>; argv?: string[] } = {},
): Bridge {
  const child = spawn(process.execPath, [PROGRAM, '--config', stack.config, ...(options.argv ?? ['webridge'])], {
    env: {
      PATH: process.env['PATH'] ?? '',
      ...stack.env,
      ...(options.fd === undefined ? {} : { LISTEN_FDS: '1' }),
      ...options.env,
    },
    stdio: ['ignore', 'ignore', 'pipe', ...(options.fd === undefined ? [] : [options.fd])],
  });
  let log = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    log += text;
  });
  const ended = new Promise<number | string | null>((resolve) => {
    child.once('close', (code, signal) => resolve(code ?? signal));
  });
  return {
    log: () => log,
    pid: child.pid ?? 0,
    ended,
    async ready(withinMs = 30_000) {
      const end = performance.now() + withinMs;
      while (!log.includes('"event":"ready"')) {
        if (performance.now() > end || child.exitCode !== null)
          throw new Error(`the webridge is not ready: ${log.slice(-3000)}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    end(signal) {
      child.kill(signal);
      return ended;
    },
  };
}

/** A spool directory of the stack. */
export function spoolOf(stack: Stack): string {
  const path = join(stack.directory, 'spool');
  mkdirSync(path, { recursive: true });
  return path;
}
