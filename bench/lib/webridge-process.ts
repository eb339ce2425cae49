import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';

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
