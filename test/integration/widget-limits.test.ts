/**
 * The widget at its limits and in everybody's hands: floods and giant lines from a hostile server, combining marks, bidirectional
 * text, pages from right to left, notifications and unread lines over several tabs, languages, reduced motion.
 */
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type ChatPage, type PageOptions, type Site, startSite } from '../helpers/chat-page.ts';
import { enterRoom, type Person } from '../helpers/person.ts';
import { until } from '../helpers/until.ts';

type Box = { left: number; right: number; top: number; bottom: number };

describe('widget’s limits', { timeout: 180_000 }, () => {
  let site: Site;
  let alice: Person;

  beforeAll(async () => {
    site = await startSite();
    alice = await enterRoom(site.stack, 'alice');
  }, 120_000);
  afterAll(async () => {
    alice?.leave();
    await site?.close();
  }, 120_000);
  afterEach(async () => {
    for (const context of site.browser.contexts()) await context.close();
  });

  const inside = (selector: string) => `document.querySelector('sax-chat').shadowRoot.querySelectorAll('${selector}')`;
  const count = ({ page }: ChatPage, selector: string) => page.evaluate<number>(`${inside(selector)}.length`);
  const boxes = ({ page }: ChatPage, selector: string) =>
    page.evaluate<Box[]>(
      `[...${inside(selector)}].map((e) => e.getBoundingClientRect()).map(({ left, right, top, bottom }) => ({ left, right, top, bottom }))`,
    );
  const style = ({ page }: ChatPage, selector: string, property: string) =>
    page.evaluate<string[]>(`[...${inside(selector)}].map((e) => getComputedStyle(e)['${property}'])`);

  /** A member's page in which `hear(frame)` says what no server of ours lets through. */
  async function openTapped(options: PageOptions): Promise<ChatPage> {
    const context = await site.context();
    // Without stream management: what is heard here is not in the server's count.
    await context.addInitScript(`window.WebSocket = class extends WebSocket {
      constructor(...args) { super(...args); window.hear = (data) => this.onmessage({ data }); }
      send(frame) { if (!frame.startsWith('<enable')) super.send(frame); }
    };`);
    return site.open(context, options);
  }
  const hear = ({ page }: ChatPage, frame: string) => page.evaluate<void>(`hear(${JSON.stringify(frame)})`);
  const frameOf = (id: number, body: string, nick = 'Mallory') =>
    `<message xmlns='jabber:client' type='groupchat' from='${site.stack.room}/${nick}' id='f${id}'><body>${body}</body></message>`;

  /** Each row below the one before it, none outside of the list. */
  async function expectRowsApart(tari: ChatPage): Promise<void> {
    const [log] = await boxes(tari, '.log');
    const rows = await boxes(tari, '.row');
    rows.forEach((row, at) => {
      expect(row.left).toBeGreaterThanOrEqual((log?.left ?? 0) - 1);
      expect(row.right).toBeLessThanOrEqual((log?.right ?? 0) + 1);
      expect(row.top).toBeGreaterThanOrEqual((rows[at - 1]?.bottom ?? Number.NEGATIVE_INFINITY) - 1);
    });
  }

  it('keeps its list bounded and answers its reader under 10,000 lines and a line of a megabyte', async () => {
    const tari = await openTapped({ user: 'Tari' });
    await tari.page.evaluate<void>(`void (async () => {
      for (let i = 0; i < 10000; i++) {
        hear(${JSON.stringify(frameOf(0, 'flood #'))}.replace('f0', 'f' + i).replace('#', i));
        if (i % 50 === 0) await new Promise((resolve) => setTimeout(resolve));
      }
    })()`);
    // While they come in, the page does what its reader wants.
    await tari.page.locator('sax-chat .people').click();
    expect(await tari.page.locator('sax-chat .list').isVisible()).toBe(true);
    await until(async () => (await tari.texts()).at(-1) === 'flood 9999', 'the last of 10,000 lines', 100_000);
    expect(await tari.texts()).toEqual(Array.from({ length: 500 }, (_, i) => `flood ${9500 + i}`));
    expect(await count(tari, '*')).toBeLessThan(500 * 12);
    await hear(tari, frameOf(10_000, 'M'.repeat(1_000_000)));
    await hear(tari, frameOf(10_001, `${'https://a.test/?'.repeat(30_000)} ${'Tari '.repeat(30_000)}`));
    await hear(tari, frameOf(10_002, `${'\n'.repeat(300_000)}end`));
    await hear(tari, frameOf(10_003, 'after', 'N'.repeat(1_000_000)));
    await tari.shows(['after'], /^after$/);
    for (const text of (await tari.texts()).slice(-4)) expect(text.length).toBeLessThan(4100);
    expect(await count(tari, '*')).toBeLessThan(500 * 12 + 2000);
    await expectRowsApart(tari);
    await tari.say('still here');
    await alice.heard(({ body }) => body === 'still here');
    await tari.shows(['still here'], /^still here$/);
    expect(await tari.violations()).toEqual([]);
  });

  it('takes 10,000 lines from a snapshot and a cache in its stride', async () => {
    const messages = Array.from({ length: 10_000 }, (_, i) => ({
      id: `${i}`,
      n: 'alice',
      t: `kept ${i}`,
      ts: Date.now() - 60_000 + i,
    }));
    const inlined = JSON.stringify({ v: 1, room: site.stack.room, messages });
    const tari = await site.open(await site.context(), { user: 'Tari', inlined });
    await until(async () => (await tari.texts()).includes('kept 9999'));
    expect(await count(tari, '.row')).toBeLessThanOrEqual(500);
    await tari.page.evaluate(
      `localStorage.setItem('sax-chat ${site.stack.room} lines', ${JSON.stringify(inlined.replaceAll('kept', 'cached'))})`,
    );
    await tari.page.goto(tari.url);
    await tari.live();
    expect(await count(tari, '.row')).toBeLessThanOrEqual(500);
    expect(await tari.violations()).toEqual([]);
  });

  it('keeps 500 combining marks and bidirectional text inside of their row', async () => {
    const tari = await openTapped({ user: 'Tari' });
    const marks = '\u0301\u0323\u0489'.repeat(170);
    await hear(tari, frameOf(1, 'plain before'));
    await hear(tari, frameOf(2, `e${marks} o${marks}`, `Z${marks}`));
    await hear(tari, frameOf(3, 'plain between'));
    await hear(tari, frameOf(4, '\u202Eoverride \u2067isolate \u2066never closed', '\u202EevilNick'));
    await hear(tari, frameOf(5, 'שלום עולם hello!', 'Dana'));
    await hear(tari, frameOf(6, 'مرحبا https://example.org/ بالعالم', 'ليلى'));
    await hear(tari, frameOf(7, 'plain after', 'alice'));
    await tari.shows(['plain after'], /^plain after$/);
    await expectRowsApart(tari);
    const lines = (await tari.lines()).slice(-7);
    expect(lines.map(({ nick }) => nick)).toEqual([
      'Mallory',
      expect.stringMatching(/^Z\p{M}{8}$/u),
      'Mallory',
      'evilNick',
      'Dana',
      'ليلى',
      'alice',
    ]);
    expect(lines[1]?.text).toMatch(/^e\p{M}{8} o\p{M}{8}$/u);
    expect(lines[3]?.text).toBe('override isolate never closed');
    // A row with marks is as high as any other, and cuts off what its glyphs stack up.
    const rows = (await boxes(tari, '.row.head')).slice(-6);
    for (const { top, bottom } of rows) expect(bottom - top).toBeLessThan(80);
    expect(new Set(await style(tari, '.row', 'overflowY'))).toEqual(new Set(['clip']));
    // Each text and name is an island: what stands in it orders nothing outside.
    for (const part of ['.text', '.nick', '.time'])
      expect(new Set(await style(tari, part, 'unicodeBidi'))).toEqual(new Set(['isolate']));
    expect((await style(tari, '.text', 'direction')).slice(-7)).toEqual([
      'ltr',
      'ltr',
      'ltr',
      'ltr',
      'rtl',
      'rtl',
      'ltr',
    ]);
    const [names, times] = [await boxes(tari, '.head .nick'), await boxes(tari, '.head .time')];
    for (const [at, { right }] of names.entries()) expect(times[at]?.left).toBeGreaterThanOrEqual(right);
    expect(await tari.violations()).toEqual([]);
  });

  it('is mirrored on a page from right to left', async () => {
    const open = async (dir?: 'rtl') => {
      const page = await site.open(await site.context({ viewport: { width: 900, height: 700 } }), {
        user: dir ? 'Layla' : 'Tari',
        ...(dir ? { dir, lang: 'ar' } : {}),
      });
      await page.say(`@ ${dir ?? 'ltr'} Layla Tari`);
      alice.say(`Tari Layla ${dir ?? 'ltr'}`);
      await page.shows([`Tari Layla ${dir ?? 'ltr'}`], new RegExp(`^Tari Layla ${dir ?? 'ltr'}$`));
      await page.page.locator('sax-chat .people').click();
      return page;
    };
    const ltr = await open();
    const rtl = await open('rtl');
    for (const [first, second] of [
      ['.write', '.send'],
      ['.log', '.list'],
      ['.title', '.people'],
      ['.head .face', '.head .nick'],
      ['.head .nick', '.head .time'],
    ] as const) {
      const of = async (page: ChatPage, selector: string) => (await boxes(page, selector)).at(-1) as Box;
      expect((await of(ltr, first)).right, first).toBeLessThanOrEqual((await of(ltr, second)).left);
      expect((await of(rtl, first)).left, first).toBeGreaterThanOrEqual((await of(rtl, second)).right);
    }
    const edge = async (page: ChatPage, side: string) => (await style(page, '.mention', `border${side}Width`)).at(-1);
    expect([await edge(ltr, 'Left'), await edge(ltr, 'Right')]).toEqual(['3px', '0px']);
    expect([await edge(rtl, 'Left'), await edge(rtl, 'Right')]).toEqual(['0px', '3px']);
    const [box] = await boxes(rtl, '.box');
    for (const { left, right } of await boxes(rtl, '.row')) {
      expect(left).toBeGreaterThanOrEqual(box?.left ?? 0);
      expect(right).toBeLessThanOrEqual(box?.right ?? 0);
    }
  });

  it('notifies of a mention once, whatever the number of tabs, and counts a line once in each', async () => {
    const context = await site.context({ permissions: ['notifications'] });
    await context.addInitScript(`window.notes = [];
      window.Notification = class extends Notification { constructor(title, options) { super(title, options); notes.push([title, options.body]); } };
      Object.defineProperty(document, 'hidden', { get: () => !!window.isAway, configurable: true });`);
    const tabs = [await site.open(context, { user: 'Tari' }), await site.open(context, { user: 'Tari' })] as const;
    const [first, second] = tabs;
    const bell = first.page.locator('sax-chat .bell');
    expect(await bell.getAttribute('aria-pressed')).toBe('false');
    await bell.click();
    await until(async () => (await bell.getAttribute('aria-pressed')) === 'true');
    const look = (page: Page, isAway: boolean) =>
      page.evaluate(`window.isAway = ${isAway}; document.dispatchEvent(new Event('visibilitychange'))`);
    for (const { page } of tabs) await look(page, true);
    const notes = async () =>
      (await Promise.all(tabs.map(({ page }) => page.evaluate<string[][]>('window.notes')))).flat();
    alice.say('nobody is named here, nor is Tarisha');
    alice.say('well, tari: look at <b>this</b>');
    for (const { page } of tabs) await until(async () => (await page.title()) === '(2) Forum');
    expect(await notes()).toEqual([['alice', 'well, tari: look at <b>this</b>']]);
    // Read in one tab, read in all.
    await look(second.page, false);
    for (const { page } of tabs) await until(async () => (await page.title()) === 'Forum');
    alice.say('you are looking, so this is no news');
    await second.shows(['you are looking, so this is no news'], /no news$/);
    await until(async () => (await first.page.title()) === '(1) Forum');
    expect(await second.page.title()).toBe('Forum');
    // Switched off again.
    await bell.click();
    await until(async () => (await bell.getAttribute('aria-pressed')) === 'false');
    const before = (await notes()).length;
    await look(second.page, true);
    alice.say('Tari: silence');
    for (const [at, { page }] of tabs.entries()) await until(async () => (await page.title()) === `(${2 - at}) Forum`);
    expect(await notes()).toHaveLength(before);
  });

  it('lists who is here, and says how many', async () => {
    const tari = await site.open(await site.context(), { user: 'Tari' });
    const names = () => tari.page.evaluate<string[]>(`[...${inside('.person')}].map((e) => e.textContent)`);
    const guest = await enterRoom(site.stack, 'alice', { nick: 'Visitor', localpart: 'visitor' });
    await until(async () => (await names()).includes('Visitor'));
    expect(await names()).toEqual([...(await names())].sort((a, b) => a.localeCompare(b)));
    expect(await names()).toEqual(expect.arrayContaining(['Tari', 'alice']));
    expect(await names()).not.toContain('');
    const label = async () => tari.page.locator('sax-chat .people').getAttribute('aria-label');
    expect(await label()).toBe(`People here: ${(await names()).length}`);
    guest.leave();
    await until(async () => !(await names()).includes('Visitor'));
    expect(await label()).toBe(`People here: ${(await names()).length}`);
  });

  for (const colorScheme of ['light', 'dark'] as const)
    it(`writes a nickname of any hue readably, ${colorScheme}`, async () => {
      const tari = await site.open(await site.context({ colorScheme }), { user: 'Tari' });
      await tari.say(`hello in ${colorScheme}`);
      await tari.shows([`hello in ${colorScheme}`], new RegExp(`^hello in ${colorScheme}$`));
      // The least contrast (WCAG 2.2, 1.4.3) of all hues on everything that a name stands on.
      const least = await tari.page.evaluate<number>(`(() => {
        const host = document.querySelector('sax-chat'), row = [...${inside('.head')}].at(-1), nick = row.querySelector('.nick');
        const canvas = Object.assign(document.createElement('canvas'), { width: 1, height: 1 }).getContext('2d');
        const luminance = (colour) => {
          canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
          const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map((v) => v / 255).map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
          return 0.2126 * r + 0.7152 * g + 0.0722 * b;
        };
        const under = ['bg', 'soft', 'mark'].map((name) => {
          row.style.background = 'var(--sax-' + name + ')';
          return luminance(getComputedStyle(row).backgroundColor);
        });
        const all = [];
        for (let hue = 0; hue < 360; hue++) {
          row.style.setProperty('--hue', hue);
          const over = luminance(getComputedStyle(nick).color);
          for (const ground of under) all.push((Math.max(over, ground) + 0.05) / (Math.min(over, ground) + 0.05));
        }
        return new Set(all).size < 300 ? 0 : Math.min(...all);
      })()`);
      expect(least).toBeGreaterThan(4.5);
    });

  it('speaks German, and moves nothing', async () => {
    const context = await site.context({ reducedMotion: 'reduce', locale: 'de-AT' });
    const tari = await site.open(context, { user: 'Tari', lang: 'de-AT' });
    await tari.say('Grüße');
    await tari.shows(['Grüße'], /^Grüße$/);
    expect(await tari.status()).toBe('Verbunden');
    const attribute = (name: string, key: string) => tari.page.locator(`sax-chat .${name}`).getAttribute(key);
    expect(await attribute('write', 'placeholder')).toBe('Nachricht schreiben');
    expect(await attribute('send', 'aria-label')).toBe('Senden');
    expect(await attribute('bell', 'aria-label')).toBe('Bei Erwähnung benachrichtigen');
    expect(await tari.page.locator('sax-chat .time').last().getAttribute('title')).toMatch(/tag, \d+\. \p{L}+ \d{4}/u);
    for (const property of ['transitionDuration', 'animationName', 'scrollBehavior'])
      expect(new Set(await style(tari, '*', property)).size, property).toBe(1);
    expect(await style(tari, '.row', 'transitionDuration')).toContain('0s');
    expect(await style(tari, '.log', 'scrollBehavior')).toEqual(['auto']);
    expect(await tari.page.evaluate('document.querySelector("sax-chat").shadowRoot.getAnimations().length')).toBe(0);
  });
});
