import { randomBytes } from 'node:crypto';
import { parse } from 'yaml';
import { explain } from '../app/auth-explain.ts';
import type { OpenAuthority } from '../app/authority.ts';
import { examine } from '../app/doctor/run.ts';
import type { Bot, World } from '../app/doctor/world.ts';
import { monotonic, systemClock } from '../clock.ts';
import { ConfigError, type LoadedConfig } from '../config/load.ts';
import type { GroupName } from '../core/doctor/catalogue.ts';
import { jsonReport, renderFinding, renderSummary, summary } from '../core/doctor/report.ts';
import { type Finding, problem } from '../core/doctor/verdict.ts';
import { EXIT, type ExitCode, SaxError } from '../core/errors.ts';
import { printable } from '../core/escape.ts';
import { splitWords } from '../core/words.ts';
import { boundSockets, fileFacts, freeSpace, listeningPorts, readText, writable } from '../edges/doctor/files.ts';
import { probeHttp, probeTls } from '../edges/doctor/http-probe.ts';
import { probeIrc } from '../edges/doctor/irc-probe.ts';
import { runProgram } from '../edges/doctor/programs.ts';
import { openLane } from '../edges/phpbb/connection.ts';
import { openMembers } from '../edges/phpbb/members.ts';
import { connectXmpp } from '../edges/xmpp/connection.ts';
import { authorityOf, silent } from './auth/authority.ts';
import type { Context } from './command.ts';

type Options = Readonly<Record<string, unknown>>;

const DEBIAN_YML = '/etc/ejabberd/ejabberd.yml';
const STATEMENT_MS = 10_000;

export async function runDoctor(context: Context, groups: readonly GroupName[], options: Options): Promise<ExitCode> {
  const json = options['json'] === true;
  const findings: Finding[] = [];
  const { io, flags } = context;
  const show = progressLine(context, json);
  let group = '';
  const take = (finding: Finding): void => {
    findings.push(finding);
    if (json) return;
    show('');
    if (finding.group !== group) io.stdout.write(`${group === '' ? '' : '\n'}${finding.group}\n`);
    group = finding.group;
    io.stdout.write(`${renderFinding(finding, flags.color)}\n`);
  };
  try {
    const world = await makeWorld(context, await context.loadConfig(), options);
    for await (const finding of examine(world, groups, show, context.redact)) {
      context.signal.throwIfAborted();
      take(finding);
    }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const text of error.problems)
      take({
        group: 'config',
        name: 'config.valid',
        ...problem(text, 'saxctl config check   # or write a new one: saxctl init'),
      });
  }
  show('');
  io.stdout.write(json ? `${jsonReport(findings)}\n` : `\n${renderSummary(findings)}\n`);
  return summary(findings).problem === 0 ? EXIT.done : EXIT.partial;
}

/** What is being checked, on a terminal, on one line that disappears. */
function progressLine({ io, flags }: Context, json: boolean): (name: string) => void {
  if (io.stderr.isTTY !== true || flags.quiet || json) return () => {};
  return (name) => io.stderr.write(name === '' ? '\r\u001b[K' : `\r\u001b[K  … ${name}`);
}

async function makeWorld(context: Context, loaded: LoadedConfig, options: Options): Promise<World> {
  const { config } = loaded;
  const text = (name: string): string | undefined => {
    const value = options[name];
    return typeof value === 'string' ? value : undefined;
  };
  const url = text('url');
  if (url !== undefined && !/^https?:\/\/[^\s/]+/.test(url))
    throw new SaxError(EXIT.usage, `not a web address: ${printable(url)}`, {
      hint: 'write it like https://forum.example.org/',
    });
  const ymlPath = text('ejabberdYml') ?? DEBIAN_YML;
  const yml = await readText(ymlPath);
  if (yml === undefined && text('ejabberdYml') !== undefined)
    throw new SaxError(EXIT.usage, `cannot read ${printable(ymlPath)}`, { hint: 'name ejabberd.yml, or run as root' });
  const ca = config.xmpp.tls_ca;
  let lane: ReturnType<typeof openLane> | undefined;
  let authority: OpenAuthority | undefined;
  const openSql = () => {
    const { host, port, socket, user, password, name } = config.database;
    return openLane({ host, port, socket, user, password, database: name });
  };
  return {
    loaded,
    environment: context.io.env,
    nodeVersion: process.versions.node,
    now: Date.now,
    monotonic,
    ejabberdYml: { path: ymlPath, text: yml },
    parseYaml: (source) => parse(source) as unknown,
    url,
    nginx: () => nginxText(text('nginxConf'), context.io.env),
    file: fileFacts,
    readText,
    writable,
    space: freeSpace,
    boundSockets,
    listening: listeningPorts,
    locales: async () =>
      (await runProgram('locale', ['-a'], context.io.env)).text.split('\n').filter((line) => line !== ''),
    native: async () => void (await import('../edges/dgram/send.ts')),
    async sql(statement, values = []) {
      lane ??= openSql();
      return lane.ask(statement, values, STATEMENT_MS);
    },
    members: () => openMembers(config.database),
    ctl(...args) {
      const [program = 'ejabberdctl', ...first] = splitWords(config.ejabberd.ctl);
      return runProgram(program, [...first, ...args], context.io.env);
    },
    explain(user, secret) {
      authority ??= authorityOf(loaded, { clock: systemClock, log: silent });
      return explain(authority, user, new TextEncoder().encode(secret), STATEMENT_MS);
    },
    login: (bot: Bot) =>
      connectXmpp(
        {
          service: config.xmpp.service,
          jid: bot.jid,
          password: bot.password,
          resource: `saxctl-doctor-${randomBytes(4).toString('hex')}`,
          caFile: ca,
          log: context.log,
        },
        context.signal,
      ),
    irc: (server) => probeIrc(server, config.irc.tls_ca),
    http: probeHttp,
    tls: probeTls,
    async close() {
      lane?.close();
      authority?.close();
    },
  };
}

/** `nginx -T` wants root; it prints the whole configuration with everything that it includes. */
async function nginxText(file: string | undefined, environment: Context['io']['env']): Promise<string | undefined> {
  if (file !== undefined) {
    const text = await readText(file);
    if (text === undefined) throw new SaxError(EXIT.usage, `cannot read ${printable(file)}`);
    return text;
  }
  const { code, text } = await runProgram('nginx', ['-T'], environment);
  return code === 0 && /location[^{]*\/(?:ws|bosh)/.test(text) ? text : undefined;
}
