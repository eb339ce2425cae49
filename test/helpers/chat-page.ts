/**
 * The widget in real Chromium, served by the real nginx over TLS and HTTP/2, in front of the real ejabberd.
 *
 *   const site = await startSite();
 *   const context = await site.context();                     // a browser profile; several pages share its tabs
 *   const page = await site.open(context, { user: 'Tari' });  // a page with the widget, live
 *   await page.lines()  page.say('hello')  page.live(2)       // the rows; type and Enter; the second time it became live
 *   site.proxy.doze() | cut() | refuse(true)                  // the network between browser and nginx
 *
 * Every page runs under a strict Content-Security-Policy with Trusted Types; what it reports lands in `page.violations()`.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { startStack } from '../../src/edges/stack/stack.ts';
import type { Stack, StackOptions } from '../../src/edges/stack/types.ts';
import { type SleepyProxy, startSleepyProxy } from './sleepy-proxy.ts';
import { until } from './until.ts';

// From the project's directory: a bench is bundled elsewhere.
const YES = resolve('test/fixtures/extauth-yes.mjs');
const BUILD = pathToFileURL(resolve('scripts/build-widget.mjs')).href;

/** What a test page says about itself; each becomes an attribute of the element. */
export type PageOptions = {
  /** The member; none: a guest. */
  readonly user?: string;
  /** 'ws', 'bosh' or both, the preferred one first. */
  readonly transports?: 'ws' | 'bosh' | 'both';
  readonly attributes?: Readonly<Record<string, string>>;
  readonly inlined?: string;
  readonly head?: string;
  readonly lang?: string;
  /** Direction of the page's script. */
  readonly dir?: 'rtl';
  /** Resolve before the widget is live. */
  readonly noWait?: boolean;
};

export type Row = { readonly nick: string; readonly text: string; readonly classes: string };

export type ChatPage = {
  readonly page: Page;
  readonly url: string;
  /** The rows shown now, in order. */
  lines(): Promise<Row[]>;
  texts(): Promise<string[]>;
  /** Waits until the texts that match are exactly these. */
  shows(texts: readonly string[], match: RegExp, deadline?: number): Promise<void>;
  say(text: string): Promise<void>;
  /** Waits until `sax-live` was sent so many times on this page. */
  live(times?: number, deadline?: number): Promise<void>;
  status(): Promise<string>;
  /** CSP and Trusted Types reports, page errors, dialogs, and whatever hostile content managed to call. */
  violations(): Promise<string[]>;
  /** What a machine says that wakes: online, visible, pageshow; three times, as browsers love to. */
  wake(): Promise<void>;
};

export type Site = {
  readonly stack: Stack;
  readonly browser: Browser;
  readonly proxy: SleepyProxy;
  readonly root: string;
  readonly origin: string;
  readonly manifest: { readonly file: string; readonly integrity: string };
  context(options?: BrowserContextOptions): Promise<BrowserContext>;
  /** Writes a page of the site and answers its URL. */
  write(options: PageOptions): Promise<string>;
  open(context: BrowserContext, options: PageOptions): Promise<ChatPage>;
  /** XMPP sessions of a member. */
  sessions(local: string): Promise<number>;
  close(): Promise<void>;
};

const escapeHtml = (text: string) => text.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`);

/** Starts servers and browser. */
export async function startSite(options: StackOptions = {}): Promise<Site> {
  const directory = await mkdtemp(join(tmpdir(), 'saxctl-site-'));
  const root = join(directory, 'root');
  const widget = join(directory, 'widget');
  await mkdir(root);
  const { buildWidget } = (await import(BUILD)) as { buildWidget(out: string): Promise<Site['manifest']> };
  const manifest = await buildWidget(widget);
  const stack = await startStack({
    parts: ['mariadb', 'ejabberd', 'nginx'],
    extauth: `${process.execPath} ${YES}`,
    tls: true,
    ...options,
    site: { root, widget },
  });
  const proxy = await startSleepyProxy(stack.nginx.directPort);
  const browser = await launchBrowser();
  const origin = `https://localhost:${proxy.port}`;
  let pages = 0;

  async function write(page: PageOptions): Promise<string> {
    const name = `page${pages++}`;
    const { user, transports = 'ws', inlined, head = '', lang = 'en', dir = 'ltr' } = page;
    if (user !== undefined)
      await writeFile(join(root, `${name}.json`), JSON.stringify({ user, password: 'not asked for' }));
    const attributes: Record<string, string> = {
      domain: stack.domain,
      room: stack.room,
      ...(transports === 'bosh' ? {} : { ws: '/ws' }),
      ...(transports === 'ws' ? {} : { bosh: '/bosh' }),
      ...(user === undefined ? {} : { session: `/${name}.json` }),
      ...page.attributes,
    };
    const csp =
      "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'";
    const tag = Object.entries(attributes).map(([key, value]) => ` ${key}="${escapeHtml(value)}"`);
    await writeFile(join(root, 'watch.js'), WATCH);
    await writeFile(
      join(root, `${name}.html`),
      `<!doctype html><html lang="${lang}" dir="${dir}"><head><meta charset="utf-8"><title>Forum</title>
<meta name="viewport" content="width=device-width"><meta http-equiv="Content-Security-Policy" content="${csp}">
<script src="/watch.js"></script>${head}
<script type="module" src="/chat/widget/${manifest.file}" integrity="${manifest.integrity}" crossorigin="anonymous"></script>
</head><body><main><h1>Forum</h1><sax-chat${tag.join('')}>${
        inlined === undefined ? '' : `<script type="application/json">${inlined.replaceAll('<', '\\u003c')}</script>`
      }</sax-chat></main></body></html>`,
    );
    return `${origin}/${name}.html`;
  }

  return {
    stack,
    browser,
    proxy,
    root,
    origin,
    manifest,
    context: (more) => browser.newContext({ ignoreHTTPSErrors: true, locale: 'en-GB', ...more }),
    write,
    async open(context, page) {
      const url = await write(page);
      const opened = chatPage(await context.newPage(), url);
      await opened.page.goto(url);
      if (!page.noWait) await opened.live();
      return opened;
    },
    async sessions(local) {
      const users = (await stack.api('connected_users')) as string[];
      return users.filter((jid) => jid.startsWith(`${local}@`)).length;
    },
    async close() {
      await browser.close();
      await proxy.close();
      await stack.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Debian's Chromium, headless. */
export function launchBrowser(args: readonly string[] = []): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu', ...args],
  });
}

/** Runs before everything else on a page: counts what must not happen, and how often the widget became live. */
const WATCH = `
window.bad = []; window.lives = 0; window.said = [];
for (const name of ['alert', 'prompt', 'confirm', 'pwned']) window[name] = (...a) => { bad.push(name + ' ' + a); };
addEventListener('securitypolicyviolation', (e) => bad.push(e.violatedDirective + ' ' + e.blockedURI + ' ' + e.sample));
addEventListener('error', (e) => bad.push('error ' + e.message));
addEventListener('unhandledrejection', (e) => bad.push('rejection ' + (e.reason && e.reason.stack)));
addEventListener('sax-live', () => { lives++; window.liveAt ??= performance.now(); });
const attach = Element.prototype.attachShadow;
Element.prototype.attachShadow = function (options) {
  window.startAt ??= performance.now();
  const root = attach.call(this, options);
  new MutationObserver((records) => {
    if (root.querySelector('.row')) window.firstAt ??= performance.now();
  }).observe(root, { childList: true, subtree: true });
  return root;
};
addEventListener('sax-message', (e) => { said.push(e.detail); });
`;

/** The widget on a page that is being opened. */
export function chatPage(page: Page, url: string): ChatPage {
  const lines = () =>
    page.evaluate<Row[]>(`[...document.querySelector('sax-chat').shadowRoot.querySelectorAll('.row')].map((row) => ({
      nick: row.querySelector('.nick').textContent, text: row.querySelector('.text').textContent, classes: row.className }))`);
  const texts = async () => (await lines()).map(({ text }) => text);
  return {
    page,
    url,
    lines,
    texts,
    async shows(wanted, match, deadline) {
      let seen: string[] = [];
      await until(
        async () => {
          seen = (await texts()).filter((text) => match.test(text));
          return seen.length >= wanted.length;
        },
        () => `shown: ${JSON.stringify(seen)}, wanted: ${JSON.stringify(wanted)}`,
        deadline,
      );
      if (JSON.stringify(seen) !== JSON.stringify(wanted))
        throw new Error(`shown: ${JSON.stringify(seen)}, wanted: ${JSON.stringify(wanted)}`);
    },
    async say(text) {
      await page.locator('sax-chat textarea').fill(text);
      await page.locator('sax-chat textarea').press('Enter');
    },
    async live(times = 1, deadline = 20_000) {
      await until(
        () => page.evaluate<boolean>(`window.lives >= ${times}`),
        () => `not live ${times} times on ${url}`,
        deadline,
      );
    },
    status: async () => (await page.locator('sax-chat .status').textContent()) ?? '',
    violations: () => page.evaluate<string[]>('window.bad'),
    wake: () =>
      page.evaluate<void>(`for (let i = 0; i < 3; i++) {
        dispatchEvent(new Event('online')); document.dispatchEvent(new Event('visibilitychange'));
        dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true })); }`),
  };
}
