/** The configuration's schema as plain text: what the manual page, the commented file and completions are written from. */
export type KeyDoc = {
  readonly section: string;
  readonly name: string;
  readonly doc: string;
  /** For people: "text", "whole number from 1 to 65535", "one of ctl, http". */
  readonly type: string;
  /** As it would stand in the file, or in words; '' when there is none. */
  readonly fallback: string;
  /** `fallback` is words, not a value that could be pasted. */
  readonly fallbackIsWords: boolean;
  readonly secret: boolean;
  readonly choices: readonly string[];
  readonly variable: string;
};

export type SectionDoc = { readonly name: string; readonly doc: string; readonly keys: readonly KeyDoc[] };

/** The environment variable of a key (DESIGN section 3). */
export function variableOf(section: string, key: string): string {
  return `SAXCTL_${section}_${key}`.toUpperCase();
}

/** A text as a TOML basic string (TOML 1.0, "String"). */
export function tomlString(text: string): string {
  const escaped = text.replaceAll(/[\\"\u0000-\u001f\u007f]/g, (character) => {
    if (character === '\\' || character === '"') return `\\${character}`;
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
  return `"${escaped}"`;
}
