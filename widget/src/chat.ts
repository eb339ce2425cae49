import { findAccount } from './account.ts';
import { bosh } from './bosh.ts';
import { openConn, type Transport } from './conn.ts';
import { type Line, readEntries } from './line.ts';
import type { State } from './link-port.ts';
import { type RowContext, saidBy } from './rows.ts';
import { createSession } from './session.ts';
import { load, save } from './storage.ts';
import { createStore } from './store.ts';
import { stringsFor } from './strings.ts';
import { mentionPattern } from './text.ts';
import { createView } from './view.ts';
import { webSocket } from './ws.ts';

/** The cache holds the last hour (ms), at most so many lines. */
const CACHE_LIFE = 3_600_000;
const CACHE_LINES = 100;
/** How often (ms) a guest's page looks for a new snapshot. */
const REFRESH = 15_000;
/** Longer than any line that can be typed here; a stanza that is too long for the server would end every connection. */
const MAX_TYPED = 3500;
/** Time (ms) for the history to be drawn, before what comes is read out. */
const DRAWN = 500;
const NOTIFY = 'sax-chat notify';

export type Chat = { say(text: string): void; close(): void };

/** The page's language; the browser's where the page's is none that Intl takes (`en_US`, say). */
function languageOf(host: HTMLElement): string {
  try {
    return `${new Intl.Locale(host.closest<HTMLElement>('[lang]')?.lang as string)}`;
  } catch {
    return navigator.language;
  }
}

/** One room on a page: what is shown first, the session, the list, unread lines and notifications. */
export function openChat(host: HTMLElement): Chat {
  const text = (name: string) => host.getAttribute(name) || undefined;
  const lang = languageOf(host);
  const domain = text('domain') ?? location.hostname;
  const room = (text('room') ?? '').toLowerCase();
  const cacheKey = `sax-chat ${room} lines`;
  const bots = (text('bots') ?? '').split(',').flatMap((bot) => bot.trim() || []);
  const words = stringsFor(lang);
  // Made when the first row needs it: before that, the connection is worth more.
  const format = (options: Intl.DateTimeFormatOptions) => {
    let made: Intl.DateTimeFormat | undefined;
    return (at: number) => {
      made ??= new Intl.DateTimeFormat(lang, options);
      return made.format(at);
    };
  };
  const clock = format({ timeStyle: 'short' });
  const calendar = format({ dateStyle: 'full', timeStyle: 'medium' });
  const day = format({ weekday: 'long', day: 'numeric', month: 'long' });
  const store = createStore(Number(text('max')) || 500);
  const changed = new Set<Line>();
  const events = new AbortController();
  let state: State = 'idle';
  let note = '';
  let nick = '';
  let role = '';
  let fresh = false;
  let unread = 0;
  /** The newest line of the cache: a snapshot is newer, but the archive must tell what lies between. */
  let joined: string | undefined;
  let isDrawing = false;
  let isSettled = false;
  let refreshing: ReturnType<typeof setTimeout> | undefined;

  const emit = (type: string, detail: object) =>
    host.dispatchEvent(new CustomEvent(`sax-${type}`, { detail, bubbles: true }));
  const isNotifying = () => load('localStorage', NOTIFY) === true && window.Notification?.permission === 'granted';

  // First of all: the way to the server takes longer than everything that follows.
  const transports = [webSocket, bosh].flatMap((transport, at) => {
    const url = (text('session') || text('user') || text('user-cookie')) && text(at ? 'bosh' : 'ws');
    return url ? transport(url) : [];
  });
  const view = createView(
    host.shadowRoot as ShadowRoot,
    host.title || words.title,
    (): RowContext => ({ words, clock, calendar, nick, bots }),
    day,
    {
      say,
      isNotifying,
      async notify() {
        save('localStorage', NOTIFY, !isNotifying() && (await Notification.requestPermission()) === 'granted');
      },
    },
  );

  function add(line: Line): void {
    const [shown, isFresh] = store.add(line) ?? [];
    if (!shown) return;
    changed.add(shown);
    schedule();
    if (!isFresh || line.p) return;
    fresh = true;
    if (isSettled) tell(line);
  }

  function addAll(json: unknown, since = 0): void {
    for (const line of readEntries(json, room)) if (line.ts > since) add(line);
  }

  /** The snapshot that the server wrote into the page; true when there is one. */
  function addInlined(): boolean {
    try {
      addAll(JSON.parse(host.querySelector('script')?.textContent ?? ''));
      return true;
    } catch {
      return false;
    }
  }

  async function fetchSnapshot(): Promise<void> {
    const url = text('snapshot');
    if (!url || events.signal.aborted) return;
    try {
      // As `<link rel=preload as=fetch crossorigin>` asks, so that the browser uses what it has loaded.
      addAll(await (await fetch(url)).json());
    } catch {
      // The room itself will tell.
    }
    clearTimeout(refreshing);
    if (state === 'guest') refreshing = setTimeout(fetchSnapshot, REFRESH);
  }

  /** A line that was said just now, or while we were away. */
  function tell(line: Line): void {
    const said = saidBy(line, bots);
    emit('message', { ...said, at: line.ts, id: line.id });
    if (!document.hidden || line.n === nick) return;
    setUnread(unread + 1);
    // Only the leading tab notifies, else every tab would.
    if (!isNotifying() || !session?.isLeader() || !mentionPattern(nick).test(said.text)) return;
    try {
      new Notification(said.nick, { body: said.text, tag: line.id as string });
    } catch {
      // Chrome on Android gives permission and has no such constructor.
    }
  }

  function setUnread(count: number): void {
    if (count === unread) return;
    // The page, or another chat on it, may have changed the rest.
    document.title = document.title.replace(unread ? `(${unread})` : /^/, count ? `(${count}) ` : '');
    unread = count;
    emit('unread', { count });
  }

  /** What other tabs and the next page are shown first. */
  const recent = () => store.lines.filter((line) => !line.p && line.ts > Date.now() - CACHE_LIFE).slice(-CACHE_LINES);

  const showState = () => view.state(state, note, role);

  /** Many lines are one drawing; a hidden page draws seldom, and not by animation frames, which it has none of. */
  function schedule(): void {
    if (isDrawing) return;
    isDrawing = true;
    if (document.hidden) setTimeout(draw, 200);
    else requestAnimationFrame(draw);
  }

  function draw(): void {
    isDrawing = false;
    view.render(store.lines, changed, fresh);
    changed.clear();
    fresh = false;
    if (nick) save('localStorage', cacheKey, { room, messages: recent() });
  }

  function say(typed: string): void {
    const said = typed.slice(0, MAX_TYPED).trim();
    if (!session || !said) return;
    const entry = { id: `${Math.random()}`, text: said, ts: Date.now(), by: nick };
    add({ m: entry.id, n: nick, t: said, ts: entry.ts, p: 'wait' });
    session.say(entry);
  }

  const on = {
    line: add,
    people: view.people,
    me(newNick: string, newRole: string) {
      role = newRole;
      if (nick !== newNick) {
        nick = newNick;
        // Lines typed before we knew our name, mentions and our own lines look different now.
        for (const line of store.lines) {
          if (line.p) line.n ||= nick;
          changed.add(line);
        }
        schedule();
      }
      showState();
    },
    gap(ts: number) {
      store.dropBefore(ts);
      schedule();
    },
    settled() {
      isSettled = true;
      joined = undefined;
      setTimeout(() => view.announce(state === 'live'), DRAWN);
    },
    state(newState: State, newNote: string) {
      const wasLive = state === 'live';
      state = newState;
      note = newNote;
      showState();
      if (state !== 'live') view.announce(false);
      else if (!wasLive) emit('live', { room });
      if (state === 'guest') {
        // What was cached for a member is not for the next one at this computer.
        save('localStorage', cacheKey);
        store.dropBefore(Number.POSITIVE_INFINITY);
        addInlined();
        schedule();
        void fetchSnapshot();
      }
    },
  };
  const session = transports.length
    ? createSession({
        domain,
        room,
        history: Number(text('history')) || 20,
        open: (number, options, events) =>
          openConn(transports[number % transports.length] as Transport, options, events),
        account: (isFresh) => findAccount(text, isFresh),
        lastId: () => joined ?? store.lastId(),
        lines: recent,
        shareTabs: text('tabs') !== 'each',
        on,
        read: () => setUnread(0),
      })
    : undefined;
  // The connection is on its way; until it answers: what stands in the page, the cached last hour, the snapshot file.
  if (session) {
    addAll(load('localStorage', cacheKey), Date.now() - CACHE_LIFE);
    joined = store.lastId();
    if (!addInlined()) void fetchSnapshot();
  } else on.state('guest', '');

  const listen = (target: EventTarget, type: string, run: () => void) =>
    target.addEventListener(type, run, { signal: events.signal });
  const look = () => {
    if (document.hidden) return;
    setUnread(0);
    session?.read();
  };
  listen(document, 'visibilitychange', look);
  listen(window, 'focus', look);
  listen(window, 'online', showState);
  listen(window, 'offline', showState);

  return {
    say,
    close() {
      setUnread(0);
      session?.close();
      events.abort();
      clearTimeout(refreshing);
    },
  };
}
