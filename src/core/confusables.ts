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
const ALIKE: Readonly<Record<string, string>> = { i: 'l', j: 'l', '1': 'l', '0': 'o' };

/**
 * Equal for names that a person may take for one another: without case, marks, blanks, punctuation and what cannot be seen.
 * A name that has nothing else keeps its skeleton.
 */
export function lookOf(name: string): string {
  // Twice around the change of case: В looks like B and в like nothing, а like a in either.
  const bare = (text: string): string => text.replace(/[\p{M}\p{Default_Ignorable_Code_Point}]/gu, '');
  const folded = bare(skeleton(bare(skeleton(name)).toLowerCase())).toLowerCase();
  const letters = folded.replace(/[^\p{L}\p{N}]/gu, '');
  return (letters === '' ? folded.trim() : letters).replace(/[ij10]/g, (char) => ALIKE[char] ?? char);
}
