import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Stack } from '../../src/edges/stack/types.ts';
import { isRoot } from '../helpers/namespace.ts';
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

const DAEMONS = ['webridge', 'ircbridge', 'guard'] as const;

describe.skipIf(!isRoot)('all units under a real systemd', () => {
  let stack: Stack;
  let systemd: UserSystemd;
  const service = 'saxctl-webridge.service';
  const log = (name: string): string => readFileSync(join(stack.directory, `${name}.log`), 'utf8');

  /** The throw-away stack's ports and places; accounts, room and secrets come from what init wrote. */
  const surroundings = (): string =>
    Object.entries({
      DATABASE_PORT: stack.mariadb.port,
      DATABASE_NAME: 'forum',
      XMPP_SERVICE: `xmpp://127.0.0.1:${stack.ejabberd.port}`,
      EJABBERD_API_URL: `${stack.httpUrl}/api`,
      IRC_SERVERS: `irc://127.0.0.1:${stack.irc1.port}`,
      STATE_DIR: '%S/saxctl',
      WEBRIDGE_SOCKET: stack.saySocket,
      WEBRIDGE_SPOOL: join(stack.directory, 'spool'),
      WEBRIDGE_SNAPSHOT: stack.snapshot,
    })
      .map(
        ([name, value]) =>
          `Environment=SAXCTL_${name}=${String(value).replace('%S', '\u0000').replaceAll('%', '%%').replace('\u0000', '%S')}\n`,
      )
      .join('');

  /** What a user manager cannot do, or what would hide the throw-away stack, is taken out; the rest is as shipped. */
  const adapted = (name: string): string =>
    unit(`saxctl-${name}.service`)
      .replace(
        /^(?:User|Group|SupplementaryGroups|PrivateTmp|ProtectHome|PrivateUsers|Wants|After|CacheDirectory\w*|ReadWritePaths)=.*\n/gm,
        '',
      )
      .replace('SystemCallFilter=~@privileged @resources\n', '')
      .replace('WatchdogSec=60', 'WatchdogSec=3')
      .replace('RestartSec=5', 'RestartSec=100ms')
      .replace(/SAXCTL_METRICS_LISTEN=\S+/, 'SAXCTL_METRICS_LISTEN=127.0.0.1:0')
      .replace(
        'UMask=0077',
        `ReadWritePaths=${stack.directory}\nStandardOutput=append:${stack.directory}/${name}.log\nStandardError=append:${stack.directory}/${name}.log\n${surroundings()}UMask=0077`,
      );

  beforeAll(async () => {
    stack = await startTestStack({ parts: ['mariadb', 'ejabberd', 'irc1'], moderated: true });
    mkdirSync(join(stack.directory, 'spool'), { mode: 0o700 });
    // The secrets of this ejabberd and this database, in the files that the units load as credentials.
    for (const bot of DAEMONS) writeFileSync(join(written, `${bot}_password`), stack.bots[bot].password);
    const forum = /\[database\][^[]*?\npassword = "([^"]+)"/.exec(readFileSync(stack.config, 'utf8'))?.[1] ?? '';
    writeFileSync(join(written, 'database_password'), forum);
    const socket = unit('saxctl-webridge.socket')
      .replace(/^Socket(?:User|Group)=.*\n/gm, '')
      .replace('/run/saxctl/say.sock', stack.saySocket);
    const timer = unit('saxctl-sync-nicks.timer')
      .replace('OnBootSec=2min', 'OnActiveSec=100ms\nAccuracySec=100ms')
      .replace('RandomizedDelaySec=30s', 'RandomizedDelaySec=0');
    systemd = await startUserSystemd(
      new Map([
        ...[...DAEMONS, 'sync-nicks'].map((name) => [`saxctl-${name}.service`, adapted(name)] as const),
        ['saxctl-webridge.socket', socket],
        ['saxctl-sync-nicks.timer', timer],
      ]),
    );
  });
  afterAll(async () => {
    await systemd?.close();
    await stack?.stop();
  });

  const said = async (): Promise<string[]> => {
    const { stdout } = await runSaxctl(stack, ['history', '--json', '--since', '1h']);
    return stdout.split('\n').flatMap((line) => (line === '' ? [] : [(JSON.parse(line) as { text: string }).text]));
  };
  const state = () => systemd.property(service, 'ActiveState');

  it.each(['guard', 'ircbridge'] as const)(
    '%s: becomes ready with its credentials alone, and does its job',
    async (name) => {
      const unitName = `saxctl-${name}.service`;
      await systemd.systemctl('start', '--no-block', unitName);
      await until(
        async () => (await systemd.property(unitName, 'ActiveState')) === 'active',
        () => `not active: ${log(name)}`,
      );
      expect(await systemd.property(unitName, 'StatusText')).not.toBe('');
      const address = /metrics on (http:\S+)\/metrics/.exec(log(name))?.[1] ?? '';
      await until(
        async () => (await fetch(`${address}/healthz`)).status === 200,
        () => log(name),
      );
      // Only what is loaded as a credential can be had by this unit.
      const pid = await systemd.property(unitName, 'MainPID');
      const loaded = readFileSync(`/proc/${pid}/environ`, 'utf8').match(/CREDENTIALS_DIRECTORY=([^\0]+)/)?.[1] ?? '';
      expect(readdirSync(`/proc/${pid}/root${loaded}`).sort()).toEqual(
        name === 'guard' ? ['database_password', 'guard_password'] : ['ircbridge_password'],
      );
    },
  );

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

  it.each(['ircbridge', 'guard'] as const)(
    '%s: is killed by the watchdog when it hangs, re-reads, and stops cleanly',
    async (name) => {
      const unitName = `saxctl-${name}.service`;
      process.kill(Number(await systemd.property(unitName, 'MainPID')), 'SIGSTOP');
      await until(async () => (await systemd.property(unitName, 'NRestarts')) === '1', 'the watchdog did not act');
      await until(
        async () => (await systemd.property(unitName, 'ActiveState')) === 'active',
        () => log(name),
      );
      await systemd.systemctl('reload', unitName);
      await until(() => log(name).includes('reloaded'));
      await systemd.systemctl('stop', unitName);
      expect([await systemd.property(unitName, 'ActiveState'), await systemd.property(unitName, 'Result')]).toEqual([
        'inactive',
        'success',
      ]);
    },
  );

  it('the timer runs sync-nicks, which registers the members', async () => {
    await systemd.systemctl('start', 'saxctl-sync-nicks.timer');
    const summary = /registered (\d+), unchanged \d+, renamed \d+, removed \d+, conflicts \d+, failed 0/;
    await until(
      () => existsSync(join(stack.directory, 'sync-nicks.log')) && summary.test(log('sync-nicks')),
      () => `no run: ${systemd.journal().slice(-2000)}`,
    );
    expect(Number(summary.exec(log('sync-nicks'))?.[1])).toBeGreaterThan(15);
    await until(async () => (await systemd.property('saxctl-sync-nicks.service', 'ActiveState')) === 'inactive');
    expect(await systemd.property('saxctl-sync-nicks.service', 'Result')).toBe('success');
    expect(await systemd.property('saxctl-sync-nicks.timer', 'ActiveState')).toBe('active');
    await systemd.systemctl('stop', 'saxctl-sync-nicks.timer');
  });

  it('re-reads its configuration, and stops cleanly', async () => {
    await systemd.systemctl('reload', service);
    await until(() => log('webridge').includes('reloaded'));
    await systemd.systemctl('stop', service, 'saxctl-webridge.socket');
    expect([await state(), await systemd.property(service, 'Result')]).toEqual(['inactive', 'success']);
    expect((await said()).filter((text) => text === 'while it hangs')).toHaveLength(1);
  });
});
