/**
 * The differences of two texts by line, in unified form with three lines of context; '' when they are equal. Longest common
 * subsequence by table: fine for files of a thousand lines.
 */
export function lineDiff(before: string, after: string, names: readonly [string, string]): string {
  if (before === after) return '';
  const a = before.split('\n');
  const b = after.split('\n');
  const width = b.length + 1;
  const lengths = new Uint32Array((a.length + 1) * width);
  const at = (i: number, j: number): number => lengths[i * width + j] ?? 0;
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--)
      lengths[i * width + j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
  const edits: string[] = [];
  for (let i = 0, j = 0; i < a.length || j < b.length; ) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      edits.push(` ${a[i]}`);
      i++;
      j++;
    } else if (i < a.length && (j >= b.length || at(i + 1, j) >= at(i, j + 1))) edits.push(`-${a[i++]}`);
    else edits.push(`+${b[j++]}`);
  }
  const near = edits.map((_, index) =>
    edits.slice(Math.max(0, index - 3), index + 4).some((edit) => !edit.startsWith(' ')),
  );
  const shown = edits.flatMap((edit, index) => (near[index] ? [edit] : near[index - 1] === true ? ['@@'] : []));
  return `--- ${names[0]}\n+++ ${names[1]}\n${shown.join('\n')}\n`;
}
