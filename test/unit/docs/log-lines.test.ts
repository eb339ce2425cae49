import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const SOURCE = 'src';
const sources = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => readFileSync(join(SOURCE, file), 'utf8'));

/** The literal that begins at `from`, with … for what is put in at run time; undefined when there stands something else. */
function literalAt(text: string, from: number): string | undefined {
  const quote = text[from];
  if (quote !== '`' && quote !== "'") return undefined;
  let result = '';
  for (let index = from + 1; index < text.length; index++) {
    if (text[index] === quote) return result;
    if (text[index] === '\\') result += text[++index];
    else if (quote === '`' && text.startsWith('${', index)) {
      let depth = 1;
      for (index += 2; depth > 0; index++) depth += text[index] === '{' ? 1 : text[index] === '}' ? -1 : 0;
      index--;
      result += '…';
    } else result += text[index];
  }
  return undefined;
}

/** What is logged, by event. */
const logged = new Map<string, string[]>();
for (const text of sources)
  for (const match of text.matchAll(/\b(?:info|warn|error|debug)\(\s*'([a-z-]+)',\s*/g)) {
    const message = literalAt(text, match.index + match[0].length);
    const event = match[1] ?? '';
    if (message !== undefined) logged.set(event, [...(logged.get(event) ?? []), message]);
  }

/** True when the words of the page stand in the message, in order; … leaves out. */
function quotes(page: string, message: string): boolean {
  const escaped = page.split('…').map((part) => part.trim().replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(escaped.join('.*'), 's').test(message);
}

describe('log lines in docs/', () => {
  const page = readFileSync('docs/troubleshooting.md', 'utf8');
  const lines = readdirSync('docs')
    .filter((file) => file.endsWith('.md'))
    .flatMap((file) => [...readFileSync(join('docs', file), 'utf8').matchAll(/`([^`]+)` \[([a-z-]+)\](?!\()/g)])
    .map(([, line = '', event = '']) => [event, line] as const);

  it('quotes log lines of most kinds of trouble', () => {
    expect(lines.length).toBeGreaterThan(8);
    expect(logged.size).toBeGreaterThan(30);
  });

  it.each(lines)('[%s] %s is a line that the program writes', (event, line) => {
    expect((logged.get(event) ?? []).filter((message) => quotes(line, message))).not.toEqual([]);
  });

  it('quotes refusals of `auth --check` as they are', () => {
    const table = page.split('| refusal |')[1]?.split('\n\n')[0] ?? '';
    const refusals = [...table.matchAll(/^\| `([^`]+)`/gm)].map((match) => match[1] ?? '');
    expect(refusals.length).toBeGreaterThan(2);
    for (const text of refusals)
      expect(
        sources.some((source) => source.includes(text)),
        text,
      ).toBe(true);
  });

  it('a line that nobody writes would be noticed', () => {
    expect(quotes('not in …; trying again', 'not in …: …; trying again')).toBe(true);
    expect(quotes('not in …; giving up', 'not in …: …; trying again')).toBe(false);
  });
});
