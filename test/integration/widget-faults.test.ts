/**
 * What befell the widget in pages as they are: names and languages that are no patterns, storage that is forbidden or holds
 * anything, tabs that were slow or away, gaps between cache and snapshot, keyboards, screen readers, two chats on one page.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type ChatPage, type Site, startSite } from '../helpers/chat-page.ts';
import { enterRoom, type Person } from '../helpers/person.ts';
import { until } from '../helpers/until.ts';

describe('widget’s faults', { timeout: 90_000 }, () => {
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
    site.proxy.refuse(false);
    for (const context of site.browser.contexts()) await context.close();
  });

  const root = `document.querySelector('sax-chat').shadowRoot`;
  const scripted = async (script: string) => {
    const context = await site.context();
    await context.addInitScript(script);
    return context;
  };
  const hide = ({ page }: ChatPage) =>
    page.evaluate(
      `Object.defineProperty(document, 'hidden', { get: () => !!window.isAway, configurable: true }); window.isAway = true`,
    );

  it('serves a member with a hyphen in his name, under a language that is none', async () => {
    const tari = await site.open(await site.context(), { user: 'Jean-Luc', lang: 'en_US' });
    alice.say('Jean-Luc: engage');
    await tari.shows(['Jean-Luc: engage'], /engage$/);
    expect((await tari.lines()).at(-1)?.classes).toContain('mention');
    expect(await tari.violations()).toEqual([]);
    const other = await site.open(await site.context(), { user: 'Riker', lang: 'c' });
    alice.say('number one');
    await other.shows(['number one'], /^number one$/);
    expect(await other.violations()).toEqual([]);
  });

  it('shows a pasted line with characters that XML forbids once', async () => {
    const tari = await site.open(await site.context(), { user: 'Paster' });
    await tari.page.evaluate(`document.querySelector('sax-chat').say('from\\vWord \\ud800 and\\r\\nWindows')`);
    const heard = await alice.heard(({ nick }) => nick === 'Paster');
    expect(heard.body).toBe('fromWord  and\nWindows');
    await until(
      async () =>
        (await tari.lines()).filter(({ nick, classes }) => nick === 'Paster' && !classes.includes('wait')).length,
    );
    expect((await tari.lines()).filter(({ nick }) => nick === 'Paster')).toHaveLength(1);
    // A stanza that the server's limit would end the connection for, again and again.
    await tari.page.evaluate(`document.querySelector('sax-chat').say('&'.repeat(100000))`);
    await alice.heard(({ nick, body }) => nick === 'Paster' && body.startsWith('&&&'));
    expect(await tari.violations()).toEqual([]);
  });

  it('lives with storage that holds anything', async () => {
    const context =
      await scripted(`for (const [name, value] of Object.entries({ unsaid: { a: 1 }, session: { resume: 5, list: 7 }, lines: [null] }))
      localStorage.setItem('sax-chat ${site.stack.room} ' + name, JSON.stringify(value));`);
    const tari = await site.open(context, { user: 'Garbage' });
    await tari.say('in spite of all');
    await tari.shows(['in spite of all'], /^in spite/);
    expect(await tari.violations()).toEqual([]);
  });

  it('lives where storage and locks are forbidden', async () => {
    const context = await scripted(`for (const name of ['localStorage', 'sessionStorage'])
      Object.defineProperty(window, name, { get() { throw new DOMException('denied', 'SecurityError'); } });
      window.asked = 0;
      LockManager.prototype.request = () => asked++ > 50 ? new Promise(() => {}) : Promise.reject(new DOMException('denied', 'SecurityError'));`);
    const tari = await site.open(context, { user: 'Private' });
    await tari.say('nothing is stored');
    await tari.shows(['nothing is stored'], /^nothing is stored$/);
    expect(await tari.page.evaluate('asked')).toBe(1);
  });

  it('leaves no hole between its cache and the snapshot in the page', async () => {
    const context = await site.context();
    const before = await site.open(context, { user: 'Reader' });
    alice.say('hole 0');
    await before.shows(['hole 0'], /^hole /);
    await before.page.close();
    // Too late to go on with the old session.
    await context.addInitScript(`localStorage.setItem('sax-chat ${site.stack.room} session', '0')`);
    for (let i = 1; i < 30; i++) alice.say(`hole ${i}`);
    const newest = await alice.heard(({ body }) => body === 'hole 29');
    const snapshot = [
      { id: newest.stanzaId, n: 'alice', t: 'hole 29', ts: Math.floor(Number(newest.stanzaId) / 1000) },
    ];
    const after = await site.open(context, {
      user: 'Reader',
      inlined: JSON.stringify({ v: 1, room: site.stack.room, messages: snapshot }),
      attributes: { history: '2' },
    });
    await after.shows(
      Array.from({ length: 30 }, (_, i) => `hole ${i}`),
      /^hole /,
    );
  });

  it('tells a tab that was put away what was said meanwhile', async () => {
    const context = await site.context();
    const first = await site.open(context, { user: 'Tabs' });
    const second = await site.open(context, { user: 'Tabs' });
    alice.say('away 0');
    await second.shows(['away 0'], /^away /);
    // As the browser puts a page into its cache and takes it out again.
    await second.page.evaluate(`dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))`);
    alice.say('away 1');
    alice.say('away 2');
    await first.shows(['away 0', 'away 1', 'away 2'], /^away /);
    await second.page.evaluate(`dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))`);
    alice.say('away 3');
    for (const tab of [first, second]) await tab.shows(['away 0', 'away 1', 'away 2', 'away 3'], /^away /);
  });

  it('says what is typed while the leading tab is slow', async () => {
    const context = await site.context();
    const leader = await site.open(context, { user: 'Slow' });
    const follower = await site.open(context, { user: 'Slow' });
    const blocked = leader.page.evaluate('{ const end = Date.now() + 1500; while (Date.now() < end); }');
    await follower.page.evaluate(`document.querySelector('sax-chat').say('slowly')`);
    await blocked;
    await alice.heard(({ body }) => body === 'slowly', 15_000);
    await until(async () => !(await follower.lines()).at(-1)?.classes.includes('wait'));
    expect(alice.lines.filter(({ body }) => body === 'slowly')).toHaveLength(1);
  });

  it('keeps both tabs of a member whose name the server writes otherwise', async () => {
    const context = await site.context();
    const tabs = [await site.open(context, { user: 'Ｔａｒｉ' }), await site.open(context, { user: 'Ｔａｒｉ' })];
    alice.say('both of you');
    for (const tab of tabs) await tab.shows(['both of you'], /^both of you$/);
    for (const tab of tabs) expect(await tab.status()).toBe('Live');
  });

  it('goes on where notifications cannot be made', async () => {
    const context = await scripted(`window.Notification = class { static permission = 'granted';
      static requestPermission = async () => 'granted'; constructor() { throw new TypeError('Illegal constructor'); } };
      localStorage.setItem('sax-chat notify', 'true');`);
    const tabs = [
      await site.open(context, { user: 'Android' }),
      await site.open(context, { user: 'Android' }),
    ] as const;
    for (const tab of tabs) await hide(tab);
    alice.say('Android: hello');
    for (const tab of tabs) await tab.shows(['Android: hello'], /hello$/);
    for (const tab of tabs) expect(await tab.violations()).toEqual([]);
  });

  it('gives the title back, also with two chats on one page and when one is taken away', async () => {
    const tari = await site.open(await site.context(), { user: 'Twice' });
    await tari.page.evaluate(`document.querySelector('main').append(document.querySelector('sax-chat').cloneNode())`);
    await tari.live(2);
    await hide(tari);
    alice.say('one');
    alice.say('two');
    const counts = 'window.said.length';
    await until(() => tari.page.evaluate(`${counts} >= 4`));
    await tari.page.evaluate(`window.isAway = false; document.dispatchEvent(new Event('visibilitychange'))`);
    expect(await tari.page.title()).toBe('Forum');
    await tari.page.evaluate('window.isAway = true');
    alice.say('three');
    await until(async () => (await tari.page.title()) !== 'Forum');
    await tari.page.evaluate(`document.querySelectorAll('sax-chat').forEach((chat) => chat.remove())`);
    await until(async () => (await tari.page.title()) === 'Forum');
  });

  it('reads no history out', async () => {
    for (let i = 0; i < 5; i++) alice.say(`history ${i}`);
    const context = await scripted(`window.readOut = [];
      const attach = Element.prototype.attachShadow;
      Element.prototype.attachShadow = function (options) {
        const root = attach.call(this, options);
        new MutationObserver((records) => {
          const log = root.querySelector('.log');
          for (const { addedNodes } of records) for (const node of addedNodes)
            if (node.className?.startsWith('row')) requestAnimationFrame(() => log.ariaLive === 'off' || readOut.push(node.textContent));
        }).observe(root, { childList: true, subtree: true });
        return root;
      };`);
    const tari = await site.open(context, { user: 'Listener' });
    await until(() => tari.page.evaluate(`${root}.querySelector('.log').ariaLive === 'polite'`));
    alice.say('now');
    await until(() => tari.page.evaluate<boolean>('readOut.length > 0'));
    expect(await tari.page.evaluate('readOut.map((text) => text.slice(-3))')).toEqual(['now']);
  });

  it('is scrolled by the keyboard, step by step', async () => {
    const tari = await site.open(await site.context({ viewport: { width: 500, height: 600 } }), { user: 'Scroller' });
    for (let i = 0; i < 40; i++) alice.say(`scroll ${i}`);
    await until(async () => (await tari.texts()).at(-1) === 'scroll 39');
    const log = tari.page.locator('sax-chat .log');
    const left = () =>
      tari.page.evaluate<number>(
        `(() => { const log = ${root}.querySelector('.log'); return log.scrollHeight - log.clientHeight - log.scrollTop; })()`,
      );
    await until(async () => (await left()) < 2);
    await log.focus();
    for (let i = 1; i <= 4; i++) {
      const before = await left();
      await log.press('ArrowUp');
      await until(async () => (await left()) > before + 10, `scrolled ${before} px, then nothing`, 5000);
    }
    // Who reads above stays there, and is told.
    alice.say('scroll 40');
    await until(() => tari.page.locator('sax-chat .news').isVisible());
    expect(await left()).toBeGreaterThan(60);
  });

  it('leaves Enter to who composes a word, in Safari too', async () => {
    const tari = await site.open(await site.context(), { user: 'Kanji' });
    await tari.page.locator('sax-chat textarea').fill('にほん');
    // Safari ends the composition before the key that ends it; its code is then 229.
    await tari.page.evaluate(
      `${root}.querySelector('textarea').dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', keyCode: 229, bubbles: true, cancelable: true }))`,
    );
    expect(await tari.page.locator('sax-chat textarea').inputValue()).toBe('にほん');
  });
});
