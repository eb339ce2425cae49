import { refuse, type Verdict } from '../core/auth-verdict.ts';
import { type AuthRequest, createPacketSplitter, NO, parseAuthRequest, YES } from '../core/extauth.ts';

/** Packets that may wait; beyond that the stream is not read. ejabberd itself never sends a second one before the answer. */
const FULL = 256;
const HUNGRY = 32;
/** How often the deadline of the question in hand is looked at, milliseconds. */
const TICK = 20;
/** Ticks without a question after which the ticking stops. */
const IDLE_TICKS = 100;
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

  /** The question in hand; looked at by `tick`. */
  let current: { readonly deadline: number; readonly settle: (verdict: Verdict) => void } | undefined;
  const judge = (request: AuthRequest): Promise<Verdict> =>
    new Promise((resolve) => {
      // The time runs from here: ejabberd asks one thing at a time, only a test sends more at once.
      const within = timeoutMs();
      const mine = { deadline: monotonic() + within, settle: resolve };
      current = mine;
      decide(request, within).then(resolve, (error: unknown) => {
        failed(error);
        resolve(refuse('unavailable', { detail: 'internal error' }));
      });
    });
  let ticking: NodeJS.Timeout | undefined;
  let idle = 0;
  const tick = (): void => {
    if (current === undefined) {
      if (++idle >= IDLE_TICKS) {
        clearInterval(ticking);
        ticking = undefined;
      }
      return;
    }
    idle = 0;
    if (monotonic() >= current.deadline) current.settle(refuse('unavailable', { detail: 'no answer in time' }));
  };

  const question = async (packet: Uint8Array): Promise<void> => {
    const at = monotonic();
    const request = parseAuthRequest(packet);
    const verdict = await judge(request);
    current = undefined;
    answer(verdict.allowed ? YES : NO);
    answered++;
    report(request, verdict, monotonic() - at);
  };

  const work = async (): Promise<void> => {
    ticking ??= setInterval(tick, TICK).unref();
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
