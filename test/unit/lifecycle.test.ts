import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Context } from '../../src/commands/command.ts';
import { loadConfig } from '../../src/config/load.ts';
import { EXIT, type ExitCode, SaxError } from '../../src/core/errors.ts';
import { listenDatagrams } from '../../src/edges/dgram/listen.ts';
import { type Daemon, runDaemon } from '../../src/lifecycle.ts';
import { createLog, createRedactor } from '../../src/log.ts';
import { type FakeIo, fakeIo } from '../helpers/fake-io.ts';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'saxctl-daemon-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

type Run = {
  io: FakeIo;
  stop: AbortController;
  done: Promise<ExitCode>;
  lines(): { event: string; message: string }[];
};

/** A daemon in this process, its context made by hand. */
function daemon(body: (daemon: Daemon) => Promise<void>, env: Record<string, string> = {}, interrupted = false): Run {
  const io = fakeIo(env);
  const stop = new AbortController();
  const log = createLog({
    level: 'debug',
    format: 'json',
    color: false,
    write: (line) => void io.stderr.write(line),
    redactor: createRedactor(),
    now: () => new Date(),
  });
  const context = {
    io,
    log,
    signal: stop.signal,
    interrupted: () => interrupted,
    redact: (text: string) => text.replaceAll('canary', '[secret]'),
    loadConfig: async () => loadConfig(env),
  } as unknown as Context;
  return {
    io,
    stop,
    done: runDaemon(context, 'test', body),
    lines: () =>
      io.stderr.text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line)),
  };
}

const untilStopped = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });

describe('runDaemon', () => {
  it.each([
    [false, EXIT.done],
    [true, EXIT.interrupted],
  ])('stops cleanly on a signal; by a person: %s → exit %i', async (interrupted, exit) => {
    const run = daemon(
      async ({ signal, ready }) => {
        ready('working');
        await untilStopped(signal);
      },
      {},
      interrupted,
    );
    await vi.waitFor(() => expect(run.lines().map(({ event }) => event)).toEqual(['ready']));
    run.stop.abort();
    expect(await run.done).toBe(exit);
    expect(run.lines().map(({ event }) => event)).toEqual(['ready', 'stopping']);
  });

  it('is ended after 5 s when the body does not finish', async () => {
    vi.useFakeTimers();
    try {
      const run = daemon(() => new Promise(() => {}));
      await vi.advanceTimersByTimeAsync(1);
      run.stop.abort();
      await vi.advanceTimersByTimeAsync(4999);
      expect(run.io.exits).toEqual([]);
      await vi.advanceTimersByTimeAsync(2);
      expect(run.io.exits).toEqual([EXIT.done]);
    } finally {
      vi.useRealTimers();
    }
  });

  it('lets a permanent failure through, but not one that comes of stopping', async () => {
    const wrong = daemon(async () => {
      throw new SaxError(EXIT.refused, 'wrong password');
    });
    await expect(wrong.done).rejects.toThrow('wrong password');
    const stopped = daemon(async ({ signal }) => {
      await untilStopped(signal);
      throw new Error('aborted');
    });
    stopped.stop.abort();
    expect(await stopped.done).toBe(EXIT.done);
  });

  it('takes a new configuration over on SIGHUP and keeps the old one when it is wrong', async () => {
    const file = join(dir, 'saxctl.toml');
    writeFileSync(file, '[irc]\nnick = "one"\n');
    const seen: (string | undefined)[] = [];
    const run = daemon(
      async ({ signal, onReload }) => {
        onReload(({ config }) => void seen.push(config.irc.nick));
        await untilStopped(signal);
      },
      { SAXCTL_CONFIG: file },
    );
    // The handler is there only when the body runs.
    await vi.waitFor(() => {
      run.io.signal('SIGHUP');
      expect(seen[0]).toBe('one');
    });
    writeFileSync(file, '[irc]\nnick = 5\n');
    run.io.signal('SIGHUP');
    await vi.waitFor(() => expect(run.lines().map(({ event }) => event)).toContain('reload-failed'));
    writeFileSync(file, '[irc]\nnick = "two"\n');
    run.io.signal('SIGHUP');
    await vi.waitFor(() => expect(seen.at(-1)).toBe('two'));
    run.stop.abort();
    expect(await run.done).toBe(EXIT.done);
  });

  it('keeps the old configuration for all when one handler refuses the new one', async () => {
    const file = join(dir, 'saxctl.toml');
    writeFileSync(file, '[irc]\nnick = "one"\n');
    let told: Daemon | undefined;
    const run = daemon(
      async (inner) => {
        inner.onReload(({ config }) => {
          if (config.irc.nick === 'two') throw new Error('not that one');
        });
        told = inner;
        await untilStopped(inner.signal);
      },
      { SAXCTL_CONFIG: file },
    );
    await vi.waitFor(() => expect(told).toBeDefined());
    writeFileSync(file, '[irc]\nnick = "two"\n');
    run.io.signal('SIGHUP');
    await vi.waitFor(() => expect(run.lines().map(({ event }) => event)).toContain('reload-failed'));
    expect(told?.loaded().config.irc.nick).toBe('one');
    run.stop.abort();
    expect(await run.done).toBe(EXIT.done);
  });

  it('says nothing of being ready when it is told to stop', async () => {
    const run = daemon(async ({ signal, ready }) => {
      await untilStopped(signal);
      ready('in the room');
    });
    run.stop.abort();
    expect(await run.done).toBe(EXIT.done);
    expect(run.lines().map(({ event }) => event)).toEqual(['stopping']);
  });

  it('speaks sd_notify: READY, STATUS, RELOADING, STOPPING and WATCHDOG', async () => {
    const path = join(dir, 'notify');
    const socket = listenDatagrams({ path, mode: 0o600 });
    const messages: string[] = [];
    const drain = (): void => {
      for (const { bytes } of socket.take()) messages.push(new TextDecoder().decode(bytes));
    };
    try {
      const run = daemon(
        async ({ signal, ready, notReady }) => {
          ready('in the room');
          notReady('canary: room\naway\u009b');
          ready('in the room again');
          await untilStopped(signal);
        },
        { NOTIFY_SOCKET: path, WATCHDOG_USEC: '200000' },
      );
      await vi.waitFor(() => {
        drain();
        expect(messages).toContain('WATCHDOG=1');
      });
      run.io.signal('SIGHUP');
      await vi.waitFor(() => {
        drain();
        expect(messages.some((message) => /^RELOADING=1\nMONOTONIC_USEC=\d+$/.test(message))).toBe(true);
      });
      run.stop.abort();
      await run.done;
      drain();
      expect(messages.filter((message) => message !== 'WATCHDOG=1').slice(0, 3)).toEqual([
        'READY=1\nSTATUS=in the room',
        'STATUS=[secret]: room\\u{a}away\\u{9b}',
        'READY=1\nSTATUS=in the room again',
      ]);
      expect(messages).toContain('STOPPING=1');
    } finally {
      socket.close();
    }
  });

  it('serves metrics and health', async () => {
    let told: Daemon | undefined;
    const run = daemon(
      async (inner) => {
        told = inner;
        inner.metrics.counter('saxctl_test_total', 'Test.').inc();
        await untilStopped(inner.signal);
      },
      { SAXCTL_METRICS_LISTEN: '127.0.0.1:0' },
    );
    const address = await vi.waitFor(() => {
      const line = run.lines().find(({ event }) => event === 'metrics') as { address?: string } | undefined;
      expect(line?.address).toMatch(/^127\.0\.0\.1:\d+$/);
      return line?.address ?? '';
    });
    const get = async (path: string): Promise<[number, string]> => {
      const response = await fetch(`http://${address}${path}`);
      return [response.status, await response.text()];
    };
    expect(await get('/healthz')).toEqual([503, 'starting\n']);
    told?.ready('in the room');
    expect(await get('/healthz')).toEqual([200, 'in the room\n']);
    told?.notReady('said \u001b[2J canary');
    expect(await get('/healthz')).toEqual([503, 'said \\u{1b}[2J [secret]\n']);
    told?.notReady('ejabberd is away');
    expect(await get('/healthz')).toEqual([503, 'ejabberd is away\n']);
    const [status, text] = await get('/metrics');
    expect(status).toBe(200);
    expect(text).toMatch(/^saxctl_test_total 1$/m);
    expect(text).toMatch(/^saxctl_up 0$/m);
    expect((await get('/'))[0]).toBe(404);
    expect((await fetch(`http://${address}/metrics`, { method: 'POST' })).status).toBe(405);
    run.stop.abort();
    expect(await run.done).toBe(EXIT.done);
  });

  it('an address that is taken is exit 73 with the key to change', async () => {
    const first = daemon(async ({ signal }) => untilStopped(signal), { SAXCTL_METRICS_LISTEN: '127.0.0.1:0' });
    const address = await vi.waitFor(() => {
      const line = run0(first);
      expect(line).toBeDefined();
      return line ?? '';
    });
    const second = daemon(async () => {}, { SAXCTL_METRICS_LISTEN: address });
    await expect(second.done).rejects.toMatchObject({ exit: EXIT.cannotCreate, hint: 'change [metrics] listen' });
    first.stop.abort();
    await first.done;
  });
});

const run0 = (run: Run): string | undefined =>
  (run.lines().find(({ event }) => event === 'metrics') as { address?: string } | undefined)?.address;
