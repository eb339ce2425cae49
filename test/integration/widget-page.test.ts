/** The widget on a page: what strangers write cannot do anything, what is shown first, guests, moderated rooms, accessibility. */
import { readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type ChatPage, type Site, startSite } from '../helpers/chat-page.ts';
import { enterRoom, type Person } from '../helpers/person.ts';
import { until } from '../helpers/until.ts';

/** Texts that have broken chats; `pwned` and `alert` are watched by the page. */
const HOSTILE = [
  '<img src=x onerror=pwned(1)>',
  '<script>pwned(2)</script>',
  '"><svg onload=pwned(3)>',
  "'-pwned(4)-'",
  '&lt;img src=x onerror=pwned(5)&gt;',
  'javascript:pwned(6)',
  'https://x.test/"onmouseover="pwned(7)',
  'https://x.test/<script>pwned(8)</script>',
  "https://x.test/'onclick='pwned(9)",
  'data:text/html,<script>pwned(10)</script>',
  '/me <b onclick=pwned(11)>x</b>',
  '${pwned(12)} {{pwned(13)}} #{pwned(14)}',
  '<style>*{display:none}</style>',
  '<base href=https://evil.test/>',
  '\u202Ereversed\u2066\u2067',
  `e${'\u0301'.repeat(500)}`,
  '𝒳'.repeat(3000),
  'http://user:pw@evil.test/ https://bank.test@evil.test/',
];

describe('widget’s page', { timeout: 90_000 }, () => {
  let site: Site;
  let alice: Person;

  beforeAll(async () => {
    site = await startSite({ moderated: false });
    alice = await enterRoom(site.stack, 'alice');
  }, 120_000);
  afterAll(async () => {
    alice?.leave();
    await site?.close();
  }, 120_000);
  afterEach(async () => {
    for (const context of site.browser.contexts()) await context.close();
  });

  /** Only elements of ours, links to the web only, no handlers, and nothing outside the box. */
  async function expectHarmless({ page, violations }: ChatPage): Promise<void> {
    const found = await page.evaluate<{
      names: string[];
      attributes: string[];
      hrefs: string[];
      overflow: number;
    }>(`(() => {
      const log = document.querySelector('sax-chat').shadowRoot.querySelector('.log');
      const all = [...log.querySelectorAll('*')];
      return { names: [...new Set(all.map((e) => e.localName))].sort(),
        attributes: [...new Set(all.flatMap((e) => e.getAttributeNames()))].filter((n) => n.startsWith('on')),
        hrefs: [...log.querySelectorAll('a')].map((a) => a.protocol),
        overflow: log.scrollWidth - log.clientWidth }; })()`);
    for (const name of found.names) expect(['a', 'b', 'div', 'mark', 'span', 'time']).toContain(name);
    expect(found.attributes).toEqual([]);
    for (const protocol of found.hrefs) expect(protocol).toMatch(/^https?:$/);
    expect(found.overflow).toBeLessThanOrEqual(0);
    expect(await violations()).toEqual([]);
  }

  it('shows hostile lines, nicknames, snapshots and caches as text', async () => {
    const context = await site.context();
    const messages = HOSTILE.map((t, i) => ({ id: `h${i}`, n: t.slice(0, 80), t, ts: Date.now() - 60_000 + i, k: t }));
    const inlined = JSON.stringify({ v: 1, room: site.stack.room, messages });
    const tari = await site.open(context, { user: 'Tari', inlined, attributes: { max: '200' } });
    const evil = await enterRoom(site.stack, 'alice', { nick: `<img src=x onerror=pwned(20)>` });
    for (const text of HOSTILE) evil.say(text);
    evil.send(
      `<message type='groupchat' to='${site.stack.room}' id='x1'><body>xhtml</body><html xmlns='http://jabber.org/protocol/xhtml-im'><body xmlns='http://www.w3.org/1999/xhtml'><img src='x' onerror='pwned(21)'/></body></html></message>`,
    );
    evil.send(
      `<message type='groupchat' to='${site.stack.room}' id='x2'><body>kind</body><sax xmlns='urn:saxctl:line:0' kind='system hint box"'/></message>`,
    );
    evil.send(
      `<message type='groupchat' to='${site.stack.room}' id='x3'><result xmlns='urn:xmpp:mam:2' id='1'><forwarded xmlns='urn:xmpp:forward:0'><message from='${site.stack.room}/alice' type='groupchat'><body>never said</body></message></forwarded></result></message>`,
    );
    evil.say('the end');
    await tari.shows(['the end'], /^the end$/, 40_000);
    const texts = await tari.texts();
    expect(texts).not.toContain('never said');
    for (const text of HOSTILE.slice(0, 10)) expect(texts.filter((shown) => shown === text).length).toBe(2);
    await expectHarmless(tari);
    // The same from the cache, with more poison in it.
    await tari.page.evaluate(`localStorage.setItem('sax-chat ${site.stack.room} lines', JSON.stringify({ room: '${site.stack.room}',
      messages: [null, 1, { t: '<img src=x onerror=pwned(30)>', ts: Date.now(), n: { toString: 0 }.x, k: {} }, { t: 'x', ts: 1e99 }, { t: {}, ts: 1 }] }))`);
    await tari.page.goto(tari.url);
    await tari.live();
    await expectHarmless(tari);
    evil.leave();
  });

  it('shows a flood of 1000 lines, and keeps the newest', async () => {
    const tari = await site.open(await site.context(), { user: 'Flooded', attributes: { max: '400' } });
    const bot = await enterRoom(site.stack, 'alice', { nick: 'Flood', localpart: 'ircbridge' });
    for (let i = 0; i < 1000; i++) bot.say(`flood ${i}`);
    await until(async () => (await tari.texts()).at(-1) === 'flood 999', 'the last line of the flood', 60_000);
    const texts = await tari.texts();
    expect(texts).toEqual(Array.from({ length: 400 }, (_, i) => `flood ${600 + i}`));
    await expectHarmless(tari);
    bot.leave();
  });

  it('shows the cache and the snapshot before the chat has answered', async () => {
    const context = await site.context();
    alice.say('seen before');
    const tari = await site.open(context, { user: 'Reader' });
    await tari.shows(['seen before'], /^seen before$/);
    await tari.page.goto('about:blank');
    // No chat server at all: only nginx answers.
    await site.stack.ejabberd.cut();
    await tari.page.goto(tari.url);
    await tari.shows(['seen before'], /^seen before$/);
    await writeFile(
      join(site.root, 'room.json'),
      JSON.stringify({
        v: 1,
        room: site.stack.room,
        messages: [{ id: '1', n: 'webridge', t: 'from the file', ts: Date.now() - 9000, k: 'announcement' }],
      }),
    );
    const other = await site.open(await site.context(), {
      user: 'Newcomer',
      attributes: { snapshot: '/room.json' },
      head: '<link rel="preload" as="fetch" crossorigin="anonymous" href="/room.json">',
      noWait: true,
    });
    await other.shows(['from the file'], /^from the file$/);
    const fetched = await other.page.evaluate<number>(
      `performance.getEntriesByName('${site.origin}/room.json').length`,
    );
    expect(fetched).toBe(1);
    await site.stack.ejabberd.mend();
    alice = await enterRoom(site.stack, 'alice');
    await tari.live(1, 60_000);
    await other.live(1, 60_000);
    alice.say('live again');
    for (const page of [tari, other]) await page.shows(['live again'], /^live again$/);
    expect(await tari.texts()).toContain('seen before');
  });

  it('lets guests read', async () => {
    const inlined = JSON.stringify({
      v: 1,
      room: site.stack.room,
      messages: [{ id: '1', n: 'alice', t: 'welcome', ts: Date.now() - 9000 }],
    });
    const guest = await site.open(await site.context(), { inlined, noWait: true });
    await guest.shows(['welcome'], /./);
    expect(await guest.page.locator('sax-chat textarea').isVisible()).toBe(false);
    expect(await guest.page.locator('sax-chat .hint').textContent()).toBe('Log in to take part');
    const german = await site.open(await site.context(), {
      inlined,
      noWait: true,
      lang: 'de',
      attributes: { session: '/nobody' },
    });
    await until(async () => (await german.page.locator('sax-chat .hint').textContent()) === 'Zum Mitreden anmelden');
    expect(await german.violations()).toEqual([]);
  });

  it('shows the input when voice was given, and takes it away with the voice', async () => {
    const owner = await enterRoom(site.stack, 'alice', { nick: 'guard', localpart: 'guard' });
    const muted = await site.open(await site.context(), { user: 'Muted' });
    const voice = (role: string) =>
      owner.send(
        `<iq type='set' id='v${role}' to='${site.stack.room}'><query xmlns='http://jabber.org/protocol/muc#admin'><item nick='Muted' role='${role}'/></query></iq>`,
      );
    const input = muted.page.locator('sax-chat textarea');
    await until(() => input.isVisible());
    voice('visitor');
    await until(async () => !(await input.isVisible()));
    voice('participant');
    await until(() => input.isVisible());
    await muted.say('I have a voice');
    await alice.heard(({ body }) => body === 'I have a voice');
    // A moderator's kick is final, and says why.
    owner.send(
      `<iq type='set' id='k' to='${site.stack.room}'><query xmlns='http://jabber.org/protocol/muc#admin'><item nick='Muted' role='none'><reason>enough &lt;b&gt;</reason></item></query></iq>`,
    );
    await until(async () => (await muted.status()) === 'Removed from the room');
    expect(await muted.page.locator('sax-chat .hint').textContent()).toBe('enough <b>');
    owner.leave();
  });

  it('completes nicknames with Tab, marks mentions, tells kinds apart', async () => {
    const context = await site.context();
    const tari = await site.open(context, { user: 'Tari', attributes: { bots: 'webridge, relay' } });
    const relay = await enterRoom(site.stack, 'alice', { nick: 'relay', localpart: 'relay' });
    await until(async () => (await tari.page.locator('sax-chat .count').textContent()) !== '');
    await until(() => tari.page.locator('sax-chat .person', { hasText: 'relay' }).count());
    const input = tari.page.locator('sax-chat textarea');
    await input.fill('rel');
    await input.press('Tab');
    expect(await input.inputValue()).toBe('relay: ');
    await input.fill('nobody-like-this');
    await input.press('Tab');
    expect(await tari.page.evaluate(`document.querySelector('sax-chat').shadowRoot.activeElement?.className`)).toBe(
      'send',
    );
    relay.send(
      `<message type='groupchat' to='${site.stack.room}' id='i1'><body>&lt;ircer&gt; hi Tari, look https://example.org/</body><sax xmlns='urn:saxctl:line:0' kind='irc'/></message>`,
    );
    alice.send(
      `<message type='groupchat' to='${site.stack.room}' id='i2'><body>&lt;Admin&gt; fake</body><sax xmlns='urn:saxctl:line:0' kind='irc'/></message>`,
    );
    await tari.shows(['<Admin> fake'], /fake/);
    const lines = await tari.lines();
    const relayed = lines.find(({ text }) => text.startsWith('hi Tari'));
    expect(relayed).toMatchObject({ nick: 'ircer', classes: expect.stringMatching(/irc.*mention/) });
    // Only the site's bots may speak for others.
    expect(lines.find(({ text }) => text.includes('fake'))).toMatchObject({
      nick: 'alice',
      classes: expect.not.stringContaining('irc'),
    });
    relay.leave();
  });

  for (const colorScheme of ['light', 'dark'] as const) {
    it(`has no fault that axe finds, ${colorScheme}`, async () => {
      const source = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
      const context = await site.context({ colorScheme, bypassCSP: true });
      const tari = await site.open(context, { user: 'Tari', attributes: { title: 'Community chat' } });
      await tari.say('hello Tari https://example.org/');
      alice.say('Tari: a mention with https://example.org/ in it');
      alice.say('/me waves');
      await tari.shows(['waves'], /^waves$/);
      await tari.page.locator('sax-chat .people').click();
      await tari.page.evaluate(source);
      const violations = await tari.page.evaluate<{ id: string; nodes: { html: string; failureSummary: string }[] }[]>(
        `axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }).then((r) => r.violations)`,
      );
      expect(
        violations.map(({ id, nodes }) => [id, nodes.map(({ html, failureSummary }) => [html, failureSummary])]),
      ).toEqual([]);
    });
  }

  it('counts what was not seen, in one place of the title', async () => {
    const tari = await site.open(await site.context(), { user: 'Counter' });
    await tari.page.evaluate(
      `Object.defineProperty(document, 'hidden', { get: () => window.isAway, configurable: true }); window.isAway = true`,
    );
    alice.say('one');
    alice.say('two');
    await until(async () => (await tari.page.title()) === '(2) Forum');
    await tari.page.evaluate(`window.isAway = false; document.dispatchEvent(new Event('visibilitychange'))`);
    expect(await tari.page.title()).toBe('Forum');
  });
});
