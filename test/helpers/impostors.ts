/** Names that a person may take for `name`: the table of what ejabberd let in with `Tari` registered, and more. */
export function variantsOf(name: string): readonly string[] {
  const swap = (pairs: Readonly<Record<string, string>>): string =>
    [...name].map((char) => pairs[char] ?? char).join('');
  const first = [...name][0] ?? '';
  const rest = name.slice(first.length);
  const upper = name.toUpperCase();
  const lower = name.toLowerCase();
  return [
    name,
    lower === name ? `${first.toUpperCase()}${rest}` : lower,
    upper,
    `${name} `,
    ` ${name}`,
    `${name}\u00a0`,
    swap({ a: 'а', e: 'е', o: 'о', i: 'і', c: 'с', р: 'p', т: 't', ё: 'e' }),
    swap({ i: 'ı', l: 'I', ü: 'u', ё: 'е' }),
    swap({ T: 'Т', B: 'В', a: 'α', J: 'Ј', П: 'Π' }),
    `${name}\u0301`,
    `${name}\u3164`,
    `${name}\u2800`,
    `${name}.`,
    `@${name}`,
    `${first}\u200b${rest}`,
    `${first}\u00ad${rest}`,
    `${name}\ufe0f`,
    `${name}\u202e`,
    `${name}\u061c`,
    `${swap({ T: 'Ｔ', a: 'ａ', B: 'Ｂ', J: 'Ｊ' })}`,
    `_${name}_`,
    `${name}${name.slice(-1)}`,
    `${first} ${rest}`,
    `\u{1d413}${name}`,
  ];
}
