import { decide } from '../../app/auth.ts';
import { createAuthReport } from '../../app/auth-report.ts';
import { createAuthService } from '../../app/auth-service.ts';
import type { OpenAuthority } from '../../app/authority.ts';
import type { LoadedConfig } from '../../config/load.ts';
import { refuse } from '../../core/auth-verdict.ts';
import { newDeferred } from '../../core/deferred.ts';
import { type ExitCode, reasonOf } from '../../core/errors.ts';
import { openAnswers } from '../../edges/stdio/answers.ts';
import { openQuestions } from '../../edges/stdio/questions.ts';
import { type Daemon, runDaemon } from '../../lifecycle.ts';
import type { Context, Io } from '../command.ts';
import { authorityOf, fingerprint } from './authority.ts';

/** A configuration that does not work is read again this often, milliseconds. */
const REREAD = 2000;
const PARENT_EVERY = 1000;
const DEFAULT_TIMEOUT = 5000;

/**
 * The program that ejabberd starts. Whatever is wrong, it stays and answers no: ejabberd gives up a program that ends early
 * for good, until it is restarted itself.
 */
export async function serve(context: Context): Promise<ExitCode> {
  const steady = steadyContext(context);
  const code = await runDaemon(steady, 'auth', (daemon) => body(steady, daemon), { metricsOptional: true });
  // Connections and timers that are still closing must not keep the process: at the end of stdin it leaves at once.
  context.io.exit?.(code);
  return code;
}

async function body(context: Context & { readonly broken: () => unknown }, daemon: Daemon): Promise<void> {
  const { log, clock, metrics, signal } = daemon;
  const { io } = context;
  const gate = createGate(context, daemon);
  const over = newDeferred<void>();
  const report = createAuthReport({ log, metrics, clock, verbose: context.flags.logLevel === 'debug' });
  metrics.sampled('saxctl_auth_members', 'Localparts that are known.', () => gate.authority()?.directory.size());
  metrics.sampled('saxctl_auth_collisions', 'Members whose localpart belongs to another one.', () =>
    gate.authority()?.directory.collisions(),
  );

  const failed = (error: unknown): void => log.error('defect', `internal error, answered no: ${reasonOf(error)}`);
  const answer = openAnswers(io.stdout, () => over.resolve(undefined));
  const service = createAuthService({
    decide: (request, within) => {
      const authority = gate.authority();
      return authority === undefined ? Promise.resolve(refuse('not-configured')) : decide(authority, request, within);
    },
    timeoutMs: gate.timeoutMs,
    answer,
    resume: () => questions.resume(),
    report,
    failed,
    monotonic: clock.monotonic,
  });

  const questions = openQuestions(io, service.push, () => void service.end().then(() => over.resolve(undefined)));
  signal.addEventListener('abort', () => void service.stop().then(() => over.resolve(undefined)), { once: true });
  const summaries = setInterval(report.flush, 10_000).unref();
  const parent = watchParent(() => over.resolve(undefined));
  const guards = survive(failed);

  await over.promise;
  clearInterval(summaries);
  clearInterval(parent);
  guards();
  report.flush();
  gate.close();
}

/** The authority by the configuration that is in force, and none while there is no usable one. */
function createGate(
  context: Context & { readonly broken: () => unknown },
  { loaded, onReload, ready, notReady, log, clock, signal }: Daemon,
): { authority(): OpenAuthority | undefined; timeoutMs(): number; close(): void } {
  let current: OpenAuthority | undefined;
  let mark = '';
  let timeout = DEFAULT_TIMEOUT;
  let said = '';
  let suspicious = false;

  const trouble = (error: unknown): void => {
    suspicious = true;
    const reason = reasonOf(error);
    if (reason !== said) log.error('not-configured', `${reason}; everybody is refused until it is mended`);
    said = reason;
    notReady(reason);
  };

  /** @throws what is wrong with it, when there is one that works. */
  const apply = (next: LoadedConfig): void => {
    try {
      // Secrets in files are read here.
      const wanted = fingerprint(next.config);
      if (wanted === mark && current !== undefined) return;
      const opened = authorityOf(next, {
        clock,
        log,
        outage: (outage) => {
          if (opened !== current) return;
          suspicious = outage !== undefined && outage.kind !== 'down';
          if (outage === undefined) works(next);
          else notReady(outage.reason);
        },
      });
      // A question in hand is answered by what it was asked under.
      current?.close(timeout);
      current = opened;
      mark = wanted;
      timeout = next.config.auth.timeout_ms;
      suspicious = false;
      said = '';
      if (next.config.xmpp.domain === undefined)
        log.warn('any-domain', 'no [xmpp] domain is set: logins of every virtual host of ejabberd are answered');
      opened.working.then(() => opened === current && works(next)).catch(() => {});
    } catch (error) {
      // The old one stays and works.
      if (current !== undefined) throw error;
      trouble(error);
    }
  };
  const works = ({ config }: LoadedConfig): void =>
    ready(`answering for ${config.xmpp.domain ?? 'every domain'} from ${config.database.name ?? 'the forum'}`);

  if (context.broken() === undefined) apply(loaded());
  else trouble(context.broken());
  onReload((next) => {
    if (context.broken() !== undefined) throw context.broken();
    apply(next);
  });

  const reread = setInterval(() => {
    if (!suspicious || signal.aborted) return;
    context
      .loadConfig()
      .then((next) => {
        if (context.broken() === undefined) apply(next);
        else trouble(context.broken());
      })
      .catch(() => {});
  }, REREAD).unref();

  return {
    authority: () => current,
    timeoutMs: () => timeout,
    close() {
      clearInterval(reread);
      current?.close();
    },
  };
}

/**
 * The context with a configuration that may be broken: where runDaemon would give up, it gets defaults, and `broken` says
 * what is wrong. Once a good one was read, errors are errors again (a reload keeps the old one).
 */
function steadyContext(context: Context): Context & { readonly broken: () => unknown } {
  let broken: unknown;
  let good = false;
  const { NOTIFY_SOCKET, ...env } = context.io.env;
  // Started by ejabberd we inherit its socket to systemd; only the service's main process may speak there.
  const main = env['SYSTEMD_EXEC_PID'];
  const io: Io =
    main === undefined || Number(main) === process.pid
      ? context.io
      : // Not a copy: standard input is opened by whoever asks for it first.
        Object.create(context.io, { env: { value: env } });
  return {
    ...context,
    io,
    broken: () => broken,
    async loadConfig() {
      try {
        const loaded = await context.loadConfig();
        broken = undefined;
        good = true;
        return loaded;
      } catch (error) {
        if (good) throw error;
        broken = error;
        const { defaultConfig } = await import('../../config/load.ts');
        return defaultConfig();
      }
    },
  };
}

/** ejabberd may die while something else holds our stdin open: then our parent is another. */
function watchParent(gone: () => void): NodeJS.Timeout {
  const parent = process.ppid;
  return setInterval(() => {
    if (process.ppid !== parent) gone();
  }, PARENT_EVERY).unref();
}

/** A defect costs one answer, not the process. Returns how to stop. */
function survive(failed: (error: unknown) => void): () => void {
  process.on('uncaughtException', failed);
  process.on('unhandledRejection', failed);
  return () => {
    process.off('uncaughtException', failed);
    process.off('unhandledRejection', failed);
  };
}
