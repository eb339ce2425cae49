import type { KeyDoc, SectionDoc } from '../config-doc.ts';
import { bold, heading, italic, roffText, tagged, titleLine, verbatim } from './roff.ts';

/** saxctl.toml(5), from the schema. */
export function configPage(sections: readonly SectionDoc[], version: string): { file: string; text: string } {
  const parts = [
    `.\\" Made from the program's own configuration schema; do not edit.`,
    titleLine('saxctl.toml', 5, version),
    heading('Name'),
    'saxctl.toml \\- configuration of saxctl',
    heading('Description'),
    roffText(
      'One TOML file for all commands. It is looked up in this order: --config FILE, $SAXCTL_CONFIG, ' +
        '$XDG_CONFIG_HOME/saxctl/saxctl.toml, /etc/saxctl/saxctl.toml. Flags win over the environment, the environment over the file, ' +
        'the file over the defaults. Every key has an environment variable, so a file is never needed; lists are separated by commas there.',
    ),
    '.PP',
    roffText(
      'Every secret key x also has x_file (and its variable with _FILE): the value is the first line of that file. ' +
        'A relative x_file is looked up in $CREDENTIALS_DIRECTORY when that is set (LoadCredential= of systemd). ' +
        'An unknown key or a wrong value ends the command with exit status 78 and names file, line and key.',
    ),
    ...sections.flatMap((section) => [
      heading(`[${section.name}]`),
      roffText(section.doc),
      ...section.keys.map(keyEntry),
    ]),
    heading('[[link]]'),
    roffText('Further pairs of room and channel for ircbridge; without any, the one pair of [xmpp] and [irc].'),
    tagged(bold('room'), roffText('The room’s JID.')),
    tagged(bold('channel'), roffText('The IRC channel.')),
    heading('[wording]'),
    roffText('A text for each type of announcement that shall be worded differently, for example:'),
    verbatim(['[wording]', 'new-topic = "{who} opened {what} in {where} {url}"']),
    heading('See also'),
    `${bold('saxctl')}(1), ${bold('saxctl-config')}(1), ${bold('saxctl-init')}(1)`,
  ];
  return { file: 'saxctl.toml.5', text: `${parts.join('\n')}\n` };
}

function keyEntry(key: KeyDoc): string {
  const fallback =
    key.fallback === ''
      ? 'No default.'
      : `Default: ${key.fallbackIsWords ? roffText(key.fallback) : bold(key.fallback)}.`;
  const file = key.secret ? ` Or ${bold(`${key.name}_file`)}: a file that holds it.` : '';
  return tagged(
    `${bold(key.name)} (${roffText(key.type)})`,
    `${roffText(`${sentence(key.doc)} `)}${fallback}${file} Environment: ${italic(key.variable)}.`,
  );
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
