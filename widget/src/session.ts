import type { Line } from './line.ts';
import { createLink, type Link } from './link.ts';
import type { Handover, LinkEvents, LinkPort, Unsaid } from './link-port.ts';
import { load, save } from './storage.ts';
import { canShareTabs, createTabs, PATIENCE, type Tabs } from './tabs.ts';

/** What a follower asks of the leader, and what one tab tells all others. */
type Orders = {
  hello(): void;
  say(entry: Unsaid, now: number): void;
  read(): void;
  bequeath(handover: Handover): void;
};

/** Tabs tell each other what to call: the leader passes its events on, the others send orders. */
type Post = readonly [name: string, ...values: unknown[]];
type Calls = Record<string, ((...values: unknown[]) => void) | undefined>;

export type SessionPort = Omit<LinkPort, 'saveUnsaid' | 'isOnline'> & {
  readonly shareTabs: boolean;
  /** Another tab is being looked at: what is unread here is read. */
  read(): void;
  /** The lines of now, for a tab that comes or comes back. */
  lines(): readonly Line[];
};

/** How old (ms) a typed line may be on the next page. */
const UNSAID_LIFE = 3_600_000;

const TICK = 5000;
const JUMP = 30_000;

/** Ties the link to this page and its tabs: who leads, what wakes it, what outlives the page. */
export function createSession(port: SessionPort) {
  const key = `sax-chat ${port.room} `;
  const isShared = port.shareTabs && canShareTabs();
  const area = isShared ? 'localStorage' : 'sessionStorage';
  const events = new AbortController();
  /** The last values of each event, for a tab that comes later. */
  const latest = new Map<string, Post>();
  /** Typed in this tab and not seen in the room yet: should this tab become the leader, it says them. */
  const mine = new Map<string, Unsaid>();
  let tabs: Tabs<Post> | undefined;
  let link: Link | undefined;
  let hasLed = false;
  /** What a leader that went away told the others; its storage may reach us later than its lock. */
  let bequest: Handover | undefined;

  const on: LinkEvents = {
    ...port.on,
    line(line) {
      if (line.p !== 'wait') mine.delete(line.m ?? '');
      port.on.line(line);
    },
  };
  /** The leader's events: what happens here is told to the others as well. */
  const told = new Proxy(on, {
    get:
      (_, name: keyof LinkEvents) =>
      (...values: unknown[]) => {
        const post = [name, ...values] as const;
        latest.set(name, post);
        (on as unknown as Calls)[name]?.(...values);
        tabs?.post(post);
      },
  });
  const orders: Orders = {
    hello() {
      if (!link) return;
      for (const line of port.lines()) tabs?.post(['line', line]);
      for (const post of latest.values()) tabs?.post(post);
    },
    read: port.read,
    bequeath(handover) {
      bequest = handover;
    },
    say(entry, now) {
      // An order that is older lay here while this tab was frozen: another has said it.
      if (Date.now() - now < PATIENCE / 2) link?.say(entry);
    },
  };

  /** Says it, or has it said. */
  function order(entry: Unsaid): void {
    if (link) link.say(entry);
    else tabs?.post(['say', entry, Date.now()]);
  }

  function lead(): void {
    hasLed = true;
    const stored = load<Unsaid[]>(area, `${key}unsaid`);
    const unsaid = stored?.filter?.((entry) => Date.now() - entry?.ts < UNSAID_LIFE) ?? [];
    for (const { id, text, ts, by } of unsaid) on.line({ m: id, n: by, t: text, ts, p: 'wait' });
    link = createLink(
      {
        ...port,
        saveUnsaid: (list) => save(area, `${key}unsaid`, list),
        on: told,
        isOnline: () => navigator.onLine,
      },
      unsaid,
    );
    const handover = load<Handover>(area, `${key}session`);
    // Read once: a duplicated tab must not take up the same session.
    save(area, `${key}session`);
    link.start(Array.isArray(handover?.list) ? handover : bequest);
    bequest = undefined;
    mine.forEach(order);
  }

  function stop(keepSession: boolean): void {
    const handover = link?.stop(keepSession);
    link = undefined;
    if (!handover) return;
    save(area, `${key}session`, handover);
    tabs?.post(['bequeath', handover]);
  }

  /** A leader listens to orders only, and to lines: one that was just deposed does not know it yet. */
  function message([name, ...values]: Post): void {
    const call =
      (orders as unknown as Calls)[name] ?? (link && name !== 'line' ? undefined : (on as unknown as Calls)[name]);
    call?.(...values);
    if (name === 'me') void check(values[2] ?? values[0]);
  }

  /**
   * Another tab speaks under this name: is it who this page would be? After a log-out and a log-in at one computer it is not;
   * the newer page then takes the lead, and one that has led before does not take it back.
   */
  async function check(nick: unknown): Promise<void> {
    const found = await port.account(false).catch(() => ({ nick }));
    if (link || found?.nick === nick) return;
    if (!hasLed) return tabs?.take();
    end();
    on.state('refused', '');
  }

  function depose(): void {
    stop(false);
    tabs?.post(['hello']);
  }

  function begin(): void {
    if (!isShared) return lead();
    tabs = createTabs(key, { lead, depose, message });
    tabs.post(['hello']);
    wake();
  }

  function end(): void {
    stop(true);
    tabs?.close();
    tabs = undefined;
  }

  function wake(): void {
    link?.wake();
    if (!document.hidden) tabs?.check();
  }

  const listen = (target: EventTarget, type: string, run: (event: Event) => void) =>
    target.addEventListener(type, run, { signal: events.signal });
  listen(window, 'online', wake);
  listen(document, 'visibilitychange', () => document.hidden || wake());
  listen(window, 'pagehide', end);
  listen(window, 'pageshow', () => (link || tabs ? wake() : begin()));
  let last = Date.now();
  const ticker = setInterval(() => {
    const now = Date.now();
    // A hidden page's timers run once a minute, so only a visible one can tell sleep from thrift.
    if (now - last > JUMP) link?.wake(!document.hidden);
    else link?.tick();
    last = now;
    // A leader that was too slow for an order has not said it; one that has knows it by its id.
    mine.forEach(order);
    if (!document.hidden) tabs?.check();
  }, TICK);
  begin();

  return {
    say(entry: Unsaid): void {
      mine.set(entry.id, entry);
      order(entry);
      tabs?.check();
    },
    /** This tab is being looked at: what is unread in others is read. */
    read: () => tabs?.post(['read']),
    isLeader: () => !!link,
    close(): void {
      clearInterval(ticker);
      events.abort();
      end();
    },
  };
}
