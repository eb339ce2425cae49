import { ARCHIVE_TABLES } from '../archive-schema.ts';
import type { SectionDoc } from '../config-doc.ts';
import { type EjabberdSite, ejabberdYml } from '../ejabberd-config.ts';
import { type ChatSite, nginxLocations, nginxSite, nginxUpstream } from '../nginx-config.ts';
import { type Secrets, type Site, SNAPSHOT_DIRECTORY, type Template, WIDGET_DIRECTORY } from './site.ts';
import { systemdTemplates } from './systemd.ts';
import { saxctlToml } from './toml.ts';

const ARCHIVE_DATABASE = 'ejabberd';

/** Everything that init writes, in the order in which it is explained. */
export function templates(site: Site, sections: readonly SectionDoc[]): Template[] {
  const nginx = chatSite(site);
  return [
    {
      path: 'saxctl.toml',
      mode: 0o640,
      text: saxctlToml(site, sections),
      about: 'the configuration of every command',
      part: 'toml',
    },
    ...secretFiles(site),
    {
      path: 'database.sql',
      mode: 0o600,
      text: databaseSql(site),
      about: 'accounts and archive: mysql < database.sql, as the database’s administrator',
      part: 'sql',
    },
    {
      path: 'ejabberd.yml',
      mode: 0o640,
      text: ejabberdFile(site),
      about: 'what ejabberd has to be told: merge it into /etc/ejabberd/ejabberd.yml',
      part: 'ejabberd',
    },
    ...nickModule(site),
    {
      path: 'nginx-upstream.conf',
      mode: 0o644,
      text: nginxUpstream(nginx),
      about: 'to /etc/nginx/conf.d/saxctl.conf',
      part: 'nginx',
    },
    {
      path: 'nginx-locations.conf',
      mode: 0o644,
      text: nginxLocations(nginx),
      about: 'include it in the server { } of the forum',
      part: 'nginx',
    },
    {
      path: 'nginx-site.conf',
      mode: 0o644,
      text: nginxSite(nginx),
      about: 'a whole site, for a chat with an address of its own (instead of the other two)',
      part: 'nginx',
    },
    ...systemdTemplates(site),
    {
      path: 'saxctl.cron',
      mode: 0o644,
      text: `# Instead of the timer, where there is no systemd: to /etc/cron.d/saxctl\nLC_ALL=C.UTF-8\n*/10 * * * * saxctl ${site.program} --config ${site.directory}/saxctl.toml --quiet sync-nicks\n`,
      about: 'to /etc/cron.d/saxctl, instead of the timer',
      part: 'cron',
    },
  ];
}

function secretFiles(site: Site): Template[] {
  const wanted = (Object.keys(site.secrets) as (keyof Secrets)[]).filter(
    (name) => (name !== 'ircbridge_password' || site.irc !== undefined) && (name !== 'guard_password' || site.guard),
  );
  return wanted.map((name) => ({
    path: name,
    mode: 0o640,
    text: `${site.secrets[name]}\n`,
    about: 'a secret, made at random',
    part: 'secrets',
  }));
}

/** Our account may read four tables and nothing else; ejabberd's archive gets a database of its own. */
function databaseSql(site: Site): string {
  const { database, secrets } = site;
  const host =
    database.socket === undefined && !['127.0.0.1', 'localhost', '::1'].includes(database.host) ? '%' : 'localhost';
  const account = `'${database.user}'@'${host}'`;
  const tables = ['users', 'sessions', 'config', 'banlist'].map(
    (table) => `GRANT SELECT ON \`${database.name}\`.\`${database.tablePrefix}${table}\` TO ${account};`,
  );
  return `-- The forum, for reading.
CREATE USER IF NOT EXISTS ${account} IDENTIFIED BY '${secrets.database_password}';
${tables.join('\n')}

-- The archive of the chat (ejabberd’s mod_mam).
CREATE DATABASE IF NOT EXISTS \`${ARCHIVE_DATABASE}\` CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;
CREATE USER IF NOT EXISTS 'ejabberd'@'localhost' IDENTIFIED BY '${secrets.archive_password}';
GRANT ALL ON \`${ARCHIVE_DATABASE}\`.* TO 'ejabberd'@'localhost';
USE \`${ARCHIVE_DATABASE}\`;
${ARCHIVE_TABLES.map((table) => `${table};`).join('\n')}
`;
}

const MODULES = '/usr/local/lib/ejabberd';

function nickModule(site: Site): Template[] {
  if (!site.guard) return [];
  const path = 'mod_sax_nick.erl';
  const about = `a module for ejabberd, which closes what the guard alone cannot: erlc -o ${MODULES} ${path}`;
  return [{ path, mode: 0o644, text: site.nickModule, about, part: 'nick-module' }];
}

function ejabberdFile(site: Site): string {
  const bots = ['webridge', ...(site.irc === undefined ? [] : ['ircbridge']), ...(site.guard ? ['guard'] : [])];
  const settings: EjabberdSite = {
    domain: site.domain,
    mucService: site.mucService,
    extauthProgram: `${site.program} --config ${site.directory}/saxctl.toml auth`,
    extauthPoolSize: 2,
    bots: bots.map((name) => `${name}@${site.domain}`),
    guard: site.guard ? `guard@${site.domain}` : undefined,
    c2sPort: 5222,
    httpPort: 5280,
    sql: {
      host: '127.0.0.1',
      port: 3306,
      database: ARCHIVE_DATABASE,
      user: 'ejabberd',
      password: site.secrets.archive_password,
    },
    moderated: site.guard,
    ...(site.guard ? { nickModule: 'commented' } : {}),
    failToBan: false,
  };
  return `# Options of ejabberd for the chat, each with its reason. Merge them into /etc/ejabberd/ejabberd.yml (keys that are there
# already are replaced, not repeated), then: saxctl doctor ejabberd; systemctl restart ejabberd
# Afterwards, once, the room:
#   ejabberdctl create_room_with_opts ${site.room.split('@')[0]} ${site.mucService} ${site.domain} '[{"name":"persistent","value":"true"}]'${
    site.guard
      ? `\n#   ejabberdctl set_room_affiliation ${site.room.split('@')[0]} ${site.mucService} guard@${site.domain} owner
# And the module that goes with the guard, once and after each upgrade of ejabberd:
#   mkdir -p ${MODULES} && erlc -o ${MODULES} ${site.directory}/mod_sax_nick.erl
#   echo 'ERL_OPTIONS="$ERL_OPTIONS -pa ${MODULES}"' >> /etc/ejabberd/ejabberdctl.cfg   # once
# then take the # away from mod_sax_nick below: ejabberd does not start with a module that is not there.`
      : ''
  }

${ejabberdYml(settings)}`;
}

function chatSite(site: Site): ChatSite {
  return {
    listen: ['443 ssl http2', '[::]:443 ssl http2'],
    serverName: site.serverName,
    ejabberd: '127.0.0.1:5280',
    tls: {
      certificate: `/etc/letsencrypt/live/${site.serverName}/fullchain.pem`,
      key: `/etc/letsencrypt/live/${site.serverName}/privkey.pem`,
    },
    widget: WIDGET_DIRECTORY,
    snapshot: SNAPSHOT_DIRECTORY,
  };
}
