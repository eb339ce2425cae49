import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { signToken } from '../app/auth-token.ts';
import { type DemoMember, type DemoWorld, demoHops, type HopResult, runHops } from '../app/demo.ts';
import { systemClock } from '../clock.ts';
import { type Config, loadConfig } from '../config/load.ts';
import { EXIT, type ExitCode, reasonOf, SaxError } from '../core/errors.ts';
import { localpartOf, nicknameOf } from '../core/member-name.ts';
import { sendDatagram } from '../edges/dgram/send.ts';
import { nickModulePath } from '../edges/files/nick-module.ts';
import { openMembers } from '../edges/phpbb/members.ts';
import { type ChannelGuest, enterChannel } from '../edges/stack/channel-guest.ts';
import { type Children, createChildren } from '../edges/stack/children.ts';
import { missingPackages } from '../edges/stack/programs.ts';
import { startSite } from '../edges/stack/site.ts';
import { startStack } from '../edges/stack/stack.ts';
import type { Stack } from '../edges/stack/types.ts';
import { connectXmpp } from '../edges/xmpp/connection.ts';
import type { Context } from './command.ts';
import { bothPage, greeting, hopLine, hopSummary, memberPage } from './demo-text.ts';

/** Milliseconds for one hop of the check list, on a machine that is busy. */
const HOP_WITHIN = 60_000;

/** What the bridges and the guard need of the room (get_room_options). */
const ROOM_OPTIONS = {
  persistent: 'true',
  mam: 'true',
  moderated: 'true',
  members_by_default: 'false',
  allow_visitor_nickchange: 'false',
  allow_visitor_status: 'false',
} as const;

type Options = { readonly once: boolean; readonly json: boolean };

/** Starts the private system, shows it or walks it once, and ends it whatever happened. */
export async function runDemo(context: Context, options: Options): Promise<ExitCode> {
  if (options.json && !options.once) throw new SaxError(EXIT.usage, '--json goes with --once');
  const missing = missingPackages([
    'ejabberdctl',
    'p1_mysql',
    'mariadbd',
    'mariadb-install-db',
    'my_print_defaults',
    'inspircd',
  ]);
  if (missing.length > 0)
    throw new SaxError(
      EXIT.unavailable,
      `the demo needs Debian packages that are not installed: ${missing.join(' ')}`,
      {
        hint: `install them: sudo apt-get install --no-install-recommends ${missing.join(' ')}`,
      },
    );

  const progress = newProgress(context);
  progress('starting MariaDB, ejabberd and InspIRCd …');
  const began = systemClock.monotonic();
  const stack = await startStack({
    program: context.program,
    moderated: true,
    nickModule: nickModulePath(context.program),
    config: { ejabberd: { via: 'http' } },
    onStep: (step, ms) => progress(`${step} answers after ${(ms / 1000).toFixed(1)} s`),
  });
  const children = createChildren(stack, context.program);
  const closing: (() => Promise<unknown> | unknown)[] = [() => children.stop(), () => stack.stop()];
  try {
    context.signal.throwIfAborted();
    const config = loadConfig({}, stack.config).config;
    return options.once
      ? await once(context, options, { stack, children, config, closing })
      : await stay(context, { stack, children, config, closing, began, progress });
  } finally {
    progress('stopping …');
    for (const close of closing) await close();
    progress('');
  }
}

type Running = {
  readonly stack: Stack;
  readonly children: Children;
  readonly config: Config;
  /** What must be ended, first things first. */
  readonly closing: (() => Promise<unknown> | unknown)[];
};

async function once(context: Context, { json }: Options, running: Running): Promise<ExitCode> {
  const began = systemClock.monotonic();
  const world = await worldOf(context, running);
  const results = await runHops(demoHops(world, randomBytes(4).toString('hex')), {
    clock: systemClock,
    withinMs: HOP_WITHIN,
    signal: context.signal,
    onResult: (result) => {
      if (!json) context.io.stdout.write(`${hopLine(result, context.flags.color)}\n`);
    },
  });
  const ms = systemClock.monotonic() - began;
  const failed = results.filter(({ ok }) => !ok);
  if (json) context.io.stdout.write(`${JSON.stringify(report(results, ms))}\n`);
  else {
    context.io.stdout.write(`${hopSummary(results, ms)}\n`);
    for (const name of failed.length > 0 ? ['webridge', 'ircbridge'] : [])
      context.log.debug('log-of', `${name}: ${running.children.logFile(name)}`);
  }
  return failed.length === 0 ? EXIT.done : EXIT.partial;
}

const report = (results: readonly HopResult[], ms: number) => ({
  ok: results.every(({ ok }) => ok),
  ms: Math.round(ms),
  hops: results.map((result) => ({ ...result, ms: Math.round(result.ms * 10) / 10 })),
});

/** The world of the check list: the same edges and commands that the operator uses. */
async function worldOf(context: Context, { stack, children, config, closing }: Running): Promise<DemoWorld> {
  // All start now; the check list waits for each when its turn comes.
  const ready = {
    guard: children.start('guard'),
    webridge: children.start('webridge'),
    ircbridge: children.start('ircbridge'),
  };
  for (const start of Object.values(ready)) start.catch(() => {});
  const guest: ChannelGuest = await enterChannel(stack.irc1.port, 'eve', stack.channel, context.signal);
  closing.unshift(() => guest.quit());
  const member = (name: string): DemoMember => ({
    name,
    nick: nicknameOf(stack.member(name).stored) ?? name,
    sessionId: stack.member(name).session.sid,
  });
  return {
    room: stack.room,
    tari: member('Tari'),
    alice: member('alice'),
    async readForum() {
      const members = openMembers(config.database);
      try {
        let active = 0;
        for await (const page of members.pages()) active += page.length;
        return `${active} active members`;
      } finally {
        await members.close();
      }
    },
    async askRoom() {
      const options = (await stack.api('get_room_options', { name: 'sax', service: stack.mucService })) as Record<
        string,
        string | undefined
      >;
      const wrong = Object.entries(ROOM_OPTIONS).filter(([name, value]) => options[name] !== value);
      if (wrong.length > 0) throw new Error(`the room’s options are not ${JSON.stringify(Object.fromEntries(wrong))}`);
      return `${stack.room}, persistent, moderated, archived`;
    },
    login: (who, secret, signal) =>
      connectXmpp(
        {
          service: config.xmpp.service,
          jid: `${localpartOf(stack.member(who.name).stored)}@${stack.domain}`,
          password: secret,
          resource: 'demo',
          log: context.log,
        },
        signal,
      ),
    syncNicks: async (only) =>
      JSON.parse(
        only === undefined
          ? await children.run(['sync-nicks', '--json'])
          : await children.run(['sync-nicks', '--json', '--user', only.name], { SAXCTL_EJABBERD_VIA: 'ctl' }),
      ),
    ready: (daemon) => ready[daemon],
    announce: (text) => sendDatagram(stack.saySocket, new TextEncoder().encode(text)),
    channel: guest,
    async history() {
      const lines = (await children.run(['history', '--json', '--limit', '20'])).trim().split('\n');
      // Without an archive the room's own memory answers, which no restart survives.
      if ((await stack.sql('SELECT id FROM archive.archive LIMIT 1')).length === 0)
        throw new Error('ejabberd archives nothing; is erlang-p1-mysql installed?');
      return lines.map((line) => (JSON.parse(line) as { text: string }).text);
    },
  };
}

/** Everything up, a page to look at, until somebody stops it. */
async function stay(
  context: Context,
  { stack, children, config, closing, began, progress }: Running & { began: number; progress: (text: string) => void },
): Promise<ExitCode> {
  progress('registering nicknames, starting webridge, ircbridge and guard …');
  await children.run(['sync-nicks', '--json']);
  const daemons = ['webridge', 'ircbridge', 'guard'];
  const started = await Promise.allSettled(daemons.map((name) => children.start(name)));
  for (const result of started) if (result.status === 'rejected') context.log.warn('demo', reasonOf(result.reason));
  const pages = await startPages({ stack, children, config, closing });
  progress('');
  context.io.stdout.write(
    greeting({
      seconds: (systemClock.monotonic() - began) / 1000,
      page: pages,
      irc: `127.0.0.1:${stack.irc1.port}`,
      channel: stack.channel,
      saxctl: `${process.execPath} ${context.program}`,
      config: stack.config,
      directory: stack.directory,
    }),
  );
  await new Promise<void>((resolve) => {
    if (context.signal.aborted) resolve();
    context.signal.addEventListener('abort', () => resolve(), { once: true });
  });
  return context.interrupted() ? EXIT.interrupted : EXIT.done;
}

/** A site for each of two members, shown side by side; the URL of the page with both. */
async function startPages({ stack, children, config, closing }: Running): Promise<string> {
  const widget = join(stack.directory, 'widget');
  const written = await children.run(['widget', widget, '--session', '/session', '--json']);
  const { head, element } = JSON.parse(written) as { head: string; element: string };
  const urls: string[] = [];
  for (const name of ['Tari', 'alice']) {
    // A port of its own each: what the widget keeps in the browser is kept by origin.
    const site = await startSite({
      pages: { '/': () => bothPage(urls), '/member': () => memberPage(name, head, element) },
      session: () => loginOf(stack, config, name),
      files: { '/chat/snapshot/': stack.snapshotDirectory, '/chat/widget/': widget },
      ejabberdPort: stack.httpPort,
    });
    closing.unshift(() => site.close());
    urls.push(site.url);
  }
  return urls[0] ?? '';
}

/** What the site's PHP answers to the widget of the member who is logged in: his localpart and a token for ten minutes. */
function loginOf(stack: Stack, config: Config, name: string): { user: string; password: string } {
  const { stored } = stack.member(name);
  const expires = Math.floor(systemClock.now() / 1000) + 600;
  return { user: localpartOf(stored) ?? '', password: signToken(config.auth.token_key ?? '', stored, expires) };
}

/** Says on stderr what is being done: one line that is overwritten on a terminal, else a line each. */
function newProgress({ io, flags }: Context): (text: string) => void {
  if (flags.quiet) return () => {};
  if (io.stderr.isTTY) return (text) => void io.stderr.write(`\r\u001b[K${text}`);
  return (text) => {
    if (text !== '') io.stderr.write(`${text}\n`);
  };
}
