/**
 * NFKC as ejabberd's stringprep does it (p1_stringprep), for text of Unicode 3.2 characters only.
 *
 * `String.prototype.normalize` gives the same wherever the combining marks already stand in canonical order. Where they
 * do not, ejabberd puts only the marks that follow a heavier one in order, one run at a time, and so ends with other
 * text than the standard's; its own way is followed there. Two corrigenda of later Unicode are undone as well.
 */
import { COMBINING } from './stringprep-tables.ts';

/** Corrigendum 4 (Unicode 4.0) changed these five CJK compatibility characters; 3.2 maps them as here. */
const BEFORE_CORRIGENDUM_4: Readonly<Record<string, string>> = {
  '\u{2F868}': '\u{2136A}',
  '\u{2F874}': '\u5F33',
  '\u{2F91F}': '\u43AB',
  '\u{2F95F}': '\u7AAE',
  '\u{2F9BF}': '\u4D57',
};

let classes: ReadonlyMap<string, number> | undefined;

/** Combining classes of Unicode 3.2, decoded on first use. */
function combiningClasses(): ReadonlyMap<string, number> {
  if (classes !== undefined) return classes;
  const decoded = new Map<string, number>();
  const numbers = COMBINING.split(' ').map((item) => Number.parseInt(item, 36));
  let point = 0;
  for (let i = 0; i + 2 < numbers.length; i += 3) {
    const [gap = 0, more = 0, combiningClass = 0] = numbers.slice(i, i + 3);
    point += gap;
    const last = point + more;
    for (; point <= last; point++) decoded.set(String.fromCodePoint(point), combiningClass);
    point = last;
  }
  classes = decoded;
  return decoded;
}

/** Looks at one run at a time: a mark is moved before heavier ones as long as each that comes is lighter than the run's first. */
function orderMarks(chars: readonly string[], classOf: (char: string) => number): string[] {
  const ordered: string[] = [];
  let run: string[] = [];
  let heaviest = 0;
  for (const char of chars) {
    const weight = classOf(char);
    if (run.length > 0 && weight !== 0 && heaviest > weight) {
      let at = run.length;
      while (at > 0 && classOf(run[at - 1] ?? '') > weight) at--;
      run.splice(at, 0, char);
      continue;
    }
    // What ends a run begins the next one; the marks before it are settled, also where a later one is lighter.
    ordered.push(...run);
    run = [char];
    heaviest = weight;
  }
  return [...ordered, ...run];
}

/** The one character that two make together, if there is one. */
function composePair(first: string, second: string): string | undefined {
  const together = (first + second).normalize('NFC');
  if ([...together].length !== 1 || together === first) return undefined;
  // Only a true pair counts, not what normalize would find by reordering.
  return together.normalize('NFD') === first.normalize('NFD') + second.normalize('NFD') ? together : undefined;
}

function composeMarks(chars: readonly string[], classOf: (char: string) => number): string {
  let text = '';
  let head: string | undefined;
  let marks = '';
  let last = 0;
  for (const char of chars) {
    const weight = classOf(char);
    if (head === undefined) {
      head = char;
      last = weight;
      continue;
    }
    const together = last === 0 || weight > last ? composePair(head, char) : undefined;
    if (together !== undefined) head = together;
    else if (weight === 0) {
      text += head + marks;
      head = char;
      marks = '';
      last = 0;
    } else {
      marks += char;
      last = weight;
    }
  }
  return text + (head ?? '') + marks;
}

/** NFKC of text that has only characters of Unicode 3.2. */
export function nfkc(text: string): string {
  let decomposed = '';
  for (const char of text) decomposed += (BEFORE_CORRIGENDUM_4[char] ?? char).normalize('NFKD');
  if (!/\p{M}/u.test(decomposed) || decomposed.normalize('NFD') === decomposed) return decomposed.normalize('NFC');
  const known = combiningClasses();
  const classOf = (char: string) => known.get(char) ?? 0;
  return composeMarks(orderMarks([...decomposed], classOf), classOf);
}
