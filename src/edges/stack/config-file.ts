export type TomlValue = string | number | boolean | readonly string[];
export type TomlSections = Readonly<Record<string, Readonly<Record<string, TomlValue | undefined>>>>;

/** saxctl.toml's text. Undefined values are left out; JSON's strings are TOML's basic strings. */
export function tomlOf(sections: TomlSections): string {
  return Object.entries(sections)
    .map(([name, keys]) => {
      const lines = Object.entries(keys)
        .filter((pair): pair is [string, TomlValue] => pair[1] !== undefined)
        .map(([key, value]) => `${key} = ${JSON.stringify(value)}`);
      return `[${name}]\n${lines.join('\n')}\n`;
    })
    .join('\n');
}

/** `sections` with the keys of `changes` put over them; undefined removes a key. */
export function mergeSections(sections: TomlSections, changes: TomlSections): TomlSections {
  const merged: Record<string, Readonly<Record<string, TomlValue | undefined>>> = { ...sections };
  for (const [name, keys] of Object.entries(changes)) merged[name] = { ...merged[name], ...keys };
  return merged;
}
