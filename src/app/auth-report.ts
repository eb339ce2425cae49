import { createHash } from 'node:crypto';
import { describeVerdict, type RefusalReason, type Verdict } from '../core/auth-verdict.ts';
import type { AuthRequest } from '../core/extauth.ts';
import { LATENCY_BUCKETS, type Labels, type Metrics } from '../core/metrics.ts';
import type { Clock } from './ports/clock.ts';
import type { Log } from './ports/log.ts';
import { createBucket } from './token-bucket.ts';

/** Refusals that get a line of their own: so many at once, so many a second; the rest is counted and told each ten seconds. */
const LINES = { burst: 20, perSecond: 2 };
const SUMMARY_EVERY = 10_000;

export type AuthReport = {
  (request: AuthRequest, verdict: Verdict, ms: number): void;
  /** Tells what was only counted so far. */
  flush(): void;
};

/** Metrics and log of the answers. Refusals are told at info, without the secret: a session id as 8 hex of its SHA-256. */
export function createAuthReport({
  log,
  metrics,
  clock,
  verbose,
}: {
  log: Log;
  metrics: Metrics;
  clock: Clock;
  /** Tells also who was let in (debug). */
  verbose: boolean;
}): AuthReport {
  const answers = metrics.counter('saxctl_auth_answers_total', 'Answers by question (op), result and reason.', [
    { op: 'auth', result: 'yes', reason: 'session' },
    { op: 'auth', result: 'yes', reason: 'token' },
    { op: 'auth', result: 'yes', reason: 'bot' },
  ]);
  const seconds = metrics.histogram('saxctl_auth_answer_seconds', 'From the question to the answer.', LATENCY_BUCKETS);
  const bucket = createBucket(LINES);
  let hidden = new Map<string, number>();
  let since = 0;

  const flush = (): void => {
    if (hidden.size === 0) return;
    const total = [...hidden.values()].reduce((sum, count) => sum + count, 0);
    const reasons = [...hidden].sort((a, b) => b[1] - a[1]).map(([reason, count]) => `${reason} ${count}`);
    log.info('refused-more', `refused ${total} more: ${reasons.join(', ')}`, { count: total });
    hidden = new Map();
  };

  // The same objects each time: a label set is written out once.
  const labels = new Map<string, Labels>();
  const labelsOf = (op: string, result: 'yes' | 'no', reason: string): Labels => {
    const key = `${op} ${reason}`;
    let known = labels.get(key);
    if (known === undefined) {
      known = { op, result, reason };
      labels.set(key, known);
    }
    return known;
  };
  const ops: Readonly<Record<AuthRequest['op'], Labels>> = {
    auth: { op: 'auth' },
    isuser: { op: 'isuser' },
    other: { op: 'other' },
    malformed: { op: 'malformed' },
  };

  const report = (request: AuthRequest, verdict: Verdict, ms: number): void => {
    const { op } = request;
    answers.inc(verdict.allowed ? labelsOf(op, 'yes', verdict.by) : labelsOf(op, 'no', verdict.reason));
    seconds.observe(ms / 1000, ops[op]);
    // isuser is asked about anybody whom somebody writes to: not worth a line.
    if (verdict.allowed || op === 'isuser') {
      if (verbose) log.debug(verdict.allowed ? 'accepted' : 'refused', sentence(verdict), fields(request, verdict));
      return;
    }
    const now = clock.monotonic();
    if (hidden.size > 0 && now - since >= SUMMARY_EVERY) flush();
    if (bucket.take(now)) {
      log.info('refused', sentence(verdict), fields(request, verdict));
      return;
    }
    if (hidden.size === 0) since = now;
    hidden.set(verdict.reason, (hidden.get(verdict.reason) ?? 0) + 1);
  };
  const sentence = (verdict: Verdict): string => describeVerdict(verdict, clock.now() / 1000);
  return Object.assign(report, { flush });
}

function fields(request: AuthRequest, verdict: Verdict): Record<string, string | number | undefined> {
  return {
    op: request.op,
    ...(request.op === 'auth' || request.op === 'isuser' ? { user: request.user, server: request.server } : {}),
    reason: verdict.allowed ? verdict.by : verdict.reason,
    member: verdict.memberId,
    ...(request.op === 'auth' && isSessionOrToken(verdict) ? { session: shortHash(request.secret) } : {}),
  };
}

/** Refusals of secrets that may be anything: people type the forum's password, and a piece of its hash is enough to guess it. */
const MAY_BE_PASSWORDS: ReadonlySet<string> = new Set<RefusalReason>([
  'bad-sid',
  'bad-password',
  'unknown-server',
  'not-configured',
  'unavailable',
]);

const isSessionOrToken = (verdict: Verdict): boolean =>
  verdict.allowed ? verdict.by !== 'bot' : !MAY_BE_PASSWORDS.has(verdict.reason);

/** The first 8 hex digits of the SHA-256: enough to find a session again in two logs, useless to log in. */
export const shortHash = (secret: Uint8Array): string => createHash('sha256').update(secret).digest('hex').slice(0, 8);
