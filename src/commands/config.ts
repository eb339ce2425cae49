import { Argument, type Command } from 'commander';
import { EXIT, type ExitCode, reasonOf, SaxError } from '../core/errors.ts';
import { jsonText, printable } from '../core/escape.ts';
import { type CommandModule, type Context, examples } from './command.ts';

export const command: CommandModule = {
  define(command: Command): void {
    command
      .addArgument(
        new Argument('ACTION', 'show: the effective values and where each came from; check: only validate').choices([
          'show',
          'check',
        ]),
      )
      .argument('[KEY...]', 'show only these, for example database or irc.nick')
      .option('--json', 'print JSON');
    examples(command, [
      ['saxctl config show', 'every value, its origin, secrets masked'],
      ['saxctl config show irc xmpp.room', 'a section, a key'],
      ['saxctl -c ./saxctl.toml config check', 'exit 0, or 78 with every problem on a line'],
    ]);
  },

  async run(context, [action, ...keys], options): Promise<ExitCode> {
    const { ConfigError } = await import('../config/load.ts');
    try {
      const loaded = await context.loadConfig();
      const rows = named(await effective(loaded), keys);
      if (action === 'show') show(context, rows, options['json'] === true, loaded.file);
      else if (options['json'] === true)
        context.io.stdout.write(`${jsonText({ ok: true, file: loaded.file ?? null })}\n`);
      else
        context.io.stdout.write(
          `configuration is valid: ${printable(loaded.file ?? 'no file, environment and defaults only')}\n`,
        );
      return EXIT.done;
    } catch (error) {
      if (!(error instanceof ConfigError) || action !== 'check') throw error;
      if (options['json'] === true) context.io.stdout.write(`${jsonText({ ok: false, problems: error.problems })}\n`);
      for (const problem of error.problems) context.io.stderr.write(`saxctl: ${printable(problem, 2000)}\n`);
      return EXIT.config;
    }
  },
};

/** The rows of the named sections and keys; all when none is named. */
function named(rows: readonly Row[], keys: readonly string[]): readonly Row[] {
  const matches = (row: Row, key: string): boolean => key === row.section || key === `${row.section}.${row.name}`;
  const unknown = keys.find((key) => !rows.some((row) => matches(row, key)));
  if (unknown !== undefined)
    throw new SaxError(EXIT.usage, `there is no key ${printable(unknown, 80)}`, {
      hint: 'see them all: saxctl config show',
    });
  return keys.length === 0 ? rows : rows.filter((row) => keys.some((key) => matches(row, key)));
}

type Row = { section: string; name: string; value: unknown; source: string; where: string };

/** Every key with its value (secrets masked, but read once: an unreadable secret file is a problem too). */
async function effective(loaded: Awaited<ReturnType<Context['loadConfig']>>): Promise<Row[]> {
  const { allKeys, ConfigError } = await import('../config/load.ts');
  const { durationText } = await import('../config/describe.ts');
  const problems: string[] = [];
  const rows = allKeys().map(({ section, name, key }): Row => {
    const origin = loaded.origins.get(`${section}.${name}`) ?? { source: 'default', where: '' };
    let value: unknown;
    try {
      value = (loaded.config[section] as Record<string, unknown>)[name];
    } catch (error) {
      problems.push(reasonOf(error));
    }
    if (value instanceof RegExp) value = value.source;
    if (key.kind === 'mode' && typeof value === 'number') value = `0${value.toString(8)}`;
    if (key.kind === 'duration' && typeof value === 'number') value = durationText(value);
    if (key.secret && value !== undefined) value = '********';
    return { section, name, value, ...origin };
  });
  if (problems.length > 0) throw new ConfigError(problems);
  return [
    ...rows,
    ...loaded.config.link.flatMap(({ room, channel }) => [
      { section: 'link', name: 'room', value: room, source: 'file', where: loaded.file ?? '' },
      { section: 'link', name: 'channel', value: channel, source: 'file', where: loaded.file ?? '' },
    ]),
    ...Object.entries(loaded.config.wording).map(([name, value]) => ({
      section: 'wording',
      name,
      value,
      source: 'file',
      where: loaded.file ?? '',
    })),
  ];
}

function show(context: Context, rows: readonly Row[], json: boolean, file: string | undefined): void {
  const { stdout } = context.io;
  if (json) {
    const values = rows.map(({ section, name, value, source, where }) => ({
      key: `${section}.${name}`,
      value: value ?? null,
      source,
      where,
    }));
    stdout.write(`${jsonText({ file: file ?? null, values })}\n`);
    return;
  }
  stdout.write(`# ${printable(file ?? 'no configuration file; environment and defaults')}\n`);
  let section = '';
  for (const row of rows) {
    // Each pair of a room and a channel is a table of its own.
    if (row.section !== section || (row.section === 'link' && row.name === 'room')) {
      section = row.section;
      stdout.write(section === 'link' ? '\n[[link]]\n' : `\n[${section}]\n`);
    }
    const unset = row.value === undefined;
    const name = bareKey(row.name);
    const text = unset ? `# ${name} is not set` : `${name} = ${toml(row.value)}`;
    stdout.write(`${row.source === 'default' ? text : `${text.padEnd(44)} # ${printable(row.where)}`}\n`);
  }
}

/** A key of [wording] may be any text. */
const bareKey = (name: string): string => (/^[\w-]+$/.test(name) ? name : jsonText(name));

const toml = (value: unknown): string =>
  Array.isArray(value)
    ? `[${value.map(toml).join(', ')}]`
    : typeof value === 'string'
      ? jsonText(value)
      : String(value);
