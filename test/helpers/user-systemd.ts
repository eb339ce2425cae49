import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { until } from './until.ts';

const run = promisify(execFile);

/**
 * A real `systemd --user` of its own, with its own /run, also where systemd is not the init of the machine. Needs root for
 * the mount namespace.
 */
export type UserSystemd = {
  systemctl(...args: string[]): Promise<string>;
  /** Value of a property of a unit. */
  property(unit: string, name: string): Promise<string>;
  journal(): string;
  close(): Promise<void>;
};

export async function startUserSystemd(units: ReadonlyMap<string, string>): Promise<UserSystemd> {
  const home = mkdtempSync(join(tmpdir(), 'saxctl-systemd-'));
  const folder = join(home, '.config/systemd/user');
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of units) writeFileSync(join(folder, name), text);
  const script = `
    mount --make-rshared / && mount -t tmpfs tmpfs /run
    mkdir -p /run/systemd/system /run/systemd/inaccessible/dir /run/user/0
    touch /run/systemd/inaccessible/reg; mkfifo /run/systemd/inaccessible/fifo
    mknod /run/systemd/inaccessible/chr c 0 0; mknod /run/systemd/inaccessible/blk b 0 0
    chmod 0700 /run/user/0
    exec /lib/systemd/systemd --user --log-target=console --log-level=info`;
  const env = { PATH: '/usr/bin:/bin:/usr/sbin:/sbin', HOME: home, XDG_RUNTIME_DIR: '/run/user/0', LANG: 'C.UTF-8' };
  const child: ChildProcess = spawn('unshare', ['-m', '--propagation', 'private', 'sh', '-c', script], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => (log += chunk.toString()));
  const inside = async (...args: string[]): Promise<string> => {
    const { stdout } = await run('nsenter', ['-m', '-t', String(child.pid), '--', ...args], { env });
    return stdout;
  };
  const systemctl = (...args: string[]): Promise<string> => inside('systemctl', '--user', ...args);
  await until(
    async () =>
      /starting|running|degraded/.test(
        await systemctl('is-system-running').catch((error: { stdout?: string }) => error.stdout ?? ''),
      ),
    () => `systemd --user did not start:\n${log}`,
  );
  return {
    systemctl,
    property: async (unit, name) => (await systemctl('show', '--value', '-p', name, unit)).trim(),
    journal: () => log,
    async close() {
      const ended = new Promise((resolve) => child.once('close', resolve));
      await systemctl('kill', '--signal=KILL', ...[...units.keys()].filter((name) => name.endsWith('.service'))).catch(
        () => undefined,
      );
      await systemctl('stop', ...units.keys()).catch(() => undefined);
      child.kill('SIGKILL');
      await ended;
      rmSync(home, { recursive: true, force: true });
    },
  };
}
