export type CallValues = {
  readonly nick: string;
  readonly localpart: string;
  readonly domain: string;
  readonly mucService: string;
};

/** How the two commands are called with the installed ejabberdctl. */
export type CallForm = {
  register(values: CallValues): readonly string[];
  unregister(values: CallValues): readonly string[];
};

/**
 * The form of the installed version, by its own help text: ejabberd 18 and 19 want the virtual host as the last argument,
 * 20.01 to 24.10 the MUC service, from 24.12 on the JID in two parts. Everything since 20.01 also takes `--version 2`, the
 * middle form, so that is the choice unless the help says clearly that it is an old one.
 */
export function chooseForm(help: string): CallForm {
  const names = [...help.matchAll(/^\s*(?:Arguments:\s*)?([a-z_]+)::/gm)].map((match) => match[1]);
  const old = names.length > 0 && !names.includes('service') && !names.includes('user');
  return old ? form([], ({ domain }) => domain) : form(['--version', '2'], ({ mucService }) => mucService);
}

function form(flags: readonly string[], last: (values: CallValues) => string): CallForm {
  const jid = ({ localpart, domain }: CallValues): string => `${localpart}@${domain}`;
  return {
    register: (values) => [...flags, 'muc_register_nick', values.nick, jid(values), last(values)],
    unregister: (values) => [...flags, 'muc_unregister_nick', jid(values), last(values)],
  };
}
