import type { Clock } from './app/ports/clock.ts';
import type { Log } from './app/ports/log.ts';
import { monotonic, systemClock } from './clock.ts';
import type { Context } from './commands/command.ts';
import type { LoadedConfig } from './config/load.ts';
import { EXIT, type ExitCode, reasonOf } from './core/errors.ts';
import { printable } from './core/escape.ts';
import { createMetrics, type Metrics } from './core/metrics.ts';
import type { Health } from './edges/http/metrics.ts';

/** How long a daemon may take to finish what is in hand after the first signal (DESIGN 2), milliseconds. */
const STOP_WITHIN = 5000;

/** What a daemon's body gets. */
export type Daemon = {
  readonly log: Log;
  readonly clock: Clock;
  readonly metrics: Metrics;
  /** Aborted by the first SIGTERM or SIGINT: finish what is in hand and return. */
  readonly signal: AbortSignal;
  /** The configuration as last read. */
  loaded(): LoadedConfig;
  /** The command works: logs `ready` (once per outage), tells systemd READY=1, health turns 200. */
  ready(status: string): void;
  /** The command does not work for now and why: health 503, STATUS=. It goes on trying. */
  notReady(reason: string): void;
  /** Called after SIGHUP with the new configuration; an error in it is logged and the old one stays. */
  onReload(handler: (loaded: LoadedConfig) => void | Promise<void>): void;
};

/**
 * Runs a daemon (DESIGN 2): stop signals, SIGHUP, sd_notify(3), watchdog, metrics and health.
 * The body returns when `signal` is aborted; it throws a SaxError only for what trying again cannot mend.
 */
export async function runDaemon(
  context: Context,
  name: string,
  body: (daemon: Daemon) => Promise<void>,
  options: {
    /** Metrics that cannot be had are a warning: several processes share one configuration. */
    readonly metricsOptional?: boolean;
  } = {},
): Promise<ExitCode> {
  const { io, log } = context;
  // From the first moment: without a listener SIGHUP ends the process.
  let onHangup = (): void => {};
  const unhang = io.onSignal?.('SIGHUP', () => onHangup());
  const metrics = createMetrics();
  let loaded = await context.loadConfig();
  let health: Health = { ok: false, reason: 'starting' };
  const reloads: ((loaded: LoadedConfig) => void | Promise<void>)[] = [];
  const notify = await notifier(io.env['NOTIFY_SOCKET'], log);

  metrics
    .gauge('saxctl_build_info', 'The program that runs, always 1.')
    .set(1, { command: name, node: process.version });
  metrics.sampled('saxctl_up', 'Whether the command does its job (1) or not (0).', () => (health.ok ? 1 : 0));
  metrics.sampled('process_resident_memory_bytes', 'Resident memory in bytes.', () => process.memoryUsage.rss());
  metrics.sampled('process_start_time_seconds', 'Start time, seconds since 1970.', () => startedAt);

  const http = await metricsServer(loaded.config.metrics.listen, metrics, () => health).catch((error: unknown) => {
    if (options.metricsOptional !== true) throw error;
    log.warn('no-metrics', `${reasonOf(error)}; going on without`);
    return undefined;
  });
  if (http !== undefined) log.info('metrics', `metrics on http://${http.address}/metrics`, { address: http.address });

  // A server's words may stand in a status, and it may say back what it was sent.
  const shown = (status: string): string => printable(context.redact(status), 500);

  const daemon: Daemon = {
    log,
    clock: systemClock,
    metrics,
    signal: context.signal,
    loaded: () => loaded,
    ready: (status) => {
      // What is under way when the stop is asked for may still end well.
      if (context.signal.aborted) return;
      if (!health.ok) log.info('ready', status);
      health = { ok: true, reason: shown(status) };
      notify(`READY=1\nSTATUS=${health.reason}`);
    },
    notReady: (reason) => {
      if (context.signal.aborted) return;
      health = { ok: false, reason: shown(reason) };
      notify(`STATUS=${health.reason}`);
    },
    onReload: (handler) => reloads.push(handler),
  };

  const reload = async (): Promise<void> => {
    notify(`RELOADING=1\nMONOTONIC_USEC=${Math.floor(monotonic() * 1000)}`);
    const before = loaded;
    try {
      const next = await context.loadConfig();
      loaded = next;
      for (const handler of reloads) await handler(next);
      log.info('reloaded', `configuration read again from ${next.file ?? 'the environment'}`);
    } catch (error) {
      loaded = before;
      log.error('reload-failed', `configuration not taken over, the old one stays: ${reasonOf(error)}`);
    }
    notify(`READY=1\nSTATUS=${health.reason}`);
  };
  // One after the other: two quick SIGHUPs must not interleave.
  let reloading = Promise.resolve();
  onHangup = () => {
    reloading = reloading.then(reload);
  };

  const watchdog = watchdogTimer(io.env, () => notify('WATCHDOG=1'));
  const stopping = (): void => {
    notify('STOPPING=1');
    health = { ok: false, reason: 'stopping' };
    log.info('stopping', 'stopping: finishing what is in hand');
    setTimeout(() => {
      log.warn('stopped-hard', `not finished within ${STOP_WITHIN / 1000} s; what is in hand stays in the outbox`);
      io.exit?.(context.interrupted() ? EXIT.interrupted : EXIT.done);
    }, STOP_WITHIN).unref();
  };
  context.signal.addEventListener('abort', stopping, { once: true });
  if (context.signal.aborted) stopping();

  try {
    await body(daemon);
    return context.interrupted() ? EXIT.interrupted : EXIT.done;
  } catch (error) {
    if (context.signal.aborted) return context.interrupted() ? EXIT.interrupted : EXIT.done;
    throw error;
  } finally {
    context.signal.removeEventListener('abort', stopping);
    clearInterval(watchdog);
    unhang?.();
    http?.close();
  }
}

const startedAt = Date.now() / 1000 - process.uptime();

async function metricsServer(
  listen: string | undefined,
  metrics: Metrics,
  health: () => Health,
): Promise<{ address: string; close(): void } | undefined> {
  if (listen === undefined) return undefined;
  const { serveMetrics } = await import('./edges/http/metrics.ts');
  return serveMetrics(listen, { render: metrics.render, health });
}

/** sd_notify(3): one datagram per message to $NOTIFY_SOCKET; a failure is no reason to stop working. */
async function notifier(path: string | undefined, log: Log): Promise<(message: string) => void> {
  if (!path) return () => {};
  const { sendDatagram } = await import('./edges/dgram/send.ts');
  return (message) => {
    try {
      sendDatagram(path, new TextEncoder().encode(message));
    } catch (error) {
      log.debug('notify-failed', `systemd was not told: ${reasonOf(error)}`);
    }
  };
}

/** Pings at half of the interval that systemd asks for (sd_watchdog_enabled(3)), out of the event loop that does the work. */
function watchdogTimer(
  env: Readonly<Record<string, string | undefined>>,
  ping: () => void,
): NodeJS.Timeout | undefined {
  const asked = Number(env['WATCHDOG_USEC']);
  const forUs = env['WATCHDOG_PID'] === undefined || Number(env['WATCHDOG_PID']) === process.pid;
  if (!(asked > 0) || !forUs) return undefined;
  return setInterval(ping, Math.max(100, asked / 2000)).unref();
}
