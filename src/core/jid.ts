/** XEP-0106: what a localpart may not hold, and how it is written instead. */
const ESCAPES: Readonly<Record<string, string>> = {
  ' ': '\\20',
  '"': '\\22',
  '&': '\\26',
  "'": '\\27',
  '/': '\\2f',
  ':': '\\3a',
  '<': '\\3c',
  '>': '\\3e',
  '@': '\\40',
  '\\': '\\5c',
};

const CHARACTERS: ReadonlyMap<string, string> = new Map(Object.entries(ESCAPES).map(([char, code]) => [code, char]));

/**
 * A name as it is written in the localpart of a JID (XEP-0106 section 3). A backslash is escaped only where it would be
 * read as the start of an escape. Undefined for a name that begins or ends with a space, which has no escaped form.
 */
export function escapeLocalpart(name: string): string | undefined {
  if (name.startsWith(' ') || name.endsWith(' ')) return undefined;
  return name.replace(/[ "&'/:<>@]|\\(?=20|22|26|27|2f|3a|3c|3e|40|5c)/g, (char) => ESCAPES[char] ?? char);
}

/** The name behind an escaped localpart. An escaped space at either end is no escape and stays. */
export function unescapeLocalpart(localpart: string): string {
  return localpart.replace(/\\(?:20|22|26|27|2f|3a|3c|3e|40|5c)/g, (code, at: number) => {
    const edge = at === 0 || at + code.length === localpart.length;
    return code === '\\20' && edge ? code : (CHARACTERS.get(code) ?? code);
  });
}

/** localpart@domain/resource in its three parts; the localpart is '' where there is none. */
export function splitJid(jid: string): { readonly local: string; readonly domain: string; readonly resource: string } {
  const slash = jid.indexOf('/');
  const bare = slash < 0 ? jid : jid.slice(0, slash);
  const at = bare.indexOf('@');
  return {
    local: at < 0 ? '' : bare.slice(0, at),
    domain: bare.slice(at + 1),
    resource: slash < 0 ? '' : jid.slice(slash + 1),
  };
}
