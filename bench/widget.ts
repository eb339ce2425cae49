import { createHash, X509Certificate } from 'node:crypto';
import { copyFile, readFile, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { BrowserContext } from 'playwright-core';
import { launchBrowser, type Site, startSite } from '../test/helpers/chat-page.ts';
import { enterRoom } from '../test/helpers/person.ts';
import { startSleepyProxy } from '../test/helpers/sleepy-proxy.ts';
import { until } from '../test/helpers/until.ts';
import { median, printTable } from './lib/table.ts';

const ROUNDS = Number(process.env['ROUNDS'] ?? 5);
const RTTS = (process.env['RTTS'] ?? '0,50,100,200').split(',').map(Number);

/** A page in the seed's manner: Strophe.js, told what it needs, history drawn as list items. */
const STROPHE = `
window.startAt = performance.now();
const line = (text) => { const li = document.createElement('li'); li.textContent = text; document.getElementById('log').append(li); window.firstAt ??= performance.now(); };
const { Strophe, $pres } = window;
const c = new Strophe.Connection(location.search.slice(1), {});
c.addHandler((m) => { const b = m.querySelector('body'); if (b) line(b.textContent); return true; }, null, 'message', 'groupchat');
c.addHandler((p) => { if (p.querySelector('status[code="110"]')) window.liveAt ??= performance.now(); return true; }, null, 'presence');
c.connect('stranger@DOMAIN', 'not asked for', (s) => {
  if (s === Strophe.Status.CONNECTED)
    c.send($pres({ to: 'ROOM/stranger' }).c('x', { xmlns: 'http://jabber.org/protocol/muc' }).c('history', { maxstanzas: 20 }));
});`;

/**
 * converse.js as its own documentation embeds one room. Its page tells of itself: the first line is in the document, the server has
 * told us that we are in the room.
 */
const CONVERSE = `
const Real = window.WebSocket;
window.WebSocket = class extends Real {
  constructor(...args) {
    super(...args);
    this.addEventListener('message', ({ data }) => { if (/code=.110/.test(data)) window.liveAt ??= performance.now(); });
  }
};
new MutationObserver(() => {
  if (/of the history/.test(document.querySelector('converse-root')?.textContent ?? '')) window.firstAt ??= performance.now();
}).observe(document, { childList: true, subtree: true, characterData: true });
window.startAt = performance.now();
converse.initialize({
  authentication: 'login', auto_login: true, jid: 'stranger@DOMAIN', password: 'not asked for', websocket_url: location.search.slice(1),
  auto_join_rooms: [{ jid: 'ROOM', nick: 'stranger' }], singleton: true, view_mode: 'embedded', assets_path: '/converse/',
  clear_cache_on_logout: true, discover_connection_methods: false, loglevel: 'error',
});`;

/** The directory of converse.js's built files; undefined where it is not installed (its 100 MB are no dependency of ours). */
function converseFiles(): string | undefined {
  try {
    return dirname(createRequire(import.meta.url).resolve('converse.js/dist/converse.min.js'));
  } catch {
    return undefined;
  }
}

/** ms from the navigation; `net` from the start of the script to live. */
type Times = { readonly first: number; readonly live: number; readonly net: number };
type Case = {
  readonly name: string;
  readonly isGuest?: boolean;
  measure(origin: string, fresh: () => Promise<BrowserContext>): Promise<Times>;
};

/** Loads a page and answers when its first line was there and when it was in the room, in ms from the navigation. */
async function visit(context: BrowserContext, url: string): Promise<Times> {
  const page = await context.newPage();
  await page.goto(url);
  const read = () => page.evaluate<(number | undefined)[]>('[window.firstAt, window.liveAt, window.startAt]');
  await until(async () => (await read()).every((at) => at !== undefined), `nothing came on ${url}`, 60_000);
  const [first = 0, live = 0, start = 0] = await read();
  await page.close();
  return { first, live, net: live - start };
}

async function cases(site: Site): Promise<Case[]> {
  const { domain, room } = site.stack;
  const strophe = createRequire(import.meta.url)
    .resolve('strophe.js')
    .replace(/dist.*/, 'dist/strophe.umd.min.js');
  await copyFile(strophe, join(site.root, 'strophe.js'));
  await writeFile(join(site.root, 'seed.js'), STROPHE.replaceAll('DOMAIN', domain).replaceAll('ROOM', room));
  await writeFile(
    join(site.root, 'seed.html'),
    '<!doctype html><title>Seed</title><ul id="log"></ul><script src="/strophe.js"></script><script src="/seed.js"></script>',
  );
  const converse = converseFiles();
  if (converse !== undefined) {
    await symlink(converse, join(site.root, 'converse'));
    await writeFile(join(site.root, 'conv.js'), CONVERSE.replaceAll('DOMAIN', domain).replaceAll('ROOM', room));
    await writeFile(
      join(site.root, 'conv.html'),
      '<!doctype html><html lang="en"><title>Converse</title><link rel="stylesheet" href="/converse/converse.min.css"><body><converse-root></converse-root><script type="module" src="/converse/converse.min.js"></script><script type="module" src="/conv.js"></script></body>',
    );
  }
  const path = async (...options: Parameters<Site['write']>) => new URL(await site.write(...options)).pathname;
  const preload = {
    attributes: { snapshot: '/room.json' },
    head: '<link rel="preload" as="fetch" crossorigin="anonymous" href="/room.json">',
  };
  const cold = { ws: await path({ user: 'stranger' }), bosh: await path({ user: 'stranger', transports: 'bosh' }) };
  const inPage = await path({ attributes: { user: 'stranger', password: 'not asked for' } });
  const snapshot = await path({ user: 'stranger', ...preload });
  const once = (name: string, address: (origin: string) => string): Case => ({
    name,
    measure: async (origin, fresh) => visit(await fresh(), address(origin)),
  });
  const again = (name: string, address: string): Case => ({
    name,
    async measure(origin, fresh) {
      const context = await fresh();
      await visit(context, origin + address);
      return visit(context, origin + address);
    },
  });
  return [
    once('Strophe.js 5 WebSocket (floor)', (origin) => `${origin}/seed.html?${origin.replace('http', 'ws')}/ws`),
    ...(converse === undefined
      ? []
      : [
          {
            ...once('converse.js WebSocket', (origin) => `${origin}/conv.html?${origin.replace('http', 'ws')}/ws`),
            isGuest: true,
          },
        ]),
    once('Strophe.js 5 BOSH', (origin) => `${origin}/seed.html?${origin}/bosh`),
    once('sax-chat cold, WebSocket', (origin) => origin + cold.ws),
    once('sax-chat cold, token in the page', (origin) => origin + inPage),
    once('sax-chat cold, BOSH', (origin) => origin + cold.bosh),
    once('sax-chat snapshot preloaded', (origin) => origin + snapshot),
    again('sax-chat next page (cache, resumed)', cold.ws),
  ];
}

/** First line and live, for widget and Strophe.js, at several round-trip times, interleaved in the same run. */
export async function run(): Promise<void> {
  if (converseFiles() === undefined)
    process.stdout.write(
      'converse.js is not measured: not installed (npm install --no-save --ignore-scripts converse.js)\n',
    );
  const site = await startSite();
  const pem = new X509Certificate(await readFile(site.stack.tlsCa));
  const spki = createHash('sha256')
    .update(pem.publicKey.export({ type: 'spki', format: 'der' }))
    .digest('base64');
  // An untrusted certificate that is ignored costs two more round trips on each connection; a known one does not.
  const browser = await launchBrowser([`--ignore-certificate-errors-spki-list=${spki}`]);
  try {
    const bot = await enterRoom(site.stack, 'alice', { nick: 'ircbridge', localpart: 'ircbridge' });
    for (let i = 0; i < 60; i++) bot.say(`line ${i} of the history`);
    await bot.heard(({ body }) => body.startsWith('line 59 '));
    const messages = bot.lines.slice(-20).map(({ stanzaId, nick, body }) => ({
      id: stanzaId,
      n: nick,
      t: body,
      ts: Math.floor(Number(stanzaId) / 1000),
    }));
    await writeFile(join(site.root, 'room.json'), JSON.stringify({ v: 1, room: site.stack.room, messages }));
    let all = await cases(site);
    const rows: (string | number)[][] = [];
    for (const rtt of RTTS) {
      const proxy = await startSleepyProxy(site.stack.nginx.directPort, rtt);
      const origin = `https://localhost:${proxy.port}`;
      const times = new Map(all.map(({ name }) => [name, [] as Times[]]));
      for (let round = 0; round <= ROUNDS; round++)
        // Another one begins each time: who comes first finds the machine colder.
        for (const { name, measure, isGuest } of [
          ...all.slice(round % all.length),
          ...all.slice(0, round % all.length),
        ]) {
          const contexts: BrowserContext[] = [];
          const fresh = async () => {
            const context = await browser.newContext();
            contexts.push(context);
            return context;
          };
          try {
            const measured = await measure(origin, fresh);
            // The first round warms disk and servers.
            if (round > 0) times.get(name)?.push(measured);
          } catch (error) {
            if (!isGuest) throw error;
            process.stdout.write(`${name} is not measured: ${String(error)}\n`);
            all = all.filter((one) => one.name !== name);
          }
          for (const context of contexts) await context.close();
        }
      const of = (name: string, key: keyof Times) => median((times.get(name) ?? []).map((one) => one[key]));
      const floor = (key: keyof Times) => of(all[0]?.name ?? '', key);
      for (const { name } of all) {
        const net = of(name, 'net');
        const live = of(name, 'live');
        rows.push([
          name,
          String(rtt),
          of(name, 'first'),
          live,
          (live / floor('live')).toFixed(2),
          net,
          (net / floor('net')).toFixed(2),
        ]);
      }
      await proxy.close();
    }
    bot.leave();
    const head = [
      'page',
      'added RTT ms',
      'first line ms',
      'live ms',
      '÷ Strophe WebSocket',
      'script to live ms',
      '÷ Strophe WebSocket',
    ];
    printTable('Time to first line and to live from the navigation, and to live from the start of the script', [
      head,
      ...rows,
    ]);
  } finally {
    await browser.close();
    await site.close();
  }
}
