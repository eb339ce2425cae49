import { chmodSync, cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROGRAM } from '../stack.ts';
import { until } from '../until.ts';
import { apparmor, chmodded, epmd, ownNetwork, sql } from './breaks.ts';
import { networkPairs } from './network-pairs.ts';
import { type DoctorSite, edited, type Pair } from './site.ts';

const ACCOUNT = "'saxctl'@'localhost'";

const config = (name: string, env: Record<string, string>, says: RegExp, more: Partial<Pair> = {}): Pair =>
  ({ name, flags: ['config'], says, broken: { env }, ...more }) as Pair;

/** What can be broken without ejabberd being stopped. */
export function pairs(site: DoctorSite): readonly Pair[] {
  const { stack } = site;
  const incomplete = join(stack.directory, 'incomplete.toml');
  return [
    config('config.valid', { SAXCTL_DATABASE_PORT: 'x' }, /port/),
    {
      name: 'config.complete',
      flags: ['config'],
      says: /\[webridge\] password is not set/,
      break: async () => {
        const toml = readFileSync(stack.config, 'utf8');
        writeFileSync(incomplete, toml.replace(`password = "${stack.bots.webridge.password}"\n`, ''), { mode: 0o600 });
        return async () => {};
      },
      broken: { config: incomplete },
    },
    config('config.secrets', { SAXCTL_GUARD_PASSWORD_FILE: '/nonexistent' }, /\/nonexistent/, {
      also: ['config.domains'],
    }),
    {
      name: 'config.file-mode',
      flags: ['config'],
      says: /every account/,
      break: chmodded(() => stack.config, 0o644),
      also: ['config.warnings'],
    },
    {
      name: 'config.directory-mode',
      flags: ['config'],
      says: /written by everybody/,
      break: chmodded(() => stack.directory, 0o777),
    },
    config('config.warnings', { SAXCTL_WEBRIDGE_PASWORD: 'x' }, /SAXCTL_WEBRIDGE_PASSWORD/, { status: 'warning' }),
    config('config.token-key', { SAXCTL_AUTH_TOKEN_KEY: 'short' }, /5 bytes/, { also: ['config.warnings'] }),
    config('config.domains', { SAXCTL_GUARD_JID: 'guard@elsewhere.test' }, /guard@elsewhere\.test/),

    {
      name: 'database.connect',
      flags: ['database'],
      says: /ECONNREFUSED/,
      break: async () => {
        await stack.mariadb.cut();
        return () => stack.mariadb.mend();
      },
    },
    {
      name: 'database.tables',
      flags: ['database'],
      says: /phpbb_config/,
      break: sql([`REVOKE SELECT ON forum.phpbb_config FROM ${ACCOUNT}`]),
    },
    {
      name: 'database.rights',
      flags: ['database'],
      status: 'warning',
      says: /more than read: INSERT/,
      break: sql([`GRANT INSERT ON forum.phpbb_users TO ${ACCOUNT}`]),
    },
    {
      name: 'database.indexes',
      flags: ['database'],
      says: /phpbb_sessions\.session_id/,
      break: sql(['ALTER TABLE phpbb_sessions DROP PRIMARY KEY']),
    },
    {
      name: 'database.session-table',
      flags: ['database'],
      says: /took \d+ ms/,
      // A long way to the database and back.
      break: async () => {
        stack.mariadb.delay(140);
        return async () => stack.mariadb.delay(0);
      },
    },
    {
      name: 'database.localparts',
      flags: ['database'],
      status: 'warning',
      says: /tari \(Tari, TARI\)/,
      break: sql(
        [
          "CREATE TEMPORARY TABLE twin SELECT * FROM phpbb_users WHERE username = 'Tari'",
          "UPDATE twin SET user_id = 99999, username = 'TARI', username_clean = 'tari2'",
          'INSERT INTO phpbb_users SELECT * FROM twin',
          'DROP TEMPORARY TABLE twin',
        ],
        ['DELETE FROM phpbb_users WHERE user_id = 99999'],
      ),
    },

    {
      name: 'ejabberd.yml',
      flags: ['ejabberd'],
      says: /not YAML/,
      break: async ({ yml }) => {
        const undo = edited(yml, (text) => `${text}\n\t- [`);
        return async () => undo();
      },
    },
    {
      name: 'ejabberd.locale',
      flags: ['ejabberd'],
      says: /C\.UTF-8 is missing/,
      // A double: every glibc of today has C.UTF-8 built in.
      break: async () => {
        const directory = join(stack.directory, 'no-locale');
        mkdirSync(directory, { recursive: true });
        writeFileSync(join(directory, 'locale'), '#!/bin/sh\necho C; echo POSIX\n', { mode: 0o700 });
        return async () => {};
      },
      broken: { env: { PATH: `${join(stack.directory, 'no-locale')}:/usr/bin:/bin` } },
    },
    {
      name: 'ejabberd.api',
      flags: ['ejabberd'],
      says: /answers 404/,
      broken: { env: { SAXCTL_EJABBERD_VIA: 'http', SAXCTL_EJABBERD_API_URL: `${stack.httpUrl}/nowhere` } },
      mended: { env: { SAXCTL_EJABBERD_VIA: 'http' } },
    },
    {
      name: 'ejabberd.apparmor',
      flags: ['ejabberd'],
      says: /enforces/,
      broken: { launcher: apparmor('enforce') },
      mended: { launcher: apparmor('complain') },
    },
    {
      name: 'ejabberd.port-mapper',
      flags: ['ejabberd'],
      status: 'warning',
      says: /4369/,
      broken: { launcher: epmd('') },
      mended: { launcher: epmd('-address 127.0.0.1') },
    },

    {
      name: 'auth.rules',
      flags: ['auth'],
      says: /cannot ask the forum/,
      broken: { env: { SAXCTL_DATABASE_TABLE_PREFIX: 'other_' } },
    },
    ...(['webridge', 'ircbridge', 'guard'] as const).map(
      (bot): Pair => ({
        name: `auth.login-${bot}`,
        flags: ['auth'],
        says: /not-authorized|refused/,
        broken: { env: { [`SAXCTL_${bot.toUpperCase()}_PASSWORD`]: 'wrong' } },
      }),
    ),

    {
      name: 'room.nick-module',
      flags: ['room'],
      status: 'warning',
      says: /without mod_sax_nick/,
      break: async ({ yml }) => {
        const undo = edited(yml, (text) => text.replace(/^ {2}mod_sax_nick:\n {4}exempt:\n.*\n/m, ''));
        await stack.api('reload_config');
        return async () => {
          undo();
          await stack.api('reload_config');
        };
      },
    },
    {
      // Without its archive's tables ejabberd answers as if nobody had ever said anything.
      name: 'room.archive',
      flags: ['room'],
      says: /is its database away/,
      break: sql(['RENAME TABLE archive.archive TO archive.gone'], ['RENAME TABLE archive.gone TO archive.archive']),
    },
    {
      name: 'socket.directory',
      flags: ['socket'],
      says: /anybody can put/,
      break: chmodded(() => join(stack.directory, 'run'), 0o777),
    },
    {
      name: 'socket.listens',
      flags: ['socket'],
      says: /leftover/,
      break: async () => {
        await site.webridge().kill();
        return () => site.startWebridge();
      },
      also: ['metrics.health'],
    },
    {
      name: 'socket.queue',
      flags: ['socket'],
      status: 'warning',
      says: /queues 10/,
      broken: { launcher: ownNetwork('sysctl -qw net.unix.max_dgram_qlen=10') },
      mended: { launcher: ownNetwork('sysctl -qw net.unix.max_dgram_qlen=512') },
    },
    {
      name: 'socket.spool',
      flags: ['socket'],
      says: /everybody may announce/,
      break: async () => {
        chmodSync(site.spool, 0o777);
        return async () => chmodSync(site.spool, 0o750);
      },
    },
    {
      name: 'state.directory',
      flags: ['socket'],
      says: /others can change/,
      break: chmodded(() => stack.stateDir, 0o775),
    },
    {
      name: 'metrics.health',
      flags: ['socket'],
      says: /says 503/,
      break: async ({ startWebridge }) => {
        await site.webridge().kill();
        const address = await startWebridge();
        const health = () => fetch(`http://${address}/healthz`).then(({ status }) => status);
        await until(async () => (await health()) === 200);
        await stack.ejabberd.cut();
        await until(async () => (await health()) === 503);
        return async () => {
          await stack.ejabberd.mend();
          await until(async () => (await health()) === 200);
        };
      },
    },

    ...networkPairs(site),
    {
      name: 'clock.database',
      flags: ['clock'],
      says: /3[56]\d\d\.\d s ahead/,
      break: sql(
        ["SET GLOBAL init_connect = 'SET timestamp = UNIX_TIMESTAMP() + 3600'"],
        ["SET GLOBAL init_connect = ''"],
      ),
    },
    // A double in the web server's place: nginx has the machine's own time.
    {
      name: 'clock.web',
      flags: ['clock'],
      says: /3[56]\d\d\.\d s behind/,
      broken: { url: site.lateUrl },
      mended: { url: site.url },
    },

    {
      name: 'versions.node',
      flags: ['versions'],
      says: /18\.20\.4 is too old/,
      // A double: an old Node is stopped by the launcher, before doctor.
      break: async () => {
        const { versions } = process;
        Object.defineProperty(process, 'versions', { value: { ...versions, node: '18.20.4' } });
        return async () => void Object.defineProperty(process, 'versions', { value: versions });
      },
    },
    {
      name: 'versions.native',
      flags: ['versions'],
      says: /koffi/,
      break: async () => {
        const alone = join(stack.directory, 'alone');
        for (const name of ['bin', 'dist', 'package.json'])
          cpSync(join(PROGRAM, '../..', name), join(alone, name), { recursive: true });
        return async () => {};
      },
      broken: { launcher: [process.execPath, join(stack.directory, 'alone/bin/saxctl.js')] },
      mended: { child: true },
    },
    {
      name: 'versions.ejabberd',
      flags: ['versions'],
      says: /18\.06 is older/,
      // A double: no such server is in Debian any more.
      break: async () => {
        writeFileSync(
          join(stack.directory, 'old-ctl'),
          '#!/bin/sh\necho "The node ejabberd@localhost is started with status: started"\necho "ejabberd 18.06 is running in that node"\n',
          { mode: 0o700 },
        );
        return async () => {};
      },
      broken: { env: { SAXCTL_EJABBERD_CTL: join(stack.directory, 'old-ctl') } },
    },
    {
      name: 'versions.forum',
      flags: ['versions'],
      status: 'warning',
      says: /5\.0 was never tried/,
      break: sql(
        ["UPDATE phpbb_config SET config_value = '5.0' WHERE config_name = 'version'"],
        ["UPDATE phpbb_config SET config_value = '3.3.11' WHERE config_name = 'version'"],
      ),
    },
  ];
}
