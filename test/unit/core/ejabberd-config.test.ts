import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { type EjabberdSite, ejabberdParts, ejabberdYml } from '../../../src/core/ejabberd-config.ts';

const site: EjabberdSite = {
  domain: 'chat.example.org',
  mucService: 'conference.chat.example.org',
  extauthProgram: "'/usr/bin/node' '/opt/it\\'s/saxctl.js' auth",
  extauthPoolSize: 2,
  bots: ['webridge@chat.example.org', 'ircbridge@chat.example.org', 'guard@chat.example.org'],
  guard: 'guard@chat.example.org',
  c2sPort: 5222,
  httpPort: 5280,
  sql: { host: '127.0.0.1', port: 3306, database: 'ejabberd', user: 'ejabberd', password: 'a "b" \\ # : {c}' },
  moderated: false,
  failToBan: true,
};

describe('ejabberd.yml', () => {
  const yml = parse(ejabberdYml(site));

  it('keeps every value as it was given, whatever it holds', () => {
    expect(yml.extauth_program).toBe(site.extauthProgram);
    expect(yml.sql_password).toBe(site.sql.password);
    expect(yml.hosts).toEqual(['chat.example.org']);
  });

  it('asks for every login anew: with the cache an ended session still logs in', () => {
    expect(yml.auth_use_cache).toBe(false);
    expect(yml.auth_method).toEqual(['external']);
  });

  it('listens on loopback only', () => {
    expect(yml.listen.map(({ ip }: { ip: string }) => ip)).toEqual(['127.0.0.1', '127.0.0.1']);
  });

  it('takes no stanza whose password would not fit a packet of the authentication program', () => {
    expect(yml.listen[0].max_stanza_size).toBe(65_536);
  });

  it('lets the API do no more than register nicknames', () => {
    expect(yml.api_permissions.saxctl).toEqual({
      from: 'mod_http_api',
      who: { ip: '127.0.0.1/8' },
      what: ['muc_register_nick', 'muc_unregister_nick'],
    });
  });

  it('limits members and not bots', () => {
    expect(yml.shaper_rules.c2s_shaper).toEqual({ none: 'saxbots', normal: 'all' });
    expect(yml.acl.saxbots.user).toEqual(site.bots);
  });

  it('archives rooms in SQL, persistent also when made anew, and nobody registers nicknames himself', () => {
    expect(yml.modules.mod_mam.db_type).toBe('sql');
    expect(yml.modules.mod_muc).toMatchObject({
      access_register: 'none',
      access_admin: 'muc_admin',
      default_room_options: { persistent: true, mam: true, moderated: false, members_by_default: true },
    });
    expect(yml.access_rules.muc_admin).toEqual({ allow: 'saxguard' });
  });

  it.each([
    [true, {}],
    [false, undefined],
  ])('bans after wrong passwords: %s', (failToBan, wanted) => {
    expect(parse(ejabberdYml({ ...site, failToBan })).modules.mod_fail2ban).toEqual(failToBan ? wanted : undefined);
  });

  it('has no admin without a guard, and no voice for members in a moderated room', () => {
    const other = parse(ejabberdYml({ ...site, guard: undefined, moderated: true }));
    expect(other.modules.mod_muc.access_admin).toBeUndefined();
    expect(other.acl.saxguard).toBeUndefined();
    expect(other.modules.mod_muc.default_room_options).toMatchObject({ moderated: true, members_by_default: false });
  });

  it('has a port with TLS where there is a certificate', () => {
    const other = parse(ejabberdYml({ ...site, directTls: { port: 5223, pem: '/etc/ejabberd/ejabberd.pem' } }));
    expect(other.certfiles).toEqual(['/etc/ejabberd/ejabberd.pem']);
    expect(other.listen[1]).toMatchObject({ port: 5223, tls: true, max_stanza_size: 65_536 });
  });

  it('says why: each part has a title and parses alone', () => {
    for (const { title, text } of ejabberdParts(site)) {
      expect(title).not.toBe('');
      expect(parse(text)).toBeTypeOf('object');
    }
  });
});
