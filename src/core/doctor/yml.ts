/** ejabberd.yml as parsed YAML: a tree of which nothing is certain. */
export type Yml = Readonly<Record<string, unknown>>;

const isTable = (value: unknown): value is Yml => typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * The options that hold for a virtual host: macros replaced, `host_config` and `append_host_config` of the host over the top
 * level (docs.ejabberd.im, "Virtual Hosting").
 */
export function optionsFor(raw: unknown, domain: string | undefined): Yml {
  const top = isTable(raw) ? raw : {};
  const macros = isTable(top['define_macro']) ? top['define_macro'] : {};
  const replaced = replaceMacros(top, macros);
  const options = isTable(replaced) ? replaced : {};
  const own = (name: string): Yml => {
    const hosts = options[name];
    const found = isTable(hosts) && domain !== undefined ? hosts[domain] : undefined;
    return isTable(found) ? found : {};
  };
  const appended = own('append_host_config');
  const modules = {
    ...tableAt(options, 'modules'),
    ...tableAt(own('host_config'), 'modules'),
    ...tableAt(appended, 'modules'),
  };
  return { ...options, ...own('host_config'), ...appended, modules };
}

function replaceMacros(value: unknown, macros: Yml): unknown {
  if (typeof value === 'string') return Object.hasOwn(macros, value) ? macros[value] : value;
  if (Array.isArray(value)) return value.map((item) => replaceMacros(item, macros));
  if (!isTable(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, replaceMacros(item, macros)]));
}

/** The value at a path of keys. */
export function at(yml: Yml, ...path: readonly string[]): unknown {
  return path.reduce<unknown>((value, key) => (isTable(value) ? value[key] : undefined), yml);
}

export function tableAt(yml: Yml, ...path: readonly string[]): Yml {
  const value = at(yml, ...path);
  return isTable(value) ? value : {};
}

export function listAt(yml: Yml, ...path: readonly string[]): readonly unknown[] {
  const value = at(yml, ...path);
  return Array.isArray(value) ? value : value === undefined || value === null ? [] : [value];
}

/** YAML 1.1's other words for true and false are accepted by ejabberd's parser too. */
export function booleanAt(yml: Yml, ...path: readonly string[]): boolean | undefined {
  const value = at(yml, ...path);
  if (value === true || value === 'true' || value === 'yes' || value === 'on') return true;
  if (value === false || value === 'false' || value === 'no' || value === 'off') return false;
  return undefined;
}

export function hasModule(yml: Yml, name: string): boolean {
  return Object.hasOwn(tableAt(yml, 'modules'), name);
}

/** The listeners of a module, for example ejabberd_c2s. */
export function listeners(yml: Yml, module: string): readonly Yml[] {
  return listAt(yml, 'listen').filter((entry): entry is Yml => isTable(entry) && entry['module'] === module);
}

/** True for an address that only this machine reaches; ejabberd's default is all of them. */
export function isLoopbackListener(listener: Yml): boolean {
  const ip = listener['ip'];
  const port = listener['port'];
  if (typeof port === 'string' && port.startsWith('unix:')) return true;
  return typeof ip === 'string' && (ip.startsWith('127.') || ip === '::1' || ip === '::FFFF:127.0.0.1'.toLowerCase());
}
