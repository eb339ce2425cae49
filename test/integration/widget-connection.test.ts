/**
 * The widget through everything that breaks connections: each line is shown exactly once and in order, what was missed and
 * what is new, with one XMPP session. SAXCTL_LONG=1 repeats sleep, cut and restart twelve times.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type ChatPage, type Site, startSite } from '../helpers/chat-page.ts';
import { enterRoom, type Person } from '../helpers/person.ts';
import { until } from '../helpers/until.ts';

const ROUNDS = process.env['SAXCTL_LONG'] === '1' ? 12 : 1;
const TRANSPORTS = ['ws', 'bosh'] as const;

describe('widget’s connection', { timeout: 90_000 + ROUNDS * 100_000 }, () => {
  let site: Site;
  let alice: Person;
  let count = 0;

  beforeAll(async () => {
    site = await startSite();
    alice = await enterRoom(site.stack, 'alice');
  }, 120_000);
  afterAll(async () => {
    alice?.leave();
    await site?.close();
  }, 120_000);
  afterEach(async () => {
    site.proxy.refuse(false);
    for (const context of site.browser.contexts()) await context.close();
  });

  /** A text that no other test has, and the pattern of all texts of its series. */
  function series(): { next: () => string; all: string[]; match: RegExp } {
    const name = `s${count++}`;
    const all: string[] = [];
    return {
      all,
      match: new RegExp(`^${name} `),
      next() {
        all.push(`${name} line ${all.length}`);
        return all.at(-1) as string;
      },
    };
  }
  /** A session whose page vanished before it could hand over ends by itself after a minute (resume_timeout). */
  const oneSession = (local: string) =>
    until(async () => (await site.sessions(local)) === 1, 'there is not one session', 80_000);

  for (const transports of TRANSPORTS) {
    it(`sleeps and wakes over ${transports}`, async () => {
      const tari = await site.open(await site.context(), { user: `Sleeper ${transports}`, transports });
      const said = series();
      alice.say(said.next());
      await tari.shows(said.all, said.match);
      for (let round = 1; round <= ROUNDS; round++) {
        site.proxy.doze();
        alice.say(said.next());
        await alice.heard(({ body }) => body === said.all.at(-1));
        await tari.wake();
        await tari.live(round + 1, 90_000);
        alice.say(said.next());
        await tari.shows(said.all, said.match, 30_000);
      }
      if (transports === 'ws') await oneSession('sleeper\\20ws');
      expect(await tari.violations()).toEqual([]);
    });

    it(`loses its connection over ${transports}`, async () => {
      const tari = await site.open(await site.context(), { user: `Cut ${transports}`, transports });
      const said = series();
      for (let round = 1; round <= ROUNDS; round++) {
        site.proxy.cut();
        alice.say(said.next());
        await tari.say(said.next());
        // Cut after cut, the wait before the next attempt grows; a person who looks at the page ends it.
        await tari.wake();
        await alice.heard(({ body }) => body === said.all.at(-1), 60_000);
        alice.say(said.next());
        await tari.shows(said.all, said.match, 60_000);
      }
      expect(alice.lines.map(({ body }) => body).filter((body) => said.match.test(body))).toEqual(said.all);
      expect(await tari.violations()).toEqual([]);
    });
  }

  it('is thrown off by the server, twice', async () => {
    const tari = await site.open(await site.context(), { user: 'Kicked' });
    const said = series();
    for (const times of [2, 3]) {
      await site.stack.api('kick_user', { user: 'kicked', host: site.stack.domain });
      alice.say(said.next());
      await tari.live(times);
      alice.say(said.next());
      await tari.shows(said.all, said.match);
    }
    await oneSession('kicked');
  });

  it('outlives the death of ejabberd', async () => {
    const pages: ChatPage[] = [];
    for (const transports of TRANSPORTS)
      pages.push(await site.open(await site.context(), { user: 'Survivor', transports }));
    const said = series();
    let lives = 1;
    for (let round = 0; round < ROUNDS; round++) {
      alice.say(said.next());
      await alice.heard(({ body }) => body === said.all.at(-1));
      for (const page of pages) await page.shows(said.all, said.match, 40_000);
      if (round % 2 === 0) {
        await site.stack.ejabberd.kill();
        await site.stack.ejabberd.start();
      } else await site.stack.ejabberd.restart();
      alice = await enterRoom(site.stack, 'alice');
      // What is said before the widget is back must come from the archive.
      alice.say(said.next());
      lives++;
      for (const page of pages) await page.wake();
      for (const page of pages) await page.live(lives, 60_000);
    }
    alice.say(said.next());
    for (const page of pages) await page.shows(said.all, said.match, 40_000);
  });

  it('goes from page to page without leaving the room', async () => {
    const context = await site.context();
    const tari = await site.open(context, { user: 'Walker' });
    const said = series();
    alice.say(said.next());
    await tari.shows(said.all, said.match);
    const presences = () =>
      alice.received().split(`from='${site.stack.room}/Walker'`).length -
      alice.lines.filter(({ nick }) => nick === 'Walker').length;
    const before = presences();
    for (let visit = 0; visit < 3; visit++) {
      await tari.page.goto(visit % 2 ? tari.url : 'about:blank');
      alice.say(said.next());
      if (visit % 2 === 0) await tari.page.goto(tari.url);
      await tari.live();
      await tari.say(said.next());
      await tari.shows(said.all, said.match);
    }
    await alice.heard(({ body }) => body === said.all.at(-1));
    expect(presences()).toBe(before);
    await oneSession('walker');
  });

  it('leads one session for all tabs, and hands it over', async () => {
    const context = await site.context();
    const first = await site.open(context, { user: 'Tabs' });
    const second = await site.open(context, { user: 'Tabs' });
    const said = series();
    await oneSession('tabs');
    alice.say(said.next());
    for (const page of [first, second]) await page.shows(said.all, said.match);
    await second.say(said.next());
    for (const page of [first, second]) await page.shows(said.all, said.match);
    await first.page.close();
    alice.say(said.next());
    await second.say(said.next());
    await alice.heard(({ body }) => body === said.all.at(-1));
    alice.say(said.next());
    await second.shows(said.all, said.match);
    await oneSession('tabs');
    expect(alice.lines.map(({ body }) => body).filter((body) => said.match.test(body))).toEqual(said.all);
  });

  it('never speaks for another member who used this browser before', async () => {
    const context = await site.context();
    const before = await site.open(context, { user: 'Before' });
    const after = await site.open(context, { user: 'After' });
    const said = series();
    await until(() => before.status().then((status) => status === 'Not let in'));
    await after.say(said.next());
    expect((await alice.heard(({ body }) => body === said.all[0])).nick).toBe('After');
    await until(async () => (await site.sessions('before')) === 0);
    await oneSession('after');
  });

  it('deposes a leader that is blocked', async () => {
    const context = await site.context();
    const leader = await site.open(context, { user: 'Blocked' });
    const follower = await site.open(context, { user: 'Blocked' });
    const said = series();
    const blocked = leader.page.evaluate('{ const end = Date.now() + 8000; while (Date.now() < end); }');
    await follower.say(said.next());
    await alice.heard(({ body }) => body === said.all.at(-1), 7500);
    await blocked;
    alice.say(said.next());
    for (const page of [leader, follower]) await page.shows(said.all, said.match);
    await oneSession('blocked');
    expect(alice.lines.map(({ body }) => body).filter((body) => said.match.test(body))).toEqual(said.all);
  });

  it('keeps what is typed offline and says it once', async () => {
    const context = await site.context();
    const tari = await site.open(context, { user: 'Typist' });
    const said = series();
    alice.say(said.next());
    await tari.shows(said.all, said.match);
    await context.setOffline(true);
    site.proxy.refuse(true);
    site.proxy.cut();
    await until(async () => (await tari.status()) === 'Offline');
    await tari.say(said.next());
    await tari.shows(said.all, said.match);
    expect((await tari.lines()).at(-1)?.classes).toContain('wait');
    site.proxy.refuse(false);
    await context.setOffline(false);
    await alice.heard(({ body }) => body === said.all.at(-1));
    await until(async () => !(await tari.lines()).at(-1)?.classes.includes('wait'));
    expect(await tari.texts()).toEqual(expect.arrayContaining(said.all));
    expect(alice.lines.map(({ body }) => body).filter((body) => said.match.test(body))).toEqual(said.all);
  });

  it('keeps a typed line over a change of the page', async () => {
    const context = await site.context();
    const tari = await site.open(context, { user: 'Mover' });
    const said = series();
    site.proxy.doze();
    await tari.say(said.next());
    await tari.page.goto('about:blank');
    site.proxy.cut();
    await tari.page.goto(tari.url);
    await alice.heard(({ body }) => body === said.all.at(-1));
    await tari.shows(said.all, said.match);
  });

  it('uses BOSH where WebSocket does not open', async () => {
    const tari = await site.open(await site.context(), {
      user: 'Fallback',
      transports: 'both',
      attributes: { ws: '/none' },
    });
    const said = series();
    alice.say(said.next());
    await tari.shows(said.all, said.match);
  });
});
