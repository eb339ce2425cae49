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

const setting = (name: string): string => execFileSync('npm', ['config', 'get', name], { encoding: 'utf8' }).trim();
const [registry, cache] = [setting('registry'), setting('cache')];
const [userconfig, globalconfig] = [setting('userconfig'), setting('globalconfig')];
/** See scripts/test.mjs. */
const extraCa = process.env['TEST_EXTRA_CA_CERTS'] ?? process.env['NODE_EXTRA_CA_CERTS'];
const npm = realpathSync(execFileSync('sh', ['-c', 'command -v npm'], { encoding: 'utf8' }).trim());

/** The Node that runs the tests; the long form fetches the others that are promised. */
const NODES = process.env['SAXCTL_LONG'] === '1' ? ['this', '22', '24'] : ['this'];

const scratch = mkdtempSync(join(tmpdir(), 'saxctl-package-'));
let packed: Packed;
beforeAll(async () => {
  const { stdout } = await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', scratch]);
  packed = (JSON.parse(stdout) as Packed[])[0] as Packed;
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const QUIET = ['--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund'];

/** As on a fresh machine: an empty prefix, no compiler on the PATH, install scripts blocked. */
describe.each(NODES)('the package on Node %s', (version) => {
  const home = join(scratch, version);
  const prefix = join(home, 'prefix');
  const tools = join(home, 'tools');
  const env = {
    PATH: tools,
    HOME: home,
    npm_config_cache: cache,
    npm_config_registry: registry,
    // How this machine reaches its registry (certificates, proxies) is no part of an empty prefix.
    npm_config_userconfig: userconfig,
    npm_config_globalconfig: globalconfig,
    ...(extraCa === undefined ? {} : { NODE_EXTRA_CA_CERTS: extraCa }),
  };
  let node = process.execPath;

  beforeAll(async () => {
    for (const path of [home, tools, prefix]) mkdirSync(path);
    if (version !== 'this') {
      // The package `node` fetches this one by an install script; so it is taken itself.
      const name = `node-linux-${process.arch}`;
      await run('npm', ['install', '--prefix', join(home, 'node'), ...QUIET, `${name}@${version}`]);
      node = join(home, 'node/node_modules', name, 'bin/node');
    }
    for (const [name, path] of [
      ['node', node],
      ['sh', '/bin/sh'],
      ['env', '/usr/bin/env'],
    ] as const)
      symlinkSync(path, join(tools, name));
    const from = join(scratch, packed.filename);
    await run(node, [npm, 'install', '--global', '--prefix', prefix, ...QUIET, from], { env });
  });

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
    const { version: own } = JSON.parse(execFileSync('cat', ['package.json'], { encoding: 'utf8' })) as {
      version: string;
    };
    const text = (await saxctl('--version')).stdout;
    expect(text).toMatch(new RegExp(`^(?:saxctl )?${own.replaceAll('.', '\\.')} `));
    if (version !== 'this') expect(text).toContain(`v${version}.`);
    expect((await saxctl('completion', 'bash')).stdout).toContain('complete -F _saxctl saxctl');
    expect((await saxctl('init', '--print', 'nginx', '--domain', 'chat.test')).stdout).toContain('proxy_read_timeout');
  });

  it('has UNIX datagrams without a compiler', async () => {
    const report = await saxctl('doctor', 'versions', '--json').catch((error: { stdout: string }) => error);
    const { checks } = JSON.parse(report.stdout) as { checks: { name: string; status: string }[] };
    expect(checks.find(({ name }) => name === 'versions.native')).toMatchObject({ status: 'ok' });
  });

  it('shows the whole system, hop by hop', async () => {
    const { stdout } = await run(join(prefix, 'bin/saxctl'), ['demo', '--once'], {
      env: { HOME: home, PATH: `${tools}:/usr/sbin:/usr/bin:/sbin:/bin`, LANG: 'C.UTF-8' },
    });
    expect(stdout).toMatch(/^(\d+) of \1 hops in /m);
  });
});
