import { build, h } from './dom.ts';
import type { Line } from './line.ts';
import { mayWrite } from './link.ts';
import type { State } from './link-port.ts';
import { createList } from './list.ts';
import { type RowContext, tint } from './rows.ts';
import { complete, tame } from './text.ts';
import { parse } from './xml.ts';

const icon = (path: string) => `<svg viewBox='0 0 24 24'><path d='${path}'/></svg>`;

// An empty title of its own keeps the browser from showing the element's as a tooltip everywhere.
const PAGE = [
  `<section class='box' title=''><header class='header'><strong class='title'/><span class='status' role='status'/>`,
  `<button class='bell'>${icon('M5 17v-6a7 7 0 0 1 14 0v6l2 2H3zm4 3h6a3 3 0 0 1-6 0')}</button>`,
  `<button class='people' aria-expanded='false'>${icon('M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8m-8 8c0-9 16-9 16 0z')}`,
  `<span class='count'/></button></header><div class='main'><div class='log' role='log' aria-live='off' tabindex='0'/>`,
  `<button class='news' hidden=''/><ul class='list' hidden=''/></div><form class='form' hidden=''>`,
  `<textarea class='write' rows='1' maxlength='3500' dir='auto'/><button class='send'>${icon('M3 20l19-8L3 4v6l12 2-12 2z')}</button>`,
  `</form><div class='hint' hidden=''/></section>`,
].join('');

/** Nearer than this (px) to the end, the list follows new lines. */
const NEAR = 60;

export type ViewEvents = {
  say(text: string): void;
  isNotifying(): boolean;
  /** The bell was pressed: turns notifications on or off. */
  notify(): Promise<void>;
};

/** Builds the widget inside its shadow root and shows what it is told. Knows nothing of connections. */
export function createView(
  root: ShadowRoot,
  title: string,
  context: () => RowContext,
  dayOf: (ts: number) => string,
  on: ViewEvents,
) {
  const { words } = context();
  root.replaceChildren(build(parse(PAGE)));
  const $ = <E extends HTMLElement = HTMLElement>(name: string) => root.querySelector(`.${name}`) as E;
  const log = $('log');
  const news = $('news');
  const list = $('list');
  const people = $('people');
  const bell = $('bell');
  const status = $('status');
  const form = $<HTMLFormElement>('form');
  const input = $<HTMLTextAreaElement>('write');
  const hint = $('hint');
  for (const name of ['people', 'bell', 'write', 'send'] as const) $(name).ariaLabel = $(name).title = words[name];
  list.ariaLabel = words.people;
  input.placeholder = words.write;
  news.textContent = `↓ ${words.news}`;
  $('title').textContent = $('box').ariaLabel = log.ariaLabel = title;
  const ring = () => {
    bell.ariaPressed = `${on.isNotifying()}`;
  };
  ring();
  bell.hidden = !window.Notification;

  const draw = createList(log, context, dayOf);
  let isFollowing = true;
  let nicks: readonly string[] = [];
  let tabbed: { text: string; cursor: number; shown: string; times: number } | undefined;

  function toEnd(): void {
    log.scrollTop = log.scrollHeight;
    isFollowing = news.hidden = true;
  }
  log.onscroll = () => {
    isFollowing = log.scrollHeight - log.scrollTop - log.clientHeight < NEAR;
    news.hidden ||= isFollowing;
  };
  new ResizeObserver(() => isFollowing && toEnd()).observe(log);
  news.onclick = toEnd;
  people.onclick = () => {
    list.hidden = !list.hidden;
    people.ariaExpanded = `${!list.hidden}`;
  };
  bell.onclick = () => on.notify().then(ring);
  form.onsubmit = (event) => {
    event.preventDefault();
    on.say(input.value);
    input.value = '';
    toEnd();
  };
  input.onkeydown = (event) => {
    // While a Japanese or Chinese word is being composed, Enter belongs to the composition; in Safari 229 says so.
    if (event.isComposing || event.keyCode === 229 || event.shiftKey) return;
    if (event.key === 'Enter') {
      event.preventDefault();
      form.requestSubmit();
    } else if (event.key === 'Tab') tab(event);
  };

  /** Completes the nickname before the cursor; when there is nothing to complete, Tab moves on as everywhere. */
  function tab(event: Event): void {
    if (tabbed?.shown !== input.value)
      tabbed = { text: input.value, cursor: input.selectionStart, shown: '', times: 0 };
    const done = complete(tabbed.text, tabbed.cursor, nicks, tabbed.times++);
    if (!done) return;
    event.preventDefault();
    [input.value] = done;
    [tabbed.shown] = done;
    input.setSelectionRange(done[1], done[1]);
  }

  return {
    /** `fresh`: some of the changed lines are new to the reader. */
    render(lines: readonly Line[], changed: ReadonlySet<Line>, fresh: boolean): void {
      draw(lines, changed);
      if (isFollowing) toEnd();
      else if (fresh) news.hidden = false;
    },
    /** History is not read out; what comes after it is. */
    announce(isOn: boolean): void {
      log.ariaLive = isOn ? 'polite' : 'off';
    },
    state(state: State, note: string, role: string): void {
      const name = navigator.onLine || /live|guest/.test(state) ? state : 'offline';
      const text = /idle|guest/.test(name) ? '' : (words as Record<string, string>)[name];
      status.className = `status ${name}`;
      // Set only when it changes: a screen reader would say it again.
      if (status.textContent !== text) status.textContent = text as string;
      const isMute = state === 'live' && !mayWrite(role);
      form.hidden = isMute || /idle|guest|removed|refused/.test(state);
      hint.textContent = state === 'guest' ? words.guest : isMute ? words.visitor : tame(note);
      hint.hidden = !hint.textContent;
    },
    people(all: readonly string[]): void {
      const sorted = all.toSorted((a, b) => a.localeCompare(b));
      nicks = sorted.filter((nick) => nick !== context().nick);
      $('count').textContent = `${sorted.length}`;
      people.ariaLabel = `${words.people}: ${sorted.length}`;
      list.replaceChildren(...sorted.map((nick) => tint(h('li', 'person', tame(nick)), nick)));
    },
  };
}
