import { readdirSync, readFileSync } from 'node:fs';

export type DocLine = { readonly file: string; readonly line: number; readonly words: readonly string[] };

/** Every page for people. */
export const PAGES = ['README.md', 'CONTRIBUTING.md', ...readdirSync('docs').map((file) => `docs/${file}`)].filter(
  (file) => file.endsWith('.md'),
);

/** The command lines in the `sh` blocks of a page that start saxctl, cut into words as a shell does. */
export function saxctlLines(file: string): DocLine[] {
  let shell = false;
  return readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((text, index) => {
      const fence = /^\s*```(\w*)/.exec(text);
      if (fence !== null) {
        shell = !shell && fence[1] === 'sh';
        return [];
      }
      return shell ? simpleCommands(text).map((words) => ({ file, line: index + 1, words })) : [];
    })
    .map((found) => ({ ...found, words: afterPrograms(found.words) }))
    .filter(({ words }) => words.length > 0);
}

/** Words behind `saxctl`, also where sudo or variables stand before it; nothing for another program. */
function afterPrograms(words: readonly string[]): string[] {
  const rest = words.filter((word, index) => !(index < 1 && /^[A-Z_]+=/.test(word)));
  if (rest[0] === 'saxctl') return rest.slice(1);
  const inside = rest[0] === 'sudo' ? rest.indexOf('saxctl') : -1;
  return inside === -1 ? [] : rest.slice(inside + 1);
}

/** A line of shell as simple commands: quotes, comments, and the operators that part commands. No more than the docs use. */
function simpleCommands(line: string): string[][] {
  const commands: string[][] = [[]];
  let word: string | undefined;
  let quote = '';
  const end = (): void => {
    if (word !== undefined) commands.at(-1)?.push(word);
    word = undefined;
  };
  for (let index = 0; index < line.length; index++) {
    const character = line[index] ?? '';
    if (quote !== '') {
      if (character === quote) quote = '';
      else word += character;
    } else if (character === "'" || character === '"') {
      quote = character;
      word ??= '';
    } else if (character === '#' && word === undefined) break;
    else if (/\s/.test(character)) end();
    else if (character === '|' || character === ';' || character === '&') {
      end();
      commands.push([]);
    } else if (character === '>' || character === '<') {
      end();
      commands.push([]);
    } else word = (word ?? '') + character;
  }
  end();
  return commands.filter((words) => words.length > 0);
}
