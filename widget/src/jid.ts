/** XEP-0106 escaping of usernames, and the parts of an address. */

const CODE = /\\(2[0267f]|3[ace]|40|5c)/g;
const RAW = /[ "&'/:<>@]|\\(?=2[0267f]|3[ace]|40|5c)/g;

/**
 * The localpart and the nickname of what a page calls "user": a username, or already a localpart. Codes of XEP-0106 in it
 * are decoded, so a username that really contains `\20` must be given as a localpart (`\5c20`).
 */
export function memberOf(user: string): { readonly local: string; readonly nick: string } {
  const nick = user.replace(CODE, (_, code) => String.fromCharCode(Number.parseInt(code, 16)));
  return { nick, local: nick.replace(RAW, (character) => `\\${character.charCodeAt(0).toString(16)}`) };
}

/** `room@service/nick` in two parts; a nickname may itself contain slashes. */
export function splitJid(jid = ''): readonly [bare: string, resource: string] {
  const [bare = '', ...resource] = jid.split('/');
  return [bare.toLowerCase(), resource.join('/')];
}
