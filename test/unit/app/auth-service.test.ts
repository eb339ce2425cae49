import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createAuthReport, shortHash } from '../../../src/app/auth-report.ts';
import { type AuthServiceOptions, createAuthService } from '../../../src/app/auth-service.ts';
import { refuse, type Verdict } from '../../../src/core/auth-verdict.ts';
import { createMetrics } from '../../../src/core/metrics.ts';
import { fakeClock } from '../../helpers/fake-clock.ts';
import { fakeLog } from '../../helpers/fake-log.ts';

const packet = (text: string | Uint8Array): Uint8Array => {
  const body = typeof text === 'string' ? new TextEncoder().encode(text) : text;
  return Uint8Array.of(body.length >> 8, body.length & 255, ...body);
};
const YES: Verdict = { allowed: true, by: 'session' };

function service(options: Partial<AuthServiceOptions> = {}) {
  const answers: number[] = [];
  const failures: unknown[] = [];
  let resumed = 0;
  const made = createAuthService({
    decide: async () => YES,
    timeoutMs: () => 5000,
    answer: (bytes) => {
      expect([...bytes.subarray(0, 3)]).toEqual([0, 2, 0]);
      answers.push(bytes[3] ?? -1);
    },
    resume: () => void resumed++,
    report: () => {},
    failed: (error) => void failures.push(error),
    monotonic: () => performance.now(),
    ...options,
  });
  return { ...made, answers, failures, resumed: () => resumed };
}

describe('the service', () => {
  it('gives one answer for each packet, in order, whatever the packets and their borders', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(fc.uint8Array({ maxLength: 60 }), fc.constant(packet('x').subarray(0, 0))), {
          maxLength: 30,
        }),
        fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 10 }),
        async (bodies, steps) => {
          const { push, end, answers } = service({
            decide: async (request) => (request.op === 'auth' ? YES : refuse('malformed')),
          });
          const packets = bodies.flatMap((body) => [packet(body), packet('auth:a:b:c')]);
          const stream = Uint8Array.from(packets.flatMap((each) => [...each]));
          for (let at = 0, step = 0; at < stream.length; step++) {
            const size = steps[step % steps.length] ?? 1;
            push(stream.subarray(at, at + size));
            at += size;
          }
          await end();
          expect(answers).toHaveLength(packets.length);
          expect(answers.filter((_, index) => index % 2 === 1).every((answer) => answer === 1)).toBe(true);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('says no for a question that takes too long, and its late answer reaches nobody', async () => {
    let late: (verdict: Verdict) => void = () => {};
    const { push, end, answers } = service({
      timeoutMs: () => 60,
      decide: (request) =>
        request.op === 'isuser' ? Promise.resolve(refuse('no-member')) : new Promise((resolve) => (late = resolve)),
    });
    push(packet('auth:a:b:c'));
    await end();
    expect(answers).toEqual([0]);
    push(packet('isuser:a:b'));
    late(YES);
    await end();
    expect(answers).toEqual([0, 0]);
  });

  it('says no before the time is up, not after it', async () => {
    let now = 0;
    const { push, end, answers } = service({
      timeoutMs: () => 5000,
      decide: () => new Promise(() => {}),
      monotonic: () => now,
    });
    push(packet('auth:a:b:c'));
    now = 4970;
    await end();
    expect(answers).toEqual([0]);
  });

  it('says no for a defect of ours', async () => {
    const { push, end, answers, failures } = service({ decide: () => Promise.reject(new Error('defect')) });
    push(packet('auth:a:b:c'));
    await end();
    expect(answers).toEqual([0]);
    expect(failures).toHaveLength(1);
  });

  it('asks for a pause when too much waits, and for more when there is room', async () => {
    const { push, end, answers, resumed } = service();
    const many = Uint8Array.from(Array.from({ length: 600 }, () => [...packet('auth:a:b:c')]).flat());
    expect(push(many)).toBe(false);
    await end();
    expect(answers).toHaveLength(600);
    expect(resumed()).toBe(1);
  });

  it('finishes what is in hand when it is stopped, and answers no more', async () => {
    let go: (verdict: Verdict) => void = () => {};
    const { push, stop, answers } = service({ decide: () => new Promise((resolve) => (go = resolve)) });
    push(Uint8Array.of(...packet('auth:a:b:c'), ...packet('auth:a:b:c')));
    const stopped = stop();
    go(YES);
    await stopped;
    expect(answers).toEqual([1]);
  });
});

describe('the report', () => {
  it('tells refusals without their secret, a few of a flood, and the rest as numbers', async () => {
    const log = fakeLog();
    const clock = fakeClock();
    const metrics = createMetrics();
    const report = createAuthReport({ log, metrics, clock, verbose: false });
    const secret = new TextEncoder().encode('0123456789abcdef0123456789abcdef');
    const request = { op: 'auth', user: 'tari', server: 'chat.test', secret } as const;
    for (let n = 0; n < 1000; n++) report(request, refuse('no-session'), 1);
    expect(log.entries.filter(({ event }) => event === 'refused')).toHaveLength(20);
    expect(log.entries[0]?.fields).toMatchObject({ reason: 'no-session', user: 'tari', session: shortHash(secret) });
    report.flush();
    expect(log.entries.at(-1)).toMatchObject({ event: 'refused-more', fields: { count: 980 } });
    expect(JSON.stringify(log.entries)).not.toContain('0123456789abcdef');
    expect(metrics.render()).toContain('saxctl_auth_answers_total{op="auth",result="no",reason="no-session"} 1000');
  });

  it('tells nothing of a secret that may be a password, not even a piece of its hash', () => {
    const log = fakeLog();
    const report = createAuthReport({ log, metrics: createMetrics(), clock: fakeClock(), verbose: true });
    const secret = new TextEncoder().encode('correct horse');
    const request = { op: 'auth', user: 'tari', server: 'chat.test', secret } as const;
    for (const reason of ['bad-sid', 'bad-password', 'unknown-server', 'not-configured', 'unavailable'] as const)
      report(request, refuse(reason), 1);
    report(request, { allowed: true, by: 'bot' }, 1);
    expect(log.entries).toHaveLength(6);
    expect(JSON.stringify(log.entries)).not.toContain(shortHash(secret));
  });

  it('tells who was let in only when asked to', () => {
    const log = fakeLog();
    const request = { op: 'isuser', user: 'tari', server: 'chat.test' } as const;
    createAuthReport({ log, metrics: createMetrics(), clock: fakeClock(), verbose: false })(request, YES, 1);
    expect(log.entries).toEqual([]);
    createAuthReport({ log, metrics: createMetrics(), clock: fakeClock(), verbose: true })(request, YES, 1);
    expect(log.entries).toMatchObject([{ level: 'debug', event: 'accepted' }]);
  });
});
