import { refuse, type Verdict } from '../core/auth-verdict.ts';
import { type AuthRequest, createPacketSplitter, NO, parseAuthRequest, YES } from '../core/extauth.ts';

/** Packets that may wait; beyond that the stream is not read. ejabberd itself never sends a second one before the answer. */
const FULL = 256;
const HUNGRY = 32;
/** How often the deadline of the question in hand is looked at, milliseconds. */
const TICK = 20;
/** No is said so much before the time is up, milliseconds: looking now and then must not make it late. */
const EARLY = 2 * TICK;
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
  let whenDone: (() => void)[] = [];

  /** The question in hand. */
  type Question = { readonly request: AuthRequest; readonly at: number; readonly deadline: number };
  let current: Question | undefined;
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
    if (monotonic() >= current.deadline) settle(current, refuse('unavailable', { detail: 'no answer in time' }));
  };

  const ask = (packet: Uint8Array): void => {
    ticking ??= setInterval(tick, TICK).unref();
    const at = monotonic();
    // The time runs from here: ejabberd asks one thing at a time, only a test sends more at once.
    const within = timeoutMs() - EARLY;
    const question = { request: parseAuthRequest(packet), at, deadline: at + within };
    current = question;
    const defect = (error: unknown): void => {
      failed(error);
      settle(question, refuse('unavailable', { detail: 'internal error' }));
    };
    try {
      decide(question.request, within).then((verdict) => settle(question, verdict), defect);
    } catch (error) {
      defect(error);
    }
  };

  const settle = (question: Question, verdict: Verdict): void => {
    // Late: no was said already.
    if (current !== question) return;
    current = undefined;
    answer(verdict.allowed ? YES : NO);
    answered++;
    try {
      report(question.request, verdict, monotonic() - question.at);
    } catch (error) {
      failed(error);
    }
    proceed();
  };

  /** On to the next packet, if nothing is in hand. */
  const proceed = (): void => {
    if (current !== undefined) return;
    if (stopped || next === queue.length) {
      queue.length = 0;
      next = 0;
      const done = whenDone;
      if (done.length > 0) whenDone = [];
      for (const tell of done) tell();
    } else {
      const packet = queue[next++];
      if (next >= FULL) {
        queue = queue.slice(next);
        next = 0;
      }
      if (packet !== undefined) ask(packet);
    }
    if (full && queue.length - next <= HUNGRY) {
      full = false;
      resume();
    }
  };
  const isBusy = (): boolean => current !== undefined || next < queue.length;
  const done = (): Promise<true> => new Promise((resolve) => whenDone.push(() => resolve(true)));

  return {
    push(chunk) {
      for (const packet of splitter.push(chunk)) queue.push(packet);
      proceed();
      full = queue.length - next >= FULL;
      return !full;
    },
    async end() {
      while (isBusy() && !stopped) {
        const before = answered;
        const moved = await Promise.race([done(), wait(DRAIN)]);
        if (!moved && answered === before) return;
      }
    },
    async stop() {
      stopped = true;
      if (current !== undefined) await done();
    },
  };
}

function wait(ms: number): Promise<false> {
  return new Promise((resolve) => {
    setTimeout(() => resolve(false), ms).unref();
  });
}
