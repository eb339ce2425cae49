/**
 * The few requests of man(7) that our pages need. Everything that is not ASCII becomes a glyph by its number, so that the
 * page is the same under every locale.
 */

/** Text for a filled paragraph: characters that roff would take for its own are escaped. */
export function roffText(text: string): string {
  return [...text]
    .map((character) => {
      if (character === '\\') return '\\e';
      if (character === '-') return '\\-';
      if (character === '`') return '\\(ga';
      if (character === '^') return '\\(ha';
      if (character === '~') return '\\(ti';
      const code = character.codePointAt(0) ?? 0;
      return code < 0x7f ? character : `\\[u${code.toString(16).toUpperCase().padStart(4, '0')}]`;
    })
    .join('')
    .replaceAll(/^(?=[.'])/gm, '\\&');
}

export function bold(text: string): string {
  return `\\fB${roffText(text)}\\fR`;
}

export function italic(text: string): string {
  return `\\fI${roffText(text)}\\fR`;
}

/** `.TH`, without a date: the page changes when the program does. */
export function titleLine(name: string, section: number, version: string): string {
  return `.TH "${roffText(name).toUpperCase()}" "${section}" "" "saxctl ${roffText(version)}" "saxctl manual"`;
}

export function heading(text: string): string {
  return `.SH "${roffText(text).toUpperCase()}"`;
}

/** A term with its explanation (`.TP`). Both are roff already. */
export function tagged(term: string, body: string): string {
  return `.TP\n${term}\n${body}`;
}

/** Lines as they stand. */
export function verbatim(lines: readonly string[]): string {
  return ['.nf', ...lines.map((line) => (line === '' ? '.sp' : roffText(line))), '.fi'].join('\n');
}
