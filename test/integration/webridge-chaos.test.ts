import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Stack } from '../../src/edges/stack/types.ts';
import { type Observer, observe } from '../helpers/observer.ts';
import { type Bridge, keptSocket, spoolOf, startBridge, startSite } from '../helpers/site.ts';
import { startTestStack } from '../helpers/stack.ts';
import { until } from '../helpers/until.ts';

const LONG = process.env['SAXCTL_LONG'] === '1';
const ROUNDS = LONG ? 10 : 1;

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

test.each(Object.entries(faults))(
  '%s under load: everything accepted is said once, in order',
  async (name, fault) => {
    for (let round = 1; round <= ROUNDS; round += 1) {
      const prefix = `${name} ${round}: `;
      const site = startSite({
        socket: stack.saySocket,
        spool: spoolOf(stack),
        prefix,
        burst: 1,
        everyUs: 15_000,
      });
      await moment(300, 1200);
      await fault();
      await moment(200, 800);
      const { accepted, refused, max } = await site.stop();
      const seen = (): string[] =>
        observer
          .lines()
          .map(({ body }) => body)
          .filter((body) => body.startsWith(prefix));
      const last = accepted.at(-1) ?? '';
      await until(
        () => seen().includes(last),
        () => `${last} was not said; ${seen().length} of ${accepted.length}: ${bridge.log().slice(-2000)}`,
        LONG ? 600_000 : 90_000,
      );
      // One by one: what is missing or double is told with the last words of the bridge.
      expect(seen(), bridge.log().slice(-1500)).toEqual(accepted);
      expect(refused).toBe(0);
      if (LONG) process.stderr.write(`${prefix}${accepted.length} accepted, slowest call ${max} ms\n`);
    }
  },
  LONG ? 3_000_000 : 180_000,
);
