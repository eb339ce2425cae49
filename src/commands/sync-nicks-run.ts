import { randomBytes, randomInt } from 'node:crypto';
import { join } from 'node:path';
import type { NickRegistry } from '../app/ports/nicks.ts';
import { type PlannedStep, syncNicks } from '../app/sync-nicks.ts';
import { verifyNicks } from '../app/verify-nicks.ts';
import { systemClock } from '../clock.ts';
import type { Config } from '../config/load.ts';
import { EXIT, type ExitCode, SaxError } from '../core/errors.ts';
import { printable } from '../core/escape.ts';
import { MAX_PROBLEMS, type NickSummary, newSummary, problemLine, summaryLine } from '../core/nick-summary.ts';
import { openNickLog } from '../edges/nick-log/nick-log.ts';
import { openMembers } from '../edges/phpbb/members.ts';
import { acquireLock } from '../edges/state/lock.ts';
import type { Context } from './command.ts';
import { showProgress } from './progress.ts';

type Options = Readonly<Record<string, unknown>>;

const DEFAULT_SAMPLE = 20;

/** The whole command. The result is printed also when it ends early: what was done was done. */
export async function runSyncNicks(context: Context, options: Options): Promise<ExitCode> {
  const dryRun = options['dryRun'] === true;
  const concurrency = wholeNumber('--concurrency', options['concurrency'], 1, 256);
  const sample = options['verify'] === true ? DEFAULT_SAMPLE : wholeNumber('--verify', options['verify'], 1, 100_000);
  if (dryRun && sample !== undefined)
    throw new SaxError(EXIT.usage, '--verify tries names out, --dry-run does nothing');
  const users = options['user'] as readonly string[];
  const config = await context.config();
  const { service, domain, dir } = placeOf(config);
  const lock = dryRun ? undefined : acquireLock(join(dir, 'sync-nicks.lock'));
  const path = join(dir, `nicks.${service.replaceAll(/[^a-zA-Z0-9.-]/g, '_')}.log`);
  const memory = await openNickLog(path, { readOnly: dryRun });
  const members = openMembers(config.database);
  const registry = await openRegistry(config, { service, domain, concurrency, signal: context.signal });
  const json = options['json'] === true;
  // The lines of a plan would be written into the bar.
  const quiet = context.flags.quiet || (dryRun && !json);
  const progress = showProgress(context.io, { now: systemClock.monotonic, quiet });
  const steps: PlannedStep[] = [];
  const summary = newSummary();
  let verified: number | undefined;
  let failure: unknown;
  try {
    if (progress.shown && users.length === 0) progress.expect(await members.count());
    await syncNicks(
      {
        members,
        registry,
        memory,
        service,
        domain,
        seed: randomInt(2 ** 31),
        clock: systemClock,
        log: context.log,
        signal: context.signal,
        full: options['full'] === true,
        prune: options['prune'] !== false,
        users,
        concurrency: concurrency ?? registry.concurrency,
        dryRun: dryRun ? (step) => (json ? steps.push(step) : printStep(context, step, domain)) : undefined,
        progress: progress.update,
      },
      summary,
    );
    if (sample !== undefined) {
      const canary = `saxctl-canary-${randomBytes(6).toString('hex')}`;
      const random = (): number => randomInt(2 ** 32) / 2 ** 32;
      verified = await verifyNicks({ registry, memory, canary, sample, random }, summary);
    }
  } catch (error) {
    failure = error;
  } finally {
    progress.end();
    registry.close();
    memory.close();
    await members.close();
    lock?.release();
  }
  const more = { ...(verified === undefined ? {} : { verified }), ...(dryRun ? { dryRun, plan: steps } : {}) };
  if (json) printJson(context, summary, more, failure);
  else printText(context, summary, dryRun, verified);
  if (failure !== undefined) throw failure;
  return summary.conflicts + summary.failed > 0 ? EXIT.partial : EXIT.done;
}

function placeOf({ xmpp, state }: Config): { service: string; domain: string; dir: string } {
  const { domain, muc_service: service } = xmpp;
  if (domain === undefined || service === undefined)
    throw new SaxError(EXIT.config, '[xmpp] domain is not set', { hint: 'set it to the virtual host of ejabberd' });
  // ejabberd would take the nicknames, and they would protect nothing.
  if (service.toLowerCase() === domain.toLowerCase())
    throw new SaxError(EXIT.config, `[xmpp] muc_service: ${JSON.stringify(service)} is the members’ own domain`, {
      hint: `rooms have a domain of their own, commonly conference.${domain}`,
    });
  return { service, domain, dir: state.dir ?? '/var/lib/saxctl' };
}

type Place = {
  readonly service: string;
  readonly domain: string;
  readonly concurrency: number | undefined;
  readonly signal: AbortSignal;
};

async function openRegistry({ ejabberd }: Config, place: Place): Promise<NickRegistry> {
  const { service: mucService, domain, concurrency, signal } = place;
  if (ejabberd.via === 'ctl') {
    const { openCtlRegistry } = await import('../edges/ejabberdctl/registry.ts');
    return openCtlRegistry({ ctl: ejabberd.ctl, domain, mucService, signal });
  }
  if (ejabberd.api_url === undefined)
    throw new SaxError(EXIT.config, '[ejabberd] api_url is not set', {
      hint: 'via = "http" wants it, for example http://127.0.0.1:5280/api',
    });
  const { openApiRegistry } = await import('../edges/ejabberd-api/registry.ts');
  return openApiRegistry({
    url: ejabberd.api_url,
    token: ejabberd.api_token,
    user: ejabberd.api_user,
    password: ejabberd.api_password,
    domain,
    mucService,
    signal,
    ...(concurrency === undefined ? {} : { concurrency }),
  });
}

function wholeNumber(flag: string, value: unknown, min: number, max: number): number | undefined {
  if (value === undefined) return undefined;
  const number = typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN;
  if (!(number >= min && number <= max))
    throw new SaxError(
      EXIT.usage,
      `${flag} must be a whole number from ${min} to ${max}, not ${JSON.stringify(value)}`,
    );
  return number;
}

function printStep(context: Context, step: PlannedStep, domain: string): void {
  const nick = JSON.stringify(printable(step.nick));
  context.io.stdout.write(`${step.do} ${nick} for ${printable(step.localpart)}@${domain} (id ${step.id})\n`);
}

function printText(context: Context, summary: NickSummary, dryRun: boolean, verified: number | undefined): void {
  const { stdout } = context.io;
  for (const problem of summary.problems) stdout.write(`${printable(problemLine(problem), 1000)}\n`);
  const hidden = summary.conflicts + summary.failed - summary.problems.length;
  if (hidden > 0) stdout.write(`… and ${hidden} more (the first ${MAX_PROBLEMS} are told)\n`);
  if (verified !== undefined) stdout.write(`verified ${verified}\n`);
  stdout.write(`${dryRun ? 'would be: ' : ''}${summaryLine(summary)}\n`);
}

function printJson(context: Context, summary: NickSummary, more: object, failure: unknown): void {
  const error = failure instanceof SaxError ? { error: context.redact(failure.message) } : {};
  context.io.stdout.write(`${JSON.stringify({ ...summary, ...more, ...error })}\n`);
}
