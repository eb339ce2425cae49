import { readFileSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { parse, TomlError } from 'smol-toml';
import { EXIT, reasonOf, SaxError } from '../core/errors.ts';
import { printable } from '../core/escape.ts';
import { didYouMean } from '../core/suggest.ts';
import { SAY_TYPES, TYPE_FORM, wordingProblem } from '../core/wording.ts';
import { derive } from './derive.ts';
import { type Config, type Key, parseValue, SCHEMA, type SectionName } from './schema.ts';

export type { Config } from './schema.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Where a value came from: a default, `file:line`, or the name of a variable. */
export type Origin = { readonly source: 'default' | 'file' | 'environment'; readonly where: string };

export type LoadedConfig = {
  readonly config: Config;
  /** The file that was read; undefined when there is none. */
  readonly file: string | undefined;
  /** By `section.key`. */
  readonly origins: ReadonlyMap<string, Origin>;
  /** Things to say once: unknown variables, a readable file with secrets. */
  readonly warnings: readonly string[];
};

/** All that is wrong with a configuration; `problems` are full sentences, the first one is the message. */
export class ConfigError extends SaxError {
  override name = 'ConfigError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[], cause?: unknown) {
    const more = problems.length > 1 ? ` (and ${problems.length - 1} more: saxctl config check)` : '';
    super(EXIT.config, `${problems[0]}${more}`, cause === undefined ? {} : { cause });
    this.problems = problems;
  }
}

const SYSTEM_FILE = '/etc/saxctl/saxctl.toml';

/** Variables that are ours but no configuration keys. */
const OTHER_VARIABLES = ['SAXCTL_CONFIG', 'SAXCTL_LONG'];

/**
 * Reads the configuration: environment over file over defaults (DESIGN 3).
 * @param explicit the file named by `--config`; it must exist.
 * @param onSecret told of every secret value when it becomes known, so that logs can mask it.
 * @throws ConfigError (exit 78) naming file, line and key.
 */
export function loadConfig(
  env: Environment,
  explicit?: string,
  onSecret: (value: string) => void = () => {},
): LoadedConfig {
  return new Loader(env, findFile(env, explicit), onSecret).load();
}

/** The configuration of nobody: defaults only, neither file nor environment. */
export const defaultConfig = (): LoadedConfig => new Loader({}, undefined, () => {}).load();

function findFile(env: Environment, explicit: string | undefined): string | undefined {
  const named = explicit ?? (env['SAXCTL_CONFIG'] || undefined);
  if (named !== undefined) return resolve(named);
  const home = env['XDG_CONFIG_HOME'] || (env['HOME'] ? join(env['HOME'], '.config') : undefined);
  const candidates = [...(home === undefined ? [] : [join(home, 'saxctl', 'saxctl.toml')]), SYSTEM_FILE];
  return candidates.find(exists);
}

/** A home that this user may not look into (a service started with another user's) holds no configuration for him. */
function exists(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return false;
  }
}

type Value = { readonly origin: Origin; readonly get: () => unknown };

class Loader {
  private readonly problems: string[] = [];
  private readonly warnings: string[] = [];
  private readonly values = new Map<string, Value>();
  private readonly env: Environment;
  private readonly file: string | undefined;
  private readonly onSecret: (value: string) => void;
  private text = '';

  constructor(env: Environment, file: string | undefined, onSecret: (value: string) => void) {
    this.env = env;
    this.file = file;
    this.onSecret = onSecret;
  }

  load(): LoadedConfig {
    const raw = this.readFile();
    for (const section of Object.keys(SCHEMA) as SectionName[]) {
      this.fromFile(section, raw[section]);
      this.fromEnvironment(section);
    }
    const link = this.links(raw['link']);
    const wording = this.wording(raw['wording']);
    this.unknown(raw);
    if (this.problems.length > 0) throw new ConfigError(this.problems);
    const origins = new Map<string, Origin>();
    const config = { ...derive(this.sections(origins), this.env), link, wording };
    return { config: Object.freeze(config) as Config, file: this.file, origins, warnings: this.warnings };
  }

  private readFile(): Readonly<Record<string, unknown>> {
    if (this.file === undefined) return {};
    try {
      this.text = readFileSync(this.file, 'utf8');
      const raw = parse(this.text);
      this.warnIfReadable(raw);
      return raw;
    } catch (error) {
      if (error instanceof TomlError) {
        const reason = error.message.split('\n')[0]?.replace('Invalid TOML document: ', '') ?? '';
        // Without the parser's error as cause: it quotes the lines, and one of them may hold a password.
        throw new ConfigError([`${this.file}:${error.line}: not TOML: ${reason}`]);
      }
      const code = (error as NodeJS.ErrnoException).code;
      const hint =
        code === 'ENOENT'
          ? 'no such file; write one with: saxctl init'
          : code === 'EACCES'
            ? 'not readable by this user; run it as the user of the service, or mend the file’s group'
            : reasonOf(error);
      throw new ConfigError([`cannot read the configuration ${printable(this.file)}: ${hint}`], error);
    }
  }

  private warnIfReadable(raw: Readonly<Record<string, unknown>>): void {
    const mode = statSync(this.file ?? '').mode;
    if ((mode & 0o004) === 0) return;
    const secrets = allKeys().filter(
      ({ section, name, key }) =>
        key.secret && (raw[section] as Record<string, unknown> | undefined)?.[name] !== undefined,
    );
    if (secrets.length > 0)
      this.warnings.push(
        `${this.file} holds secrets (${secrets.map(({ section, name }) => `${section}.${name}`).join(', ')}) and everybody can read it: chmod o-r ${this.file}`,
      );
  }

  private where(section: string, name?: string): string {
    return `${this.file}:${lineOf(this.text, section, name)}`;
  }

  private fromFile(section: SectionName, raw: unknown): void {
    if (raw === undefined) return;
    if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) {
      this.problems.push(`${this.where(section)}: ${section}: must be a section, [${section}]`);
      return;
    }
    const keys: Readonly<Record<string, Key<unknown>>> = SCHEMA[section];
    const table = raw as Readonly<Record<string, unknown>>;
    for (const [name, value] of Object.entries(table)) {
      const at = this.where(section, name);
      const key = keyOf(keys, name);
      const origin: Origin = { source: 'file', where: at };
      if (key !== undefined) {
        if (key.secret && table[`${name}_file`] !== undefined)
          this.problems.push(`${at}: [${section}] ${name}: give ${name} or ${name}_file, not both`);
        this.accept(section, name, key, value, origin);
      } else if (secretOf(keys, name) !== undefined) {
        this.acceptFile(section, name.slice(0, -'_file'.length), value, origin, dirname(this.file ?? '.'));
      } else {
        this.problems.push(`${at}: unknown key "${printable(name)}" in [${section}]${didYouMean(name, names(keys))}`);
      }
    }
  }

  private fromEnvironment(section: SectionName): void {
    const keys: Readonly<Record<string, Key<unknown>>> = SCHEMA[section];
    for (const [name, key] of Object.entries(keys)) {
      const variable = variableOf(section, name);
      const value = this.env[variable];
      const fileVariable = `${variable}_FILE`;
      const file = key.secret ? this.env[fileVariable] : undefined;
      if (value !== undefined && file !== undefined)
        this.problems.push(`${variable}: give it or ${fileVariable}, not both`);
      if (value !== undefined) this.accept(section, name, key, value, { source: 'environment', where: variable });
      else if (file !== undefined)
        this.acceptFile(section, name, file, { source: 'environment', where: fileVariable }, '.');
    }
  }

  private accept(section: SectionName, name: string, key: Key<unknown>, raw: unknown, origin: Origin): void {
    try {
      const value = parseValue(key, raw);
      if (key.secret && typeof value === 'string') this.onSecret(value);
      this.values.set(`${section}.${name}`, { origin, get: () => value });
    } catch (error) {
      const shown = key.secret ? 'the value' : printable(JSON.stringify(raw) ?? String(raw));
      this.problems.push(`${origin.where}: [${section}] ${name}: ${shown} is wrong: must be ${reasonOf(error)}`);
    }
  }

  /** A secret in a file is read on first use: `say` need not be able to read the database’s password. */
  private acceptFile(section: SectionName, name: string, raw: unknown, origin: Origin, base: string): void {
    if (typeof raw !== 'string' || raw === '') {
      this.problems.push(`${origin.where}: [${section}] ${name}_file: must be a path in quotes`);
      return;
    }
    const directory = this.env['CREDENTIALS_DIRECTORY'] || base;
    const path = isAbsolute(raw) ? raw : resolve(directory, raw);
    let secret: string | undefined;
    const get = (): string => {
      if (secret === undefined) {
        secret = readSecret(path, `${origin.where}: [${section}] ${name}_file`);
        this.onSecret(secret);
      }
      return secret;
    };
    this.values.set(`${section}.${name}`, { origin: { ...origin, where: `${origin.where} → ${path}` }, get });
  }

  private links(raw: unknown): Config['link'] {
    if (raw === undefined) return [];
    const wrong = (): Config['link'] => {
      this.problems.push(`${this.where('link')}: [[link]] needs room = "…" and channel = "…", both texts`);
      return [];
    };
    if (!Array.isArray(raw)) return wrong();
    const links: { room: string; channel: string }[] = [];
    for (const item of raw as Record<string, unknown>[]) {
      const extra = Object.keys(item).find((name) => name !== 'room' && name !== 'channel');
      if (extra !== undefined)
        this.problems.push(
          `${this.where('link', extra)}: unknown key "${printable(extra)}" in [[link]]${didYouMean(extra, ['room', 'channel'])}`,
        );
      const { room, channel } = item;
      if (typeof room !== 'string' || typeof channel !== 'string') return wrong();
      for (const [name, key, value] of [
        ['room', SCHEMA.xmpp.room, room],
        ['channel', SCHEMA.irc.channel, channel],
      ] as const)
        if (value === '' || !key.form?.pattern.test(value))
          this.problems.push(
            `${this.where('link', name)}: [[link]] ${name}: ${printable(JSON.stringify(value))} is wrong: must be ${key.form?.words}`,
          );
      links.push({ room, channel });
    }
    return links;
  }

  private wording(raw: unknown): Config['wording'] {
    const texts: Record<string, string> = {};
    if (raw !== undefined && (typeof raw !== 'object' || raw === null || Array.isArray(raw))) {
      this.problems.push(`${this.where('wording')}: wording: must be a section, [wording]`);
      return texts;
    }
    for (const [name, value] of Object.entries(raw ?? {})) {
      if (typeof value === 'string') texts[name] = value;
      else this.problems.push(`${this.where('wording', name)}: [wording] ${printable(name)}: must be a text in quotes`);
    }
    for (const [variable, value] of Object.entries(this.env))
      if (variable.startsWith(WORDING_VARIABLE) && value !== undefined)
        texts[variable.slice(WORDING_VARIABLE.length).toLowerCase().replaceAll('_', '-')] = value;
    for (const [type, pattern] of Object.entries(texts)) this.checkWording(type, pattern);
    return texts;
  }

  private checkWording(type: string, pattern: string): void {
    const variable = WORDING_VARIABLE + type.toUpperCase().replaceAll('-', '_');
    const at = this.env[variable] === undefined ? this.where('wording', type) : variable;
    const wrong = TYPE_FORM.test(type)
      ? wordingProblem(pattern)
      : 'a type has small letters, digits and hyphens, at most 32';
    if (wrong !== undefined) this.problems.push(`${at}: [wording] ${printable(type)}: ${wrong}`);
    // A site may have types of its own; but most strange ones are slips.
    const meant = SAY_TYPES.some((known) => known === type) ? '' : didYouMean(type, SAY_TYPES);
    if (meant !== '') this.warnings.push(`${at}: [wording] ${printable(type)} is no type of ours${meant}`);
  }

  private unknown(raw: Readonly<Record<string, unknown>>): void {
    const sections = [...Object.keys(SCHEMA), 'link', 'wording'];
    for (const section of Object.keys(raw))
      if (!sections.includes(section))
        this.problems.push(
          `${this.where(section)}: unknown section "${printable(section)}"${didYouMean(section, sections)}`,
        );
    const variables = new Set(OTHER_VARIABLES);
    for (const { section, name, key } of allKeys()) {
      variables.add(variableOf(section, name));
      if (key.secret) variables.add(`${variableOf(section, name)}_FILE`);
    }
    for (const variable of Object.keys(this.env))
      if (variable.startsWith('SAXCTL_') && !variables.has(variable) && !variable.startsWith(WORDING_VARIABLE))
        this.warnings.push(`unknown variable ${printable(variable)} is ignored${didYouMean(variable, variables)}`);
  }

  private sections(origins: Map<string, Origin>): Record<string, Record<string, unknown>> {
    const sections: Record<string, Record<string, unknown>> = {};
    for (const { section, name, key } of allKeys()) {
      const value = this.values.get(`${section}.${name}`);
      origins.set(`${section}.${name}`, value?.origin ?? { source: 'default', where: '' });
      sections[section] ??= {};
      const get = value?.get ?? ((): unknown => key.fallback);
      Object.defineProperty(sections[section], name, { get, enumerable: true, configurable: true });
    }
    return sections;
  }
}

const WORDING_VARIABLE = 'SAXCTL_WORDING_';

const names = (keys: Readonly<Record<string, Key<unknown>>>): string[] =>
  Object.entries(keys).flatMap(([name, key]) => (key.secret ? [name, `${name}_file`] : [name]));

/** Not what every object has: `constructor` is no key. */
const keyOf = (keys: Readonly<Record<string, Key<unknown>>>, name: string): Key<unknown> | undefined =>
  Object.hasOwn(keys, name) ? keys[name] : undefined;

const secretOf = (keys: Readonly<Record<string, Key<unknown>>>, name: string): Key<unknown> | undefined => {
  const key = name.endsWith('_file') ? keyOf(keys, name.slice(0, -'_file'.length)) : undefined;
  return key?.secret ? key : undefined;
};

/** The environment variable of a key: SAXCTL_<SECTION>_<KEY>. */
export const variableOf = (section: string, name: string): string => `SAXCTL_${section}_${name}`.toUpperCase();

/** Every key of the schema in its order. */
export function allKeys(): { section: SectionName; name: string; key: Key<unknown> }[] {
  return Object.entries(SCHEMA).flatMap(([section, keys]) =>
    Object.entries(keys).map(([name, key]) => ({ section: section as SectionName, name, key: key as Key<unknown> })),
  );
}

function readSecret(path: string, where: string): string {
  try {
    return readFileSync(path, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    throw new ConfigError([`${where}: cannot read the secret file ${printable(path)}: ${reasonOf(error)}`], error);
  }
}

/** The line (from 1) where a section begins or one of its keys stands; TOML libraries keep no positions. */
function lineOf(text: string, section: string, name?: string): number {
  let current = '';
  let header = 1;
  for (const [index, line] of text.split('\n').entries()) {
    const opened = /^\s*\[\[?\s*"?([^\]"]+?)"?\s*\]/.exec(line)?.[1];
    if (opened !== undefined) current = opened;
    if (opened === section) header = index + 1;
    if (name === undefined) {
      if (opened === section || new RegExp(`^\\s*${escapeRegExp(section)}\\s*[.=]`).test(line)) return index + 1;
    } else if (
      (current === section && new RegExp(`^\\s*["']?${escapeRegExp(name)}["']?\\s*=`).test(line)) ||
      (current === '' && new RegExp(`^\\s*${escapeRegExp(section)}\\s*\\.\\s*${escapeRegExp(name)}\\s*=`).test(line))
    )
      return index + 1;
  }
  return header;
}

const escapeRegExp = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/**
 * The value of a key that a command cannot do without.
 * @param or another way to give it, for the message.
 * @throws ConfigError naming the key, the file and the variable.
 */
export function need<S extends SectionName, K extends keyof Config[S] & string>(
  loaded: { readonly config: Config; readonly file?: string | undefined },
  section: S,
  name: K,
  or?: string,
): NonNullable<Config[S][K]> {
  const value = loaded.config[section][name];
  const missing = value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0);
  if (missing)
    throw new ConfigError([
      `missing: [${section}] ${name}${or === undefined ? '' : ` (or ${or})`}; set it in ${loaded.file ?? SYSTEM_FILE} or ${variableOf(section, name)}`,
    ]);
  return value as NonNullable<Config[S][K]>;
}
