import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'vitest';
import { CATALOGUE, type CheckName } from '../../../src/core/doctor/catalogue.ts';
import type { Finding, Status } from '../../../src/core/doctor/verdict.ts';
import { runProgram } from '../../../src/edges/doctor/programs.ts';
import { nickModulePath } from '../../../src/edges/files/nick-module.ts';
import type { Stack } from '../../../src/edges/stack/types.ts';
import { fakeIo, saxctl } from '../fake-io.ts';
import { PROGRAM, type RunningSaxctl, runSaxctl, startSaxctl, startTestStack } from '../stack.ts';

export type Report = {
  readonly of: (name: string) => Finding | undefined;
  readonly status: (...names: readonly string[]) => (Status | undefined)[];
  readonly checks: readonly Finding[];
  readonly text: string;
};

export type Look = {
  readonly env?: Readonly<Record<string, string>>;
  readonly config?: string;
  /** Address of the page. */
  readonly url?: string;
  /** Asks the real ejabberdctl, which takes a second each time; else what it said when the site was fine. */
  readonly realCtl?: boolean;
  /** In a process of its own: for what is settled when Node starts. `launcher` is a program that starts it. */
  readonly child?: boolean;
  readonly launcher?: readonly string[];
};

/** A real site that doctor finds nothing wrong with, and what it has been seen to say about it. */
export type DoctorSite = {
  readonly stack: Stack;
  readonly webridge: () => RunningSaxctl;
  /** (Re)starts webridge; its metrics address afterwards. */
  startWebridge(): Promise<string>;
  readonly yml: string;
  readonly nginxConf: string;
  readonly url: string;
  readonly spool: string;
  /** A web server whose clock is an hour late. */
  readonly lateUrl: string;
  doctor(flags: readonly string[], look?: Look): Promise<Report>;
  /** Runs a repair as somebody would who pastes it into a root shell beside this ejabberd. */
  paste(repair: string | undefined): Promise<void>;
  /** Names of the checks that were ever not fine, and that were ever fine. */
  readonly red: ReadonlySet<string>;
  readonly green: ReadonlySet<string>;
  stop(): Promise<void>;
};

const PATH = '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin';

/** Others may start and stop an epmd here at any time. */
export const OF_THE_MACHINE: readonly string[] = ['ejabberd.port-mapper'];

/** The name in the catalogue: servers are numbered. */
const listed = (name: string): string => name.replace(/^irc\.server-\d+$/, 'irc.server-N');

export const ALL_CHECKS = Object.values(CATALOGUE).flatMap((group) => Object.keys(group));

export async function startDoctorSite(): Promise<DoctorSite> {
  const stack = await startTestStack({
    parts: ['mariadb', 'ejabberd', 'irc1', 'nginx'],
    moderated: true,
    tls: true,
    nickModule: nickModulePath(PROGRAM),
  });
  const spool = join(stack.directory, 'spool');
  mkdirSync(spool, { mode: 0o750 });
  const late = createServer((_request, response) =>
    response.writeHead(200, { date: new Date(Date.now() - 3_600_000).toUTCString() }).end(),
  );
  await new Promise<void>((resolve) => late.listen(0, '127.0.0.1', resolve));
  const red = new Set<string>();
  const green = new Set<string>();
  const recorded = join(stack.directory, 'recorded-ctl');
  let webridge: RunningSaxctl | undefined;
  let metrics = '';
  const site: DoctorSite = {
    stack,
    webridge: () => webridge as RunningSaxctl,
    async startWebridge() {
      webridge = startSaxctl(stack, ['webridge'], {
        env: { SAXCTL_METRICS_LISTEN: '127.0.0.1:0', SAXCTL_WEBRIDGE_SPOOL: spool },
      });
      await webridge.logged(/"event":"ready"/);
      metrics = /metrics on http:\/\/(\S+)\/metrics/.exec(webridge.stderr())?.[1] ?? '';
      return metrics;
    },
    yml: join(stack.directory, 'ejabberd/conf/ejabberd.yml'),
    nginxConf: join(stack.directory, 'nginx/nginx.conf'),
    url: `https://127.0.0.1:${stack.nginx.port}/`,
    spool,
    lateUrl: `http://127.0.0.1:${(late.address() as AddressInfo).port}/`,
    async doctor(flags, look = {}) {
      const url = look.url === undefined ? [] : ['--url', look.url];
      const files = ['--ejabberd-yml', site.yml, '--nginx-conf', site.nginxConf];
      const argv = ['doctor', '--json', ...flags, ...url, ...files];
      const env = {
        SAXCTL_WEBRIDGE_SPOOL: spool,
        SAXCTL_METRICS_LISTEN: metrics,
        // irc1 behind TLS, as a network is.
        SAXCTL_IRC_SERVERS: `ircs://127.0.0.1:${stack.irc1.tlsPort}`,
        ...(look.realCtl === true ? {} : { SAXCTL_EJABBERD_CTL: recorded }),
        ...look.env,
      };
      const config = look.config ?? stack.config;
      const { code, stdout, stderr } = await (look.launcher !== undefined
        ? launched(look.launcher, argv, { ...stack.env, PATH, SAXCTL_CONFIG: config, ...env })
        : look.child === true
          ? runSaxctl({ config, env: stack.env }, argv, { env })
          : saxctl(['--config', config, ...argv], fakeIo({ PATH, ...stack.env, ...env })));
      expect(stderr, stderr).not.toMatch(/internal error|^saxctl:/m);
      const { checks, ok } = JSON.parse(stdout) as { ok: boolean; checks: Finding[] };
      expect(code).toBe(ok ? 0 : 1);
      for (const { name, status, repair } of checks) {
        if (status === 'ok') green.add(listed(name));
        if (status !== 'problem' && status !== 'warning') continue;
        red.add(listed(name));
        expect(repair, `${name} says what to do`).toMatch(/\S/);
      }
      const of = (name: string): Finding | undefined => checks.find((check) => check.name === name);
      return { of, checks, text: stdout, status: (...names) => names.map((name) => of(name)?.status) };
    },
    async paste(repair) {
      await promisify(execFile)('sh', ['-ec', repair ?? 'exit 1'], {
        env: { PATH: `${join(stack.directory, 'ejabberd')}:${PATH}`, LC_ALL: 'C.UTF-8' },
      });
    },
    red,
    green,
    async stop() {
      late.close();
      await webridge?.kill();
      await stack.stop();
    },
  };
  try {
    await site.startWebridge();
    await record(stack, recorded);
  } catch (error) {
    await site.stop();
    throw error;
  }
  return site;
}

/** An ejabberdctl that gives the answers of the real one again, without its second of start-up. */
async function record(stack: Stack, path: string): Promise<void> {
  const [name = '', service = ''] = stack.room.split('@');
  const questions = [
    ['status'],
    ['help', 'muc_register_nick'],
    ['get_room_options', name, service],
    ['get_room_affiliations', name, service],
    ['get_room_occupants', name, service],
  ];
  const cases: string[] = [];
  for (const words of questions) {
    const { code, text } = await runProgram(stack.ctl, words, { PATH });
    const answer = `${path}-${words[0]}`;
    writeFileSync(answer, text);
    cases.push(`  ${words[0]}) cat '${answer}'; exit ${code} ;;`);
  }
  writeFileSync(path, `#!/bin/sh\ncase "$1" in\n${cases.join('\n')}\nesac\n`, { mode: 0o700 });
}

function launched(
  launcher: readonly string[],
  argv: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<{ code: number; stdout: string; stderr: string }> {
  const [program = '', ...words] = launcher;
  return new Promise((resolve) => {
    execFile(program, [...words, ...argv], { env, maxBuffer: 10_000_000 }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

/** Mends what was broken; is given what doctor said, with its repair. */
export type Mend = (said: Finding | undefined) => Promise<unknown>;

export type Break = (site: DoctorSite) => Promise<Mend>;

/** One thing broken, one check red; mended, green again. */
export type Pair = {
  readonly name: CheckName;
  readonly flags: readonly string[];
  readonly says: RegExp;
  readonly status?: 'problem' | 'warning';
  /** How the broken site is looked at. */
  readonly broken?: Look;
  /** How the mended one is. */
  readonly mended?: Look;
  /** Breaks it. Without, the looks make the difference. */
  readonly break?: (site: DoctorSite) => Promise<(said: Finding | undefined) => Promise<unknown>>;
  /** Checks that see the same fault. */
  readonly also?: readonly string[];
};

const seenFine = new Map<string, Report>();

export async function seePair(site: DoctorSite, pair: Pair): Promise<void> {
  const mend = pair.break === undefined ? undefined : await pair.break(site);
  let red: Report | undefined;
  try {
    red = await site.doctor(pair.flags, pair.broken);
  } finally {
    if (mend !== undefined) await mend(red?.of(pair.name));
  }
  // Where nothing was broken but the look, the other look need not be had anew each time.
  const key = JSON.stringify([pair.flags, pair.mended]);
  const known = pair.break === undefined ? seenFine.get(key) : undefined;
  const green = known ?? (await site.doctor(pair.flags, pair.mended));
  seenFine.set(key, green);
  expect(red.of(pair.name), red.text).toMatchObject({
    status: pair.status ?? 'problem',
    message: expect.stringMatching(pair.says),
  });
  expect(green.of(pair.name)?.status, green.of(pair.name)?.message).toBe('ok');
  // Nothing else turned red with it: a check that cannot tell two faults apart sends people the wrong way.
  const except = [pair.name, ...(pair.also ?? []), ...OF_THE_MACHINE];
  const others = ({ checks }: Report) =>
    checks
      .filter(({ name, status }) => /problem|warning/.test(status) && !except.includes(name))
      .map(({ name, message }) => `${name}: ${message}`);
  expect(others(red)).toEqual(others(green));
}

/** A file with one text put in another's place; gives back what undoes it. */
export function edited(path: string, change: (text: string) => string): () => void {
  const text = readFileSync(path, 'utf8');
  const changed = change(text);
  expect(changed).not.toBe(text);
  writeFileSync(path, changed);
  return () => writeFileSync(path, text);
}
