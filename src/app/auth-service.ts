import { refuse, type Verdict } from '../core/auth-verdict.ts';
import { type AuthRequest, createPacketSplitter, NO, parseAuthRequest, YES } from '../core/extauth.ts';

/** Packets that may wait; beyond that the stream is not read. ejabberd itself never sends a second one before the answer. */
const FULL = 256;
const HUNGRY = 32;
/** After the end of the questions, answers that still come are given; when none came for so long, it is over. Milliseconds. */
const DRAIN = 1000;

export type AuthServiceOptions = {
  /** Never rejects, and answers within the time, milliseconds; if it does neither, no is said for it. */
  readonly decide: (request: AuthRequest, within: number) => Promise<Verdict>;
  readonly timeoutMs: () => number;
  readonly answer: (bytes: Uint8Array) => void;
  /** The queue has room again: read on. */
  readonly resume: () => void;
  readonly report: (request: AuthRequest, verdict: Verdict, ms: number) => void;
  readonly failed: (error: unknown) => void;
  /** Milliseconds that never jump. */
  readonly monotonic: () => number;
};

/**
 * Packets in, answers out: one answer for each packet, in order, within the time whatever happens.
 */
export type AuthService = {
  /** Takes bytes as they come; false: read no more until `resume`. */
  push(chunk: Uint8Array): boolean;
  /** The questions have ended: answers what is complete; resolves when that is done or nothing moves any more. */
  end(): Promise<void>;
  /** Finishes the question in hand and answers no more. */
  stop(): Promise<void>;
};

export function createAuthService(options: AuthServiceOptions): AuthService {
  const { decide, timeoutMs, answer, resume, report, failed, monotonic } = options;
  const splitter = createPacketSplitter();
  let queue: Uint8Array[] = [];
  let next = 0;
  let full = false;
  let stopped = false;
  let answered = 0;
  let working: Promise<void> | undefined;

  const question = async (packet: Uint8Array): Promise<void> => {
    // The time runs from here: ejabberd asks one thing at a time, only a test sends more at once.
    const at = monotonic();
    const request = parseAuthRequest(packet);
    const within = timeoutMs();
    const verdict = await inTime(decide(request, within), within).catch((error: unknown) => {
      failed(error);
      return refuse('unavailable', { detail: 'internal error' });
    });
    answer(verdict.allowed ? YES : NO);
    answered++;
    report(request, verdict, monotonic() - at);
  };

  const work = async (): Promise<void> => {
    while (!stopped) {
      const packet = queue[next];
      if (packet === undefined) break;
      next++;
      await question(packet);
      if (next >= FULL) {
        queue = queue.slice(next);
        next = 0;
      }
      if (full && queue.length - next <= HUNGRY) {
        full = false;
        resume();
      }
    }
    queue = stopped ? queue : [];
    next = 0;
    working = undefined;
  };

  return {
    push(chunk) {
      for (const packet of splitter.push(chunk)) queue.push(packet);
      if (queue.length > next) working ??= work();
      full = queue.length - next >= FULL;
      return !full;
    },
    async end() {
      while (working !== undefined) {
        const before = answered;
        const moved = await Promise.race([working.then(() => true), wait(DRAIN)]);
        if (!moved && answered === before) return;
      }
    },
    async stop() {
      stopped = true;
      await working;
    },
  };
}

function wait(ms: number): Promise<false> {
  return new Promise((resolve) => {
    setTimeout(() => resolve(false), ms).unref();
  });
}

function inTime(verdict: Promise<Verdict>, within: number): Promise<Verdict> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => resolve(refuse('unavailable', { detail: 'no answer in time' })),
      Math.max(0, within),
    );
    verdict.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
