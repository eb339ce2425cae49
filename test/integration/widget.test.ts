import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Site, startSite } from '../helpers/chat-page.ts';
import { enterRoom, type Person } from '../helpers/person.ts';

describe('widget in Chromium', () => {
  let site: Site;
  let alice: Person;

  beforeAll(async () => {
    site = await startSite();
    alice = await enterRoom(site.stack, 'alice');
  });
  afterAll(async () => {
    alice?.leave();
    await site?.close();
  });

  for (const transports of ['ws', 'bosh'] as const) {
    it(`talks over ${transports}`, async () => {
      const context = await site.context();
      const tari = await site.open(context, { user: 'Tari', transports });
      alice.say(`hello over ${transports}`);
      await tari.shows([`hello over ${transports}`], new RegExp(`over ${transports}`));
      await tari.say(`hi alice ${transports}`);
      await alice.heard(({ body }) => body === `hi alice ${transports}`);
      console.log(await tari.lines(), await tari.violations(), await tari.status());
      await tari.page.screenshot({ path: `/tmp/shot-${transports}.png` });
      expect(await tari.violations()).toEqual([]);
      await context.close();
    });
  }
});
