import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Stack } from '../../src/edges/stack/types.ts';
import { PROGRAM, runSaxctl, startTestStack } from '../helpers/stack.ts';
import { until } from '../helpers/until.ts';
import { startUserSystemd, type UserSystemd } from '../helpers/user-systemd.ts';

const written = mkdtempSync(join(tmpdir(), 'saxctl-units-'));
const program = `${process.execPath} ${PROGRAM}`;
const unit = (name: string): string => readFileSync(join(written, 'systemd', name), 'utf8');

beforeAll(() => {
  execFileSync(
    process.execPath,
    [
      PROGRAM,
      'init',
      written,
      '--domain',
      'chat.test',
      '--saxctl',
      program,
      '--irc',
      'ircs://irc.test:6697',
      '--channel',
      '#sax',
    ],
    {
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  );
});
afterAll(() => rmSync(written, { recursive: true, force: true }));

describe('units', () => {
  it('are exposed at most 2.0 of 10 (systemd-analyze security)', () => {
    for (const name of readdirSync(join(written, 'systemd')).filter((file) => file.endsWith('.service'))) {
      const report = execFileSync('systemd-analyze', ['--offline=true', 'security', join(written, 'systemd', name)], {
        encoding: 'utf8',
      });
      const level = Number(/Overall exposure level for \S+: ([\d.]+)/.exec(report)?.[1]);
      expect(level, name).toBeLessThanOrEqual(2);
    }
  });

  it('have nothing that systemd does not know', () => {
    const files = readdirSync(join(written, 'systemd')).filter((file) => /\.(?:service|socket|timer)$/.test(file));
    const said = execFileSync(
      'sh',
      [
        '-c',
        `systemd-analyze verify --man=no ${files.map((file) => `"${join(written, 'systemd', file)}"`).join(' ')} 2>&1 || true`,
      ],
      {
        encoding: 'utf8',
      },
    );
    expect(said.split('\n').filter((line) => line.includes('saxctl'))).toEqual([]);
  });
});

describe('webridge under a real systemd', () => {
  let stack: Stack;
  let systemd: UserSystemd;
  const service = 'saxctl-webridge.service';

  /** What a user manager cannot do, or what would hide the throw-away stack, is taken out; the rest is as shipped. */
  const adapted = (): ReadonlyMap<string, string> => {
    const secret = join(stack.directory, 'webridge_password');
    writeFileSync(secret, stack.bots.webridge.password, { mode: 0o600 });
    const text = unit(service)
      .replace(
        /^(?:User|Group|SupplementaryGroups|PrivateTmp|ProtectHome|PrivateUsers|Wants|After|CacheDirectory\w*|ReadWritePaths)=.*\n/gm,
        '',
      )
      .replace('SystemCallFilter=~@privileged @resources\n', '')
      .replaceAll(`${written}/saxctl.toml`, stack.config)
      .replaceAll(`${written}/webridge_password`, secret)
      .replace('WatchdogSec=60', 'WatchdogSec=3')
      .replace('RestartSec=5', 'RestartSec=100ms')
      .replace(
        '[Install]',
        `ReadWritePaths=${stack.directory}\nStandardError=append:${stack.directory}/webridge.log\nEnvironment=SAXCTL_WEBRIDGE_PASSWORD_FILE=webridge_password\n\n[Install]`,
      )
      .replace(/SAXCTL_METRICS_LISTEN=\S+/, 'SAXCTL_METRICS_LISTEN=127.0.0.1:0');
    const socket = unit('saxctl-webridge.socket')
      .replace(/^Socket(?:User|Group)=.*\n/gm, '')
      .replace('/run/saxctl/say.sock', stack.saySocket);
    return new Map([
      [service, text],
      ['saxctl-webridge.socket', socket],
    ]);
  };

  beforeAll(async () => {
    // Its password comes as a credential alone.
    stack = await startTestStack({ parts: ['mariadb', 'ejabberd'] });
    writeFileSync(
      stack.config,
      readFileSync(stack.config, 'utf8').replace(`password = "${stack.bots.webridge.password}"\n`, ''),
    );
    systemd = await startUserSystemd(adapted());
  });
  afterAll(async () => {
    await systemd?.close();
    await stack?.stop();
  });

  const said = async (): Promise<string[]> => {
    const { stdout } = await runSaxctl(stack, ['history', '--json', '--since', '1h'], {
      env: { SAXCTL_WEBRIDGE_PASSWORD: stack.bots.webridge.password },
    });
    return stdout.split('\n').flatMap((line) => (line === '' ? [] : [(JSON.parse(line) as { text: string }).text]));
  };
  const state = () => systemd.property(service, 'ActiveState');

  it('keeps in the kernel what is said before it starts, and says it when it is ready', async () => {
    await systemd.systemctl('start', 'saxctl-webridge.socket');
    const { code, stderr } = await runSaxctl(stack, ['say', 'before the start']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    await systemd.systemctl('start', '--no-block', service);
    await until(
      async () => (await state()) === 'active',
      () => `not active: ${systemd.journal()}`,
    );
    expect(await systemd.property(service, 'StatusText')).not.toBe('');
    await until(async () => (await said()).includes('before the start'));
  });

  it('is killed by the watchdog when it hangs, and works again', async () => {
    const pid = await systemd.property(service, 'MainPID');
    process.kill(Number(pid), 'SIGSTOP');
    await runSaxctl(stack, ['say', 'while it hangs']);
    await until(async () => (await systemd.property(service, 'NRestarts')) === '1', 'the watchdog did not act');
    await until(async () => (await said()).includes('while it hangs'));
    expect(await systemd.property(service, 'MainPID')).not.toBe(pid);
  });

  it('re-reads its configuration, and stops cleanly', async () => {
    await systemd.systemctl('reload', service);
    await until(() => readFileSync(join(stack.directory, 'webridge.log'), 'utf8').includes('reloaded'));
    await systemd.systemctl('stop', service, 'saxctl-webridge.socket');
    expect([await state(), await systemd.property(service, 'Result')]).toEqual(['inactive', 'success']);
    expect((await said()).filter((text) => text === 'while it hangs')).toHaveLength(1);
  });
});
