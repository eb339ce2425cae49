/**
 * A command with arguments as one writes it in a shell: words between blanks, quotes and backslashes as usual, nothing else
 * has a meaning (no variables, no globs). Throws a RangeError when a quote is not closed or there is no word.
 */
export function splitWords(command: string): readonly [string, ...string[]] {
  const words: string[] = [];
  let word: string | undefined;
  const token = /([ \t\n]+)|'([^']*)'|"((?:\\[\s\S]|[^"\\])*)"|\\([\s\S])|([^ \t\n'"\\]+)/gy;
  let behind = 0;
  for (const [all, blank, single, double, escaped, plain] of command.matchAll(token)) {
    behind += all.length;
    if (blank !== undefined) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? '') + (single ?? double?.replace(/\\(["\\$`])/g, '$1') ?? escaped ?? plain ?? '');
  }
  if (word !== undefined) words.push(word);
  if (behind !== command.length) throw new RangeError('a command whose quotes are closed');
  const [first, ...rest] = words;
  if (first === undefined || first === '') throw new RangeError('a command');
  return [first, ...rest];
}
