import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Stack } from '../../src/edges/stack/types.ts';
import { PAGES, saxctlLines } from '../helpers/doc-lines.ts';
import { isRoot } from '../helpers/namespace.ts';
import { type RunningSaxctl, runSaxctl, startSaxctl, startTestStack } from '../helpers/stack.ts';

/** Lines whose checks call ejabberdctl many times: doctor.test.ts runs those, once. */
const SLOW = ['doctor', 'doctor ejabberd', 'doctor ejabberd auth room'];

/** Commands that end by themselves and change nothing outside of the stack. */
const RUNNABLE = ['say', 'history', 'sync-nicks', 'config', 'doctor', 'completion', 'auth'];

const commandOf = (words: readonly string[]): string => words.find((word) => !word.startsWith('-')) ?? '';
const lines = [
  ...new Map(
    PAGES.flatMap(saxctlLines)
      .filter(
        ({ words }) =>
          RUNNABLE.includes(commandOf(words)) &&
          !words.includes('--follow') &&
          !SLOW.includes(words.join(' ')) &&
          !words.includes('--url') &&
          !words.includes('-c'),
      )
      .map((line) => [line.words.join(' '), line] as const),
  ).values(),
];

/** The pages' own command lines on a real site. What they are parsed as is docs.test.ts' business; here they do their work. */
describe('command lines of the docs', () => {
  const scratch = mkdtempSync(join(tmpdir(), 'saxctl-docs-'));
  let stack: Stack;
  let webridge: RunningSaxctl;
  beforeAll(async () => {
    stack = await startTestStack({ parts: ['mariadb', 'ejabberd', 'irc1'], config: { ejabberd: { via: 'http' } } });
    webridge = startSaxctl(stack, ['webridge']);
    await webridge.logged(/"event":"ready"/);
  });
  afterAll(async () => {
    await webridge?.kill();
    await stack?.stop();
    rmSync(scratch, { recursive: true, force: true });
  });

  it.each(lines.map(({ file, line, words }) => [`${file}:${line}`, words] as const))(
    '%s: saxctl %j works',
    async (_place, words) => {
      const { code, stderr } = await runSaxctl(stack, words, { stdin: `${stack.member('Tari').session.sid}\n` });
      // doctor and sync-nicks end with 1 when they find something, which they may on a site for tests.
      expect(['doctor', 'sync-nicks'].includes(commandOf(words)) ? [0, 1] : [0], stderr).toContain(code);
      expect(stderr).not.toContain('internal error');
    },
    120_000,
  );

  /** docs/install-debian.md from top to bottom, with this stack in the place of Debian's services and a directory in that of /. */
  describe('docs/install-debian.md', () => {
    const root = join(scratch, 'root');
    const etc = join(root, 'etc/saxctl');
    const page = readFileSync('docs/install-debian.md', 'utf8');
    const shell = [...page.matchAll(/^```sh\n([\s\S]*?)^```/gm)].flatMap((block) =>
      (block[1] ?? '').trim().split('\n'),
    );
    const own = (line: string): string =>
      line.replaceAll('/etc/saxctl', etc).replaceAll('chat.example.org', stack.domain).replaceAll(' sax ', ' sax2 ');
    const run = (line: string, path = '') =>
      promisify(execFile)('sh', ['-ec', line], {
        env: { PATH: `${path}:/usr/bin:/bin:/usr/sbin:/sbin`, LC_ALL: 'C.UTF-8' },
      });

    it('init, as it is written there, without a terminal', async () => {
      const forum = join(scratch, 'config.php');
      writeFileSync(forum, "<?php\n$dbname = 'forum';\n$table_prefix = 'phpbb_';\n");
      const line = shell.find((text) => text.startsWith('saxctl init') && text.includes('--yes')) ?? '';
      const words = own(line).replace('/var/www/forum/config.php', forum).split(' ').slice(1);
      const { code, stderr } = await runSaxctl({ config: '/dev/null', env: { HOME: scratch } }, [
        ...words,
        '--irc',
        'ircs://irc.test:6697',
        '--channel',
        '#sax',
      ]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    });

    it.skipIf(!isRoot)('every file that is copied is there, and goes where it works', async () => {
      const copies = shell.filter((text) => text.startsWith('cp '));
      expect(copies.length).toBeGreaterThan(4);
      for (const line of copies) {
        const target = line.split(' ').at(-1) ?? '';
        mkdirSync(join(root, target.endsWith('/') ? target : dirname(target)), { recursive: true });
        await run(own(line).replace(/ (\/[^ ]+)$/, ` ${root}$1`));
      }
      await run(`systemd-sysusers --root=${root}`);
      expect(readFileSync(join(root, 'etc/passwd'), 'utf8')).toMatch(/^saxctl:/m);
      const groups = readFileSync(join(root, 'etc/group'), 'utf8');
      writeFileSync(join(root, 'etc/group'), `${groups}www-data:x:33:\n`);
      await run(`systemd-tmpfiles --root=${root} --create`);
      expect(statSync(join(root, 'var/spool/saxctl')).mode & 0o7777).toBe(0o2770);
      expect(readFileSync(join(root, 'etc/sysctl.d/60-saxctl-sysctl.conf'), 'utf8')).toContain('max_dgram_qlen');
    });

    it('names units that init writes', () => {
      const units = readdirSync(join(etc, 'systemd'));
      const named = shell
        .filter((text) => text.startsWith('systemctl '))
        .flatMap((text) => text.split(/\s+/).filter((word) => word.startsWith('saxctl-')));
      expect(named.length).toBeGreaterThan(5);
      for (const name of named) expect(units).toContain(/\.\w+$/.test(name) ? name : `${name}.service`);
    });

    it('ejabberdctl does what is asked of it', async () => {
      const lines = shell.filter((text) => text.startsWith('ejabberdctl '));
      expect(lines.length).toBe(2);
      for (const line of lines) await run(own(line), join(stack.directory, 'ejabberd'));
      const rooms = { name: 'sax2', service: stack.mucService };
      expect(JSON.stringify(await stack.api('get_room_affiliations', rooms))).toContain('owner');
    });

    it('database.sql makes the account and the archive, and doctor is content', async () => {
      await stack.sql("DROP USER 'saxctl'@'localhost'");
      const line = shell.find((text) => text.startsWith('mysql ')) ?? '';
      await run(own(line).replace('mysql', `mysql --no-defaults --user=root --socket=${stack.databaseSocket}`));
      const { stdout } = await runSaxctl(
        { config: join(etc, 'saxctl.toml'), env: stack.env },
        ['doctor', 'database', '--json'],
        { env: { SAXCTL_DATABASE_PORT: String(stack.mariadb.port) } },
      );
      const { checks } = JSON.parse(stdout) as { checks: { name: string; status: string; message: string }[] };
      expect(checks.filter(({ status }) => status === 'problem')).toEqual([]);
      expect(checks.find(({ name }) => name === 'database.rights')).toMatchObject({ status: 'ok' });
      expect(await stack.sql('SHOW TABLES FROM ejabberd')).toHaveLength(2);
    });
  });
});
