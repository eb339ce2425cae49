import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Reflector, startReflector } from './reflector.ts';

export type WebridgeProcess = { readonly pid: number; stop(): Promise<void> };

/** The built program as it runs in earnest; resolves when it is in the room. `flags` are Node's. */
export async function startWebridge(
  env: Readonly<Record<string, string>>,
  config?: string,
  flags: readonly string[] = [],
): Promise<WebridgeProcess> {
  const argv = [...flags, resolve('bin/saxctl.js'), ...(config === undefined ? [] : ['-c', config]), 'webridge'];
  const child = spawn(process.execPath, argv, {
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log = (log + text).slice(-4000);
  });
  while (!log.includes('"event":"ready"')) {
    if (child.exitCode !== null) throw new Error(`the webridge ended: ${log}`);
    await new Promise((done) => setTimeout(done, 20));
  }
  return {
    pid: child.pid ?? 0,
    async stop() {
      child.kill('SIGTERM');
      await once(child, 'exit');
    },
  };
}

/** A webridge whose room is a reflector of ours instead of ejabberd's. BENCH_NODE: flags for its Node. */
export async function startAlone(): Promise<{
  readonly room: Reflector;
  readonly path: string;
  readonly spool: string;
  readonly webridge: WebridgeProcess;
  stop(): Promise<void>;
}> {
  const room = await startReflector();
  const directory = mkdtempSync(join(tmpdir(), 'saxctl-bench-'));
  const path = join(directory, 'say.sock');
  const spool = join(directory, 'spool');
  mkdirSync(spool);
  const env = {
    SAXCTL_XMPP_SERVICE: `xmpp://127.0.0.1:${room.port}`,
    SAXCTL_XMPP_DOMAIN: 'bench.test',
    SAXCTL_XMPP_ROOM: 'sax@conference.bench.test',
    SAXCTL_WEBRIDGE_JID: 'webridge@bench.test',
    SAXCTL_WEBRIDGE_PASSWORD: 'bench',
    SAXCTL_WEBRIDGE_SOCKET: path,
    SAXCTL_WEBRIDGE_SPOOL: spool,
    SAXCTL_WEBRIDGE_SNAPSHOT: join(directory, 'last.json'),
    SAXCTL_STATE_DIR: directory,
    SAXCTL_LOG_FORMAT: 'json',
  };
  const flags = (process.env['BENCH_NODE'] ?? '').split(' ').filter((flag) => flag !== '');
  const webridge = await startWebridge(env, undefined, flags);
  return {
    room,
    path,
    spool,
    webridge,
    async stop() {
      await webridge.stop();
      room.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
