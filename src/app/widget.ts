/** What a page needs to show the widget, as HTML that is ready to be pasted. */

import type { WidgetManifest } from '../core/widget-manifest.ts';

/** The widget on one site; paths are URLs of the site as the browser sees it. */
export type WidgetPage = {
  readonly manifest: WidgetManifest;
  /** Where the directory of the built files is served, with a slash at its end. */
  readonly url: string;
  readonly domain: string;
  readonly room: string;
  readonly ws: string;
  readonly bosh: string;
  readonly session: string;
  /** Of the file that webridge writes; none where it writes none. */
  readonly snapshot: string | undefined;
  /** Nicknames of the bots: their announcements and relayed lines are shown as such. */
  readonly bots: readonly string[];
  readonly title: string;
};

const REFERENCES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

const escapeHtml = (text: string): string => text.replace(/[&<>"]/g, (character) => REFERENCES[character] ?? '');

function tag(name: string, attributes: Readonly<Record<string, string | undefined>>, separator = ' '): string {
  const written = Object.entries(attributes).flatMap(([key, value]) =>
    value === undefined ? [] : `${separator}${key}="${escapeHtml(value)}"`,
  );
  return `<${name}${written.join('')}>`;
}

/** The lines of `<head>`: the snapshot is on its way before the script runs, the script is the one that was built. */
export function widgetHead({ manifest, url, snapshot }: WidgetPage): string {
  const preload =
    snapshot === undefined
      ? ''
      : `${tag('link', { rel: 'preload', as: 'fetch', crossorigin: 'anonymous', href: snapshot })}\n`;
  const script = { type: 'module', src: url + manifest.file, integrity: manifest.integrity, crossorigin: 'anonymous' };
  return `${preload}${tag('script', script)}</script>`;
}

/** The element itself, one attribute a line. */
export function widgetElement(page: WidgetPage): string {
  const { title, domain, room, ws, bosh, session, snapshot, bots } = page;
  const attributes = { title, domain, room, ws, bosh, session, snapshot, bots: bots.join(',') || undefined };
  return `${tag('sax-chat', attributes, '\n  ')}</sax-chat>`;
}

/** A whole page with nothing but the chat, to try the site's parts together. */
export function widgetPage(page: WidgetPage): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(page.title)}</title>
${widgetHead(page)}
</head>
<body>
<main>
${widgetElement(page)}
</main>
</body>
</html>
`;
}
