import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Stack } from '../../src/edges/stack/types.ts';
import { type Observer, observe } from '../helpers/observer.ts';
import { archived } from '../helpers/relay-watch.ts';
import { type Bridge, keptSocket, spoolOf, startBridge, startSite } from '../helpers/site.ts';
import { startTestStack } from '../helpers/stack.ts';
import { until } from '../helpers/until.ts';

const LONG = process.env['SAXCTL_LONG'] === '1';
const ROUNDS = LONG ? Number(process.env['CHAOS_ROUNDS'] ?? 10) : 1;

let stack: Stack;
let observer: Observer;
let bridge: Bridge;
let kept: { fd: number; close(): void };
beforeAll(async () => {
  stack = await startTestStack({ parts: ['mariadb', 'ejabberd'] });
  kept = keptSocket(stack.saySocket);
  observer = observe(stack);
  await until(() => observer.inside());
  bridge = startBridge(stack, { fd: kept.fd, env: { SAXCTL_WEBRIDGE_SPOOL: spoolOf(stack) } });
  await bridge.ready();
});
afterAll(async () => {
  await bridge?.end('SIGTERM');
  await observer?.stop();
  kept?.close();
  await stack?.stop();
});

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
/** Some time that is never the same: the fault must not hit the same moment each time. */
const moment = (from: number, to: number): Promise<void> => pause(from + Math.random() * (to - from));

const faults: Record<string, () => Promise<void>> = {
  async 'kill -9 of the webridge'() {
    await bridge.end('SIGKILL');
    await moment(0, 400);
    bridge = startBridge(stack, { fd: kept.fd, env: { SAXCTL_WEBRIDGE_SPOOL: spoolOf(stack) } });
    await bridge.ready();
  },
  async 'kill -9 of ejabberd'() {
    await stack.ejabberd.kill();
    await stack.ejabberd.start();
  },
  async 'restart of ejabberd'() {
    await stack.ejabberd.restart();
  },
  async 'a cut network'() {
    await stack.ejabberd.cut();
    await moment(...((LONG ? [5000, 30_000] : [300, 1500]) as [number, number]));
    await stack.ejabberd.mend();
  },
  async 'a silent network'() {
    stack.ejabberd.stall();
    await moment(...((LONG ? [5000, 30_000] : [300, 3000]) as [number, number]));
    await stack.ejabberd.mend();
  },
  async 'the room destroyed and made again'() {
    await stack.api('destroy_room', { name: 'sax', service: stack.mucService });
    await moment(0, 300);
    await stack
      .api('create_room_with_opts', {
        name: 'sax',
        service: stack.mucService,
        host: stack.domain,
        options: [
          { name: 'mam', value: 'true' },
          { name: 'persistent', value: 'true' },
        ],
      })
      .catch(() => undefined);
  },
};

/** What an ear or the archive holds of the lines of one site, against what saxSay returned true for. */
function compare(
  accepted: readonly string[],
  got: readonly string[],
): { lost: number; doubled: number; ordered: boolean } {
  const there = new Set(got);
  const [first, ...rest] = got.map((text) => Number(text.slice(text.lastIndexOf(' ') + 1)));
  let before = first ?? 0;
  const ordered = rest.every((number) => {
    const follows = number >= before;
    before = number;
    return follows;
  });
  return { lost: accepted.filter((text) => !there.has(text)).length, doubled: got.length - there.size, ordered };
}

// The long form plays every fault CHAOS_ROUNDS times (10) under one load, at least a minute of it.
test.each(Object.entries(faults))(
  '%s under load: everything accepted is said once, in order',
  { timeout: LONG ? 1_500_000 : 240_000 },
  async (name, fault) => {
    const prefix = `${name}: `;
    const began = performance.now();
    const site = startSite({ socket: stack.saySocket, spool: spoolOf(stack), prefix, burst: 1, everyUs: 15_000 });
    for (let round = 1; round <= ROUNDS; round += 1) {
      await moment(300, LONG ? 3000 : 1200);
      await fault();
    }
    await moment(200, 800);
    if (LONG) await pause(Math.max(0, began + 60_000 - performance.now()));
    const { accepted, refused, sent, seconds, max, maxWaited } = await site.stop();
    const ours = (bodies: readonly string[]): string[] => bodies.filter((body) => body.startsWith(prefix));
    const seen = (): string[] => ours(observer.lines().map(({ body }) => body));
    const last = accepted.at(-1) ?? '';
    await until(
      () => observer.heard(last),
      () => `${last} was not said; ${seen().length} of ${accepted.length}: ${bridge.log().slice(-2000)}`,
      LONG ? 600_000 : 150_000,
    );
    const kept = ours((await archived(stack)).map(({ text }) => text));
    const occupant = compare(accepted, seen());
    const archive = compare(accepted, kept);
    if (LONG)
      process.stderr.write(
        `${JSON.stringify({ fault: name, rounds: ROUNDS, perSecond: Math.round(sent / seconds), sent, refused, accepted: accepted.length, slowestCallMs: max, slowestThatWaitedMs: maxWaited, occupant, archive })}\n`,
      );
    const whole = { lost: 0, doubled: 0, ordered: true };
    expect({ refused, occupant, archive }, bridge.log().slice(-1500)).toEqual({
      refused: 0,
      occupant: whole,
      archive: whole,
    });
    // One by one: what is missing or double is told with the last words of the bridge.
    expect(seen(), bridge.log().slice(-1500)).toEqual(accepted);
    expect(kept).toEqual(accepted);
  },
);

// With the socket that outlives it, also a kill takes nothing: what the kernel or the spool took is said.
test('a hurried site, ten back to back every 300 µs, while the webridge is killed and away: every one is said', {
  timeout: LONG ? 850_000 : 150_000,
}, async () => {
  const prefix = 'killed hurry ';
  const site = startSite({
    socket: stack.saySocket,
    spool: spoolOf(stack),
    prefix,
    burst: 10,
    everyUs: 300,
    count: LONG ? 100_000 : 1500,
  });
  await moment(20, LONG ? 3000 : 100);
  await bridge.end('SIGKILL');
  await pause(LONG ? 10_000 : 300);
  bridge = startBridge(stack, { fd: kept.fd, env: { SAXCTL_WEBRIDGE_SPOOL: spoolOf(stack) } });
  await bridge.ready();
  const { accepted, refused, sent, seconds, p50, p99, max, maxWaited } = await site.finished;
  const last = accepted.at(-1) ?? '';
  const seen = (): string[] =>
    observer
      .lines()
      .map(({ body }) => body)
      .filter((body) => body.startsWith(prefix));
  await until(
    () => observer.heard(last),
    () => `${last} was not said; ${seen().length} of ${accepted.length}: ${bridge.log().slice(-2000)}`,
    LONG ? 800_000 : 120_000,
  );
  if (LONG)
    process.stderr.write(
      `${prefix}${JSON.stringify({ sent, seconds, accepted: accepted.length, p50, p99, max, maxWaited, occupant: compare(accepted, seen()) })}\n`,
    );
  expect([refused, sent]).toEqual([0, accepted.length]);
  expect(seen()).toEqual(accepted);
});
