import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Stack } from '../../src/edges/stack/types.ts';
import { type Observer, observe } from '../helpers/observer.ts';
import { type RunningSaxctl, runSaxctl, startSaxctl, startTestStack } from '../helpers/stack.ts';
import { until } from '../helpers/until.ts';

let stack: Stack;
let observer: Observer;
let bridge: RunningSaxctl;
beforeAll(async () => {
  stack = await startTestStack({ parts: ['mariadb', 'ejabberd'] });
  observer = observe(stack);
  await until(() => observer.inside());
  bridge = startSaxctl(stack, ['webridge']);
  await bridge.logged(/"event":"ready"/);
});
afterAll(async () => {
  console.log(bridge?.stderr());
  await bridge?.stop();
  await observer?.stop();
  await stack?.stop();
});

test('say', async () => {
  const said = await runSaxctl(stack, ['say', '--wait', '5000', 'hello world']);
  console.log(said);
  const line = await until(() => observer.lines().find(({ body }) => body === 'hello world'));
  console.log(line);
  expect(said.code).toBe(0);
});
