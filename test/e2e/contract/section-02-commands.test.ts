/** Every command (section 2) and the configuration (section 3), from outside: no file, only the environment, and exit codes. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { type Finished, PROGRAM } from '../../helpers/stack.ts';
import { stranger } from './stranger.ts';

const directory = mkdtempSync(join(tmpdir(), 'saxctl-contract-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const saxctl = (argv: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Finished> =>
  stranger(process.execPath, [PROGRAM, ...argv], { HOME: directory, ...env });

test.each([
  [['nope', '--help']],
  [['help', 'nope']],
  [['hsitory']],
  [['history', '--limt', '3']],
  [['--conifg', 'x', 'history']],
  [['config', 'chek']],
  // Also where nothing is configured.
  [['history', '--since', '5q']],
  [['sync-nicks', '--concurrency', '0']],
  [[]],
])('%j is wrong usage: exit 64, nothing on stdout', async (argv) => {
  const { code, stdout, stderr } = await saxctl(argv);
  expect([code, stdout]).toEqual([64, '']);
  expect(stderr).not.toContain('    at ');
});

test('help of a command is the same by both ways, with its own flags', async () => {
  const [one, other] = await Promise.all([saxctl(['help', 'sync-nicks']), saxctl(['sync-nicks', '--help'])]);
  expect(one).toEqual(other);
  expect([one.code, one.stdout]).toEqual([0, expect.stringContaining('--no-prune')]);
});

test('what config show prints is a configuration, durations and pairs included', async () => {
  const file = join(directory, 'a.toml');
  writeFileSync(file, '[ircbridge]\ncatch_up = "90s"\n[[link]]\nroom = "a@b"\nchannel = "#x"\n', { mode: 0o600 });
  const shown = await saxctl(['-c', file, 'config', 'show']);
  const again = join(directory, 'b.toml');
  writeFileSync(again, shown.stdout, { mode: 0o600 });
  const second = await saxctl(['-c', again, 'config', 'show', '--json']);
  const { values } = JSON.parse(second.stdout) as { values: { key: string; value: unknown }[] };
  expect(values).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ key: 'ircbridge.catch_up', value: '90s' }),
      expect.objectContaining({ key: 'link.channel', value: '#x' }),
    ]),
  );
});

test('where nothing can be made is exit 73, at once', async () => {
  const env = {
    SAXCTL_DATABASE_NAME: 'x',
    SAXCTL_XMPP_DOMAIN: 'chat.test',
    SAXCTL_STATE_DIR: '/proc/saxctl/state',
  };
  for (const argv of [['sync-nicks'], ['init', '/proc/saxctl/init'], ['widget', '/proc/saxctl/widget']])
    expect([argv[0], (await saxctl(argv, env)).code]).toEqual([argv[0], 73]);
});
