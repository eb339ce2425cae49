/**
 * Which names look alike: the skeleton of UTS 39 (section 4), folded further, because a person does not look at letter case,
 * accents or punctuation when he asks himself who is speaking. Meant to be generous: it only ever decides about guests.
 */
import { PROTOTYPES } from './confusables-table.ts';

let decoded: ReadonlyMap<string, string> | undefined;

function prototypes(): ReadonlyMap<string, string> {
  if (decoded !== undefined) return decoded;
  const map = new Map<string, string>();
  let point = 0;
  for (const entry of PROTOTYPES.split(',')) {
    const [gap = 0, ...prototype] = entry.split(' ').map((item) => Number.parseInt(item, 36));
    point += gap;
    map.set(String.fromCodePoint(point), String.fromCodePoint(...prototype));
  }
  decoded = map;
  return map;
}

/** UTS 39's skeleton, for characters that a nickname can hold: decomposed, each character replaced by its prototype. */
export function skeleton(text: string): string {
  const map = prototypes();
  let mapped = '';
  for (const char of text.normalize('NFD')) mapped += map.get(char) ?? char;
  return mapped.normalize('NFD');
}

/** What stands for the same thing to the eye although UTS 39 keeps it apart: i and l, o and 0, after folding case. */
const ALIKE: Readonly<Record<string, string>> = { i: 'l', '1': 'l', '0': 'o' };

/** Marks are letters in these scripts: without them राम and रीमा, ぱぱ and はは would be one name. */
const WITH_MARKS = [
  ...['Deva', 'Beng', 'Guru', 'Gujr', 'Orya', 'Taml', 'Telu', 'Knda', 'Mlym', 'Sinh', 'Thai', 'Laoo', 'Tibt', 'Mymr'],
  ...['Khmr', 'Hira', 'Kana'],
];
const base = WITH_MARKS.map((script) => `\\p{Script=${script}}`).join('');
const INVISIBLE = new RegExp(`(?<![${base}]\\p{M}*)\\p{M}|\\p{Default_Ignorable_Code_Point}`, 'gu');
/** What prototypes bring along: ł is an l with a stroke. */
const BROUGHT = /[\u0300-\u036f\p{Default_Ignorable_Code_Point}]/gu;

/**
 * The looks of a name: two names that a person may take for one another have one in common. Without case, marks, blanks,
 * punctuation and what cannot be seen; a name that has nothing else keeps its skeleton. Several, because capitals look like
 * other letters than their small ones do: В like B, but в like nothing; Т like T, but т like nothing; ß is SS.
 */
export function looksOf(name: string): ReadonlySet<string> {
  // ぱ is は with a ring, which UTS 39 takes for the one of å: kept apart from it, and from the two strokes of ば.
  const seen = name.normalize('NFD').replace(INVISIBLE, '').replaceAll('\u309a', '\u3099\u3099');
  return new Set([seen, seen.toLowerCase(), seen.toUpperCase()].map(lookOf));
}

function lookOf(text: string): string {
  const bare = (mapped: string): string => mapped.replace(BROUGHT, '');
  // Twice around the change of case: В looks like B, and only then like b.
  const folded = bare(skeleton(bare(skeleton(text)).toLowerCase())).toLowerCase();
  const letters = folded.replace(/[^\p{L}\p{N}\p{M}]/gu, '');
  return (letters === '' ? folded.trim() : letters).replace(/[i10]/g, (char) => ALIKE[char] ?? char);
}
