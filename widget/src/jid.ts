/** XEP-0106 escaping of usernames, and the parts of an address. */

const CODE = /\\(2[0267f]|3[ace]|40|5c)/g;
const RAW = /[ "&'/:<>@]|\\(?=2[0267f]|3[ace]|40|5c)/g;

/** XEP-0106: the localpart of a username. A backslash is escaped only where one of the ten codes would follow it. */
export const escapeLocal = (username: string): string =>
  username.replace(RAW, (character) => `\\${character.charCodeAt(0).toString(16)}`);

export const unescapeLocal = (localpart: string): string =>
  localpart.replace(CODE, (_, code) => String.fromCharCode(Number.parseInt(code, 16)));

/**
 * What a page calls "user" is a username, or already a localpart. It is taken for a localpart when it holds a code of
 * XEP-0106 and nothing that a localpart could not hold; so a username that really contains `\20` must be given escaped.
 */
export const memberOf = (user: string): { readonly local: string; readonly nick: string } =>
  /[ "&'/:<>@]/.test(user) || user.search(CODE) < 0
    ? { local: escapeLocal(user), nick: user }
    : { local: user, nick: unescapeLocal(user) };

/** `room@service/nick` in two parts; a nickname may itself contain slashes. */
export function splitJid(jid = ''): readonly [bare: string, resource: string] {
  const [bare = '', ...resource] = jid.split('/');
  return [bare.toLowerCase(), resource.join('/')];
}
