import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../src/', import.meta.url));

/** What stands in the from '…' / import('…') of a file. */
const specifiers = (text: string): string[] =>
  [
    ...text.matchAll(
      /(?:^|\n)\s*(?:import|export)\b[^'";]*?from\s*'([^']+)'|\bimport\(\s*'([^']+)'\s*\)|(?:^|\n)import\s+'([^']+)'/g,
    ),
  ].map((match) => match[1] ?? match[2] ?? match[3] ?? '');

/** The room of the house that a file stands in: core, app, edges/x, commands, config, or '' for the top. */
function ringOf(path: string): string {
  const [first = '', second = ''] = path.split('/');
  return first === 'edges' ? `edges/${second}` : path.includes('/') ? first : '';
}

type Arrow = { file: string; ring: string; to: string; target: string };

function arrows(): Arrow[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .flatMap((file) =>
      specifiers(readFileSync(join(root, file), 'utf8')).map((specifier) => {
        const local = specifier.startsWith('.');
        const target = local ? relative(root, join(root, dirname(file), specifier)) : specifier;
        return {
          file,
          ring: ringOf(file),
          to: local ? ringOf(target) : specifier.startsWith('node:') ? 'node' : 'npm',
          target,
        };
      }),
    );
}

/** What each ring may import, besides its own files. */
function allowed({ ring, to, target }: Arrow): boolean {
  if (ring === to) return ring !== 'core' || !target.startsWith('node:');
  switch (ring) {
    case 'core':
      return false;
    case 'app':
      return to === 'core' || target === 'node:crypto' || target === 'node:events';
    case 'config':
      return to === 'core' || to === 'node' || target === 'smol-toml';
    case 'commands':
    case '':
      return true;
    case 'edges/stack':
      // The private stack starts the other servers and speaks to them as their clients do.
      return to !== 'commands' && to !== '';
    default:
      // Two shared edges: the state directory, and TLS that is verified the same way for every server.
      return ['core', 'node', 'npm', 'edges/state', 'edges/tls'].includes(to) || target.startsWith('app/ports/');
  }
}

describe('the rings', () => {
  const all = arrows();

  it('are read from the real files', () => {
    expect(all.length).toBeGreaterThan(40);
    expect(all.some(({ ring, to }) => ring === 'config' && to === 'core')).toBe(true);
  });

  it('hold: commands → app → core, edges know ports and core only', () => {
    const wrong = all.filter((arrow) => !allowed(arrow)).map(({ file, target }) => `${file} → ${target}`);
    expect(wrong).toEqual([]);
  });

  it('have no circles: no file needs itself, however far around', () => {
    const needs = new Map<string, string[]>();
    for (const { file, to, target } of all)
      if (to !== 'node' && to !== 'npm') needs.set(file, [...(needs.get(file) ?? []), target]);
    const done = new Set<string>();
    const circles: string[] = [];
    const walk = (file: string, path: readonly string[]): void => {
      if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(' → '));
      if (path.includes(file) || done.has(file)) return;
      for (const next of needs.get(file) ?? []) walk(next, [...path, file]);
      done.add(file);
    };
    for (const file of needs.keys()) walk(file, []);
    expect(circles).toEqual([]);
  });

  it.each([
    ['core/x.ts', 'node:fs', 'node'],
    ['core/x.ts', 'app/ports/log.ts', 'app'],
    ['app/x.ts', 'edges/xmpp/room.ts', 'edges/xmpp'],
    ['app/x.ts', 'mysql2', 'npm'],
    ['edges/xmpp/x.ts', 'edges/irc/y.ts', 'edges/irc'],
    ['edges/xmpp/x.ts', 'app/relay.ts', 'app'],
    ['edges/xmpp/x.ts', 'commands/say.ts', 'commands'],
  ])('would catch %s → %s', (file, target, to) => {
    expect(allowed({ file, ring: ringOf(file), to, target })).toBe(false);
  });
});
