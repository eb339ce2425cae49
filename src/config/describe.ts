import { type KeyDoc, type SectionDoc, tomlString, variableOf } from '../core/config-doc.ts';
import { type Key, SCHEMA, type SectionName } from './schema.ts';

const SECTION_DOCS: Readonly<Record<SectionName, string>> = {
  database: 'The forum’s database. saxctl only reads it.',
  xmpp: 'The chat server and the room.',
  ejabberd: 'How sync-nicks and doctor talk to ejabberd’s administration.',
  auth: 'What counts as a credential of a member.',
  webridge: 'The bot that says the site’s announcements; its account also reads the archive for history.',
  ircbridge: 'The bot that stands in the room for the IRC channel.',
  irc: 'The IRC network and the channel.',
  guard: 'The bot that keeps look-alikes of members out.',
  state: 'What has to survive a restart.',
  metrics: 'Prometheus metrics and health of the daemons.',
};

/** The whole schema as plain text, in the order of the file. */
export function describeConfiguration(): SectionDoc[] {
  return (Object.keys(SCHEMA) as SectionName[]).map((section) => ({
    name: section,
    doc: SECTION_DOCS[section],
    keys: Object.entries<Key<unknown>>(SCHEMA[section]).map(([name, key]) => describeKey(section, name, key)),
  }));
}

function describeKey(section: SectionName, name: string, key: Key<unknown>): KeyDoc {
  return {
    section,
    name,
    doc: key.doc,
    type: typeOf(key),
    fallback: key.shown ?? fallbackOf(key),
    fallbackIsWords: key.shown !== undefined,
    secret: key.secret === true,
    choices: key.choices ?? [],
    variable: variableOf(section, name),
  };
}

function typeOf(key: Key<unknown>): string {
  switch (key.kind) {
    case 'text':
      return key.secret === true ? 'secret text' : 'text';
    case 'integer':
      return `whole number from ${key.min ?? 0} to ${key.max ?? Number.MAX_SAFE_INTEGER}`;
    case 'boolean':
      return 'true or false';
    case 'list':
      return 'list of texts';
    case 'choice':
      return `one of ${(key.choices ?? []).join(', ')}`;
    case 'mode':
      return 'octal mode in quotes';
    case 'duration':
      return 'duration ("90s", "5m", "1h", "2d")';
    case 'pattern':
      return 'regular expression';
  }
}

const DURATIONS = [
  ['w', 604_800_000],
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
] as const;

/** Milliseconds as they would be written in the file: a bare number there counts seconds. */
export function durationText(ms: number): string {
  if (ms === 0) return '0s';
  const [unit, size] = DURATIONS.find(([, milliseconds]) => ms % milliseconds === 0) ?? (['ms', 1] as const);
  return `${ms / size}${unit}`;
}

/** The default as it would be written in the file. */
function fallbackOf(key: Key<unknown>): string {
  const { fallback } = key;
  if (fallback === undefined) return '';
  if (fallback instanceof RegExp) return tomlString(fallback.source);
  if (Array.isArray(fallback))
    return fallback.length === 0 ? '' : `[${fallback.map((item) => tomlString(String(item))).join(', ')}]`;
  if (typeof fallback === 'number' && key.kind === 'mode') return `"${fallback.toString(8).padStart(4, '0')}"`;
  if (typeof fallback === 'number' && key.kind === 'duration') return `"${durationText(fallback)}"`;
  return typeof fallback === 'string' ? tomlString(fallback) : String(fallback);
}
