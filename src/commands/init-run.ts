import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import { parse } from 'yaml';
import { describeConfiguration } from '../config/describe.ts';
import { listAt } from '../core/doctor/yml.ts';
import { EXIT, type ExitCode, SaxError } from '../core/errors.ts';
import { printable } from '../core/escape.ts';
import { lineDiff } from '../core/line-diff.ts';
import { templates } from '../core/templates/all.ts';
import { readForumConfig } from '../core/templates/phpbb-config.ts';
import type { Secrets, Site, Template } from '../core/templates/site.ts';
import { existing, findExecutable, readIfThere, writeNew } from '../edges/files/new-files.ts';
import { readNickModule } from '../edges/files/nick-module.ts';
import type { Context } from './command.ts';
import type { Draft } from './init-draft.ts';
import { askSite } from './init-questions.ts';

type Options = Readonly<Record<string, unknown>>;

/** Where forums commonly lie. */
const FORUMS = ['/var/www/html', '/var/www/phpbb', '/var/www/forum', '/var/www/html/forum', '/var/www/html/phpbb'];
const DOMAIN = /^(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i;

export async function runInit(context: Context, where: string, options: Options): Promise<ExitCode> {
  const directory = resolve(where);
  const site = await siteOf(context, directory, options);
  const files = templates(site, describeConfiguration());
  if (options['print'] !== undefined) return print(context, files, options['print']);
  if (options['diff'] === true) return compare(context, directory, files);
  return write(context, directory, files);
}

async function siteOf(context: Context, directory: string, options: Options): Promise<Site> {
  const text = (name: string): string | undefined => {
    const value = options[name];
    return typeof value === 'string' ? value : undefined;
  };
  const found: Draft = {
    domain: text('domain') ?? (await hostOf(text('ejabberdYml'))),
    forumConfig: text('phpbbConfig') ?? (await forumConfigPath()),
    irc: (options['irc'] as readonly string[] | undefined) ?? [],
    channel: text('channel'),
    guard: options['guard'] !== false,
  };
  const mayAsk = context.io.stdin.isTTY === true && context.io.stderr.isTTY === true;
  const asks = mayAsk && options['yes'] !== true && options['print'] === undefined && options['diff'] !== true;
  const draft = asks ? await askSite(context, found) : found;
  const domain = domainOf(context, draft.domain);
  const forum = await forumOf(draft.forumConfig, text('phpbbConfig') !== undefined);
  const local = forum.host === undefined || forum.host === 'localhost';
  const socket =
    forum.socket ??
    (local && (await existing(['/run/mysqld/mysqld.sock'])).length > 0 ? '/run/mysqld/mysqld.sock' : undefined);
  return {
    directory,
    program: text('saxctl') ?? (await programOf(context)),
    domain,
    mucService: `conference.${domain}`,
    room: `sax@conference.${domain}`,
    database: {
      host: local ? '127.0.0.1' : (forum.host ?? '127.0.0.1'),
      port: forum.port ?? 3306,
      socket,
      name: forum.name ?? 'phpbb',
      tablePrefix: forum.tablePrefix ?? 'phpbb_',
      user: 'saxctl',
    },
    irc: ircOf(draft, text('ircNick')),
    guard: draft.guard,
    webGroup: text('webGroup') ?? 'www-data',
    serverName: text('serverName') ?? domain.replace(/^(?:chat|xmpp|jabber)\./, ''),
    nickModule: await readNickModule(context.program),
    secrets: await secretsOf(directory),
  };
}

function domainOf(context: Context, given: string | undefined): string {
  if (given === undefined) {
    context.log.warn('domain', 'no domain is known, chat.example.org stands for it; give --domain');
    return 'chat.example.org';
  }
  if (!DOMAIN.test(given))
    throw new SaxError(EXIT.usage, `not a domain: ${printable(given)}`, { hint: 'write it like chat.example.org' });
  return given.toLowerCase();
}

function ircOf({ irc, channel }: Draft, nick: string | undefined): Site['irc'] {
  if (irc.length === 0 && channel === undefined) return undefined;
  const wrong = irc.find((server) => !/^ircs?:\/\/[^\s/:]+(?::\d+)?$/.test(server));
  if (wrong !== undefined || irc.length === 0 || channel === undefined || !/^[#&+!][^\s,\u0007]*$/.test(channel))
    throw new SaxError(
      EXIT.usage,
      wrong !== undefined
        ? `not an IRC server: ${printable(wrong)}`
        : irc.length === 0
          ? 'a channel without --irc'
          : channel === undefined
            ? '--irc without --channel'
            : `not a channel: ${printable(channel)}`,
      { hint: 'write --irc ircs://irc.libera.chat:6697 --channel "#example"' },
    );
  return { servers: irc, channel, nick: nick ?? 'sax' };
}

/** The first virtual host of an ejabberd.yml that is not Debian's placeholder. */
async function hostOf(named: string | undefined): Promise<string | undefined> {
  const path = named ?? '/etc/ejabberd/ejabberd.yml';
  const text = await readIfThere(path);
  if (text === undefined) {
    if (named === undefined) return undefined;
    throw new SaxError(EXIT.usage, `cannot read ${printable(named)}`, { hint: 'name ejabberd.yml, or give --domain' });
  }
  try {
    const hosts = listAt(parse(text) as Record<string, unknown>, 'hosts');
    return hosts.find((host): host is string => typeof host === 'string' && host !== 'localhost');
  } catch {
    throw new SaxError(EXIT.data, `${printable(path)} is not YAML`, {
      hint: 'ejabberdctl reload_config names the line; or give --domain',
    });
  }
}

async function forumConfigPath(): Promise<string | undefined> {
  return (await existing(FORUMS.map((directory) => `${directory}/config.php`)))[0];
}

async function forumOf(path: string | undefined, given: boolean): Promise<ReturnType<typeof readForumConfig>> {
  const text = path === undefined ? undefined : await readIfThere(path);
  if (text === undefined && given)
    throw new SaxError(EXIT.usage, `cannot read ${printable(path ?? '')}`, {
      hint: 'name the forum’s config.php, or run as root',
    });
  const found = readForumConfig(text ?? '');
  if (given && found.name === undefined)
    throw new SaxError(EXIT.data, `${printable(path ?? '')} names no database`, {
      hint: 'name the config.php of phpBB',
    });
  return found;
}

async function programOf(context: Context): Promise<string> {
  const installed = await findExecutable('saxctl', ['/usr/bin', '/usr/local/bin']);
  return installed ?? `${process.execPath} ${context.program}`;
}

/** Random, unless they are there already: then a comparison shows what really differs. */
async function secretsOf(directory: string): Promise<Secrets> {
  const secret = async (name: string, bytes: number): Promise<string> =>
    (await readIfThere(`${directory}/${name}`))?.trim() || randomBytes(bytes).toString('hex');
  return {
    token_key: await secret('token_key', 32),
    database_password: await secret('database_password', 16),
    archive_password: await secret('archive_password', 16),
    webridge_password: await secret('webridge_password', 16),
    ircbridge_password: await secret('ircbridge_password', 16),
    guard_password: await secret('guard_password', 16),
  };
}

/** Nothing secret is printed: a terminal has a memory. */
function print({ io }: Context, files: readonly Template[], part: unknown): ExitCode {
  const shown = files.filter((file) => file.part !== 'secrets' && (part === true || file.part === part));
  for (const file of shown) {
    const text = masked(file.text, files);
    io.stdout.write(shown.length === 1 ? text : `# ---- ${file.path}: ${file.about}\n${text}\n`);
  }
  return EXIT.done;
}

function masked(text: string, files: readonly Template[]): string {
  return files
    .filter(({ part }) => part === 'secrets')
    .reduce((shown, secret) => shown.replaceAll(secret.text.trim(), '********'), text);
}

async function compare({ io }: Context, directory: string, files: readonly Template[]): Promise<ExitCode> {
  let differs = false;
  for (const file of files) {
    const path = `${directory}/${file.path}`;
    const there = await readIfThere(path);
    if (there === undefined) {
      differs = true;
      io.stdout.write(`only new: ${path}\n`);
    } else if (file.part !== 'secrets') {
      const difference = lineDiff(masked(there, files), masked(file.text, files), [path, `${path} (new)`]);
      differs ||= difference !== '';
      io.stdout.write(difference);
    }
  }
  return differs ? EXIT.partial : EXIT.done;
}

async function write({ io }: Context, directory: string, files: readonly Template[]): Promise<ExitCode> {
  const there = await existing(files.map(({ path }) => `${directory}/${path}`));
  if (there.length > 0)
    throw new SaxError(
      EXIT.cannotCreate,
      `nothing is written, these are there already: ${there
        .slice(0, 3)
        .map((path) => printable(path))
        .join(', ')}${there.length > 3 ? ` and ${there.length - 3} more` : ''}`,
      {
        hint: 'compare by --diff, see new text by --print, or write to another directory',
      },
    );
  for (const { path, mode, text } of files) await writeNew(`${directory}/${path}`, text, mode);
  const width = Math.max(...files.map(({ path }) => path.length));
  const listed = files.map(({ path, about }) => `  ${path.padEnd(width)}  ${about}`);
  io.stdout.write(
    `${directory}:\n${listed.join('\n')}\n\nNext:\n${next(
      directory,
      files.some(({ part }) => part === 'nick-module'),
    )}`,
  );
  return EXIT.done;
}

function next(directory: string, guard: boolean): string {
  const module = guard ? '\n     put mod_sax_nick.erl into its place, as the head of that file says,' : '';
  return `  1. read and complete ${directory}/saxctl.toml
  2. mysql < ${directory}/database.sql
  3. merge ${directory}/ejabberd.yml into /etc/ejabberd/ejabberd.yml,${module} then systemctl restart ejabberd
  4. copy systemd/*.conf and the units to their places, systemd-sysusers && systemd-tmpfiles --create && systemctl daemon-reload
  5. systemctl enable --now saxctl-webridge.socket saxctl-webridge saxctl-sync-nicks.timer
  6. saxctl doctor
`;
}
