import type { Config } from './schema.ts';

type Sections = Record<string, Record<string, unknown>>;

/** Defaults that depend on other keys (DESIGN 3); values that were given stay as they are. */
export function derive(
  sections: Sections,
  env: Readonly<Record<string, string | undefined>>,
): Omit<Config, 'link' | 'wording'> {
  const fallback = (section: string, name: string, make: () => string | undefined): void => {
    const table = sections[section];
    const given = table === undefined ? undefined : Object.getOwnPropertyDescriptor(table, name)?.get;
    if (table === undefined || given === undefined) return;
    Object.defineProperty(table, name, { get: () => given() ?? make(), enumerable: true, configurable: true });
  };
  const text = (section: string, name: string): string | undefined => sections[section]?.[name] as string | undefined;

  fallback('xmpp', 'muc_service', () => prefixed('conference.', text('xmpp', 'domain')));
  fallback('xmpp', 'room', () => prefixed('sax@', text('xmpp', 'muc_service')));
  for (const bot of ['webridge', 'ircbridge', 'guard']) fallback(bot, 'nick', () => text(bot, 'jid')?.split('@')[0]);
  fallback('irc', 'username', () => text('irc', 'nick'));
  fallback('irc', 'realname', () => text('irc', 'nick'));
  // systemd may name several directories; the first is ours.
  fallback('state', 'dir', () => env['STATE_DIRECTORY']?.split(':')[0] || '/var/lib/saxctl');
  return sections as unknown as Omit<Config, 'link' | 'wording'>;
}

const prefixed = (prefix: string, text: string | undefined): string | undefined =>
  text === undefined ? undefined : prefix + text;
