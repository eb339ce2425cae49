import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const run = promisify(execFile);

type Packed = {
  readonly filename: string;
  readonly unpackedSize: number;
  readonly size: number;
  readonly files: readonly { path: string }[];
};

/** As on a fresh machine: an empty prefix, no compiler on the PATH, install scripts blocked. */
describe('the package', () => {
  const scratch = mkdtempSync(join(tmpdir(), 'saxctl-package-'));
  const prefix = join(scratch, 'prefix');
  const tools = join(scratch, 'tools');
  const env = {
    PATH: tools,
    HOME: scratch,
    npm_config_cache: execFileSync('npm', ['config', 'get', 'cache'], { encoding: 'utf8' }).trim(),
    npm_config_registry: execFileSync('npm', ['config', 'get', 'registry'], { encoding: 'utf8' }).trim(),
    ...(process.env['NODE_EXTRA_CA_CERTS'] === undefined
      ? {}
      : { NODE_EXTRA_CA_CERTS: process.env['NODE_EXTRA_CA_CERTS'] }),
  };
  let packed: Packed;

  beforeAll(async () => {
    mkdirSync(tools);
    mkdirSync(prefix);
    for (const [name, path] of [
      ['node', process.execPath],
      ['sh', '/bin/sh'],
      ['env', '/usr/bin/env'],
    ] as const)
      symlinkSync(path, join(tools, name));
    const npm = realpathSync(execFileSync('sh', ['-c', 'command -v npm'], { encoding: 'utf8' }).trim());
    const { stdout } = await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', scratch]);
    packed = (JSON.parse(stdout) as Packed[])[0] as Packed;
    await run(
      process.execPath,
      [
        npm,
        'install',
        '--global',
        '--prefix',
        prefix,
        '--ignore-scripts',
        '--prefer-offline',
        '--no-audit',
        '--no-fund',
        join(scratch, packed.filename),
      ],
      {
        env,
      },
    );
  });
  afterAll(() => rmSync(scratch, { recursive: true, force: true }));

  const saxctl = (...args: string[]) =>
    run(join(prefix, 'bin/saxctl'), args, { env: { ...env, SAXCTL_CONFIG: '/dev/null' } });

  it('holds what it needs and nothing else', () => {
    const folders = new Set(packed.files.map(({ path }) => (path.includes('/') ? path.split('/')[0] : path)));
    expect([...folders].sort()).toEqual(
      [
        'CHANGELOG.md',
        'LICENSE',
        'README.md',
        'THIRD-PARTY.md',
        'bin',
        'completions',
        'dist',
        'man',
        'package.json',
        'php',
        'share',
      ].filter((name) => existsSync(name)),
    );
    expect(packed.size).toBeLessThan(3_000_000);
    for (const name of ['man/saxctl.1', 'completions/_saxctl', 'php/saxsay.php', 'bin/saxctl.js', 'dist/launch.cjs'])
      expect(packed.files.map(({ path }) => path)).toContain(name);
  });

  it('installs one dependency, with its part for this processor alone', () => {
    const modules = join(prefix, 'lib/node_modules/saxctl/node_modules');
    expect(
      readdirSync(modules)
        .filter((name) => !name.startsWith('.'))
        .sort(),
    ).toEqual(['@koromix', 'koffi']);
  });

  it('runs', async () => {
    const { version } = JSON.parse(execFileSync('cat', ['package.json'], { encoding: 'utf8' })) as { version: string };
    expect((await saxctl('--version')).stdout).toMatch(new RegExp(`^(?:saxctl )?${version.replaceAll('.', '\\.')} `));
    expect((await saxctl('completion', 'bash')).stdout).toContain('complete -F _saxctl saxctl');
    expect((await saxctl('init', '--print', 'nginx', '--domain', 'chat.test')).stdout).toContain('proxy_read_timeout');
  });

  it('has UNIX datagrams without a compiler', async () => {
    const report = await saxctl('doctor', 'versions', '--json').catch((error: { stdout: string }) => error);
    const { checks } = JSON.parse(report.stdout) as { checks: { name: string; status: string }[] };
    expect(checks.find(({ name }) => name === 'versions.native')).toMatchObject({ status: 'ok' });
  });
});
