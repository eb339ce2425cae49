import type { HopResult } from '../app/demo.ts';

/** One line of the check list: mark, hop, milliseconds, detail. */
export function hopLine({ name, ok, ms, detail }: HopResult, color: boolean): string {
  const mark = ok ? 'ok    ' : 'FAILED';
  const shown = color ? `\u001b[${ok ? 32 : 31}m${mark}\u001b[0m` : mark;
  return `${shown}  ${name.padEnd(36)} ${ms.toFixed(1).padStart(9)} ms  ${detail}`;
}

/** The last line: how many held, and the time of all. */
export function hopSummary(results: readonly HopResult[], ms: number): string {
  const held = results.filter(({ ok }) => ok).length;
  return `${held} of ${results.length} hops in ${(ms / 1000).toFixed(1)} s`;
}

/** What the person needs now: where to look, how to say something, how to stop. */
export function greeting(where: {
  seconds: number;
  page: string;
  irc: string;
  channel: string;
  saxctl: string;
  config: string;
  directory: string;
}): string {
  const say = `${where.saxctl} -c ${where.config}`;
  return `The whole system runs, private and throw-away, ready after ${where.seconds.toFixed(1)} s.

  page     ${where.page}   Tari and alice, side by side
  IRC      ${where.irc}   channel ${where.channel}, no TLS, any nickname
  say      ${say} say --type new-topic --who Tari --what 'A title' --where 'A forum'
  history  ${say} history --follow
  files    ${where.directory}   configuration and logs; removed at the end
  stop     Ctrl-C

`;
}

const STYLE = `<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<style>
  body { font: 16px/1.4 system-ui, sans-serif; margin: 1rem; }
  main { display: flex; flex-wrap: wrap; gap: 1rem; }
  iframe { flex: 1 1 24rem; height: 80vh; border: 1px solid gray; }
</style>`;

/** Both members' pages side by side. `urls` are of our own sites. */
export function bothPage(urls: readonly string[]): string {
  const frames = urls.map((url) => `<iframe src="${url}member" title="${url}"></iframe>`);
  return `<!doctype html>
<html lang="en">
<head><title>saxctl demo</title>
${STYLE}</head>
<body><h1>saxctl demo</h1>
<main>${frames.join('\n')}</main>
</body></html>
`;
}

/** One member's page with his widget; `head` and `element` are what `saxctl widget` prints to paste. */
export function memberPage(name: string, head: string, element: string): string {
  return `<!doctype html>
<html lang="en">
<head><title>${name}</title>
${STYLE}
${head}</head>
<body><p>This is what <b>${name}</b> sees.</p>
${element}
</body></html>
`;
}
