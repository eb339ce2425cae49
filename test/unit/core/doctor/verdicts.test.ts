import { describe, expect, it } from 'vitest';
import * as database from '../../../../src/core/doctor/database.ts';
import * as irc from '../../../../src/core/doctor/irc.ts';
import * as machine from '../../../../src/core/doctor/machine.ts';
import { jsonReport, renderFinding } from '../../../../src/core/doctor/report.ts';
import * as room from '../../../../src/core/doctor/room.ts';
import { ok, problem, type Verdict, warning, worst } from '../../../../src/core/doctor/verdict.ts';
import * as versions from '../../../../src/core/doctor/versions.ts';
import * as web from '../../../../src/core/doctor/web.ts';

type Row = readonly [verdict: Verdict, status: string, message: RegExp];

/** Whatever is not fine says what to do. */
function check(rows: readonly Row[]): void {
  for (const [verdict, status, message] of rows) {
    expect(verdict, verdict.message).toMatchObject({ status, message: expect.stringMatching(message) });
    if (status === 'problem' || status === 'warning') expect(verdict.repair).toMatch(/\S/);
  }
}

const file = { kind: 'file', mode: 0o640, owner: 'root', group: 'saxctl' } as const;
const directory = { ...file, kind: 'directory', mode: 0o750 } as const;
const socket = { ...file, kind: 'socket', mode: 0o660, group: 'www-data' } as const;
const wanted = { mode: 0o660, group: 'www-data' };
const probe = {
  server: 'ircs://irc.test:6697',
  failure: undefined,
  secure: true,
  loopback: false,
  certificateDays: 60,
  capabilities: ['sasl=PLAIN', 'echo-message'],
  ms: 12.3,
};
const answer = (status: number, headers: Record<string, string> = {}) => ({ status, headers });

describe('verdicts', () => {
  it('on files and sockets', () => {
    check([
      [machine.judgeSecretFile('/etc/s', file), 'ok', /0640 \(root:saxctl\)/],
      [machine.judgeSecretFile('/etc/s', { ...file, mode: 0o644 }), 'problem', /every account/],
      [machine.judgeSecretFile('/etc/s', { ...file, mode: 0o660 }), 'warning', /group can change/],
      [machine.judgeSecretFile('/etc/s', undefined), 'problem', /does not exist/],
      [machine.judgeSocketDirectory('/run/s', directory), 'ok', /0750/],
      [machine.judgeSocketDirectory('/run/s', { ...directory, mode: 0o777 }), 'problem', /anybody can put/],
      [machine.judgeSocketDirectory('/run/s', { ...directory, mode: 0o700 }), 'warning', /web server cannot/],
      [machine.judgeSocketDirectory('/run/s', undefined), 'problem', /does not exist/],
      [machine.judgeSocketDirectory('/run/s', file), 'problem', /no directory/],
      [machine.judgeSocket('/run/s', socket, wanted, true), 'ok', /listens/],
      [machine.judgeSocket('/run/s', socket, wanted, false), 'problem', /leftover/],
      [machine.judgeSocket('/run/s', undefined, wanted, false), 'problem', /nobody listens/],
      [machine.judgeSocket('/run/s', file, wanted, true), 'problem', /no socket/],
      [machine.judgeSocket(`/${'x'.repeat(108)}`, socket, wanted, true), 'problem', /107 bytes/],
      [machine.judgeSocket('/run/s', { ...socket, mode: 0o600 }, wanted, true), 'warning', /configured is 0660/],
      [machine.judgeSocket('/run/s', { ...socket, group: 'root' }, wanted, true), 'problem', /group root/],
      [
        machine.judgeSocket('/run/s', { ...socket, mode: 0o666 }, { mode: 0o666, group: undefined }, true),
        'warning',
        /every account/,
      ],
      [machine.judgeQueueLength(512), 'ok', /512/],
      [machine.judgeQueueLength(10), 'warning', /queues 10/],
      [machine.judgeQueueLength(undefined), 'skipped', /cannot be read/],
      [machine.judgeSpool(undefined, undefined), 'warning', /no spool/],
      [machine.judgeSpool('/s', directory), 'ok', /0750/],
      [machine.judgeSpool('/s', { ...directory, mode: 0o777 }), 'problem', /everybody/],
      [machine.judgeSpool('/s', undefined), 'problem', /no directory/],
      [machine.judgeStateDirectory('/s', directory, { bytes: 2e9, files: 1e6 }, true), 'ok', /2.0 GB/],
      [machine.judgeStateDirectory('/s', directory, { bytes: 1e6, files: 1e6 }, true), 'problem', /1 MB/],
      [
        machine.judgeStateDirectory('/s', { ...directory, mode: 0o775 }, undefined, true),
        'problem',
        /others can change/,
      ],
      [machine.judgeStateDirectory('/s', directory, undefined, false), 'problem', /cannot be written/],
      [machine.judgeStateDirectory('/s', undefined, undefined, false), 'problem', /no directory/],
      [machine.judgeAppArmor('/usr/sbin/ejabberdctl (enforce)\n'), 'problem', /enforces/],
      [machine.judgeAppArmor('/usr/sbin/ejabberdctl (complain)\n'), 'ok', /complains/],
      [machine.judgeAppArmor(undefined), 'ok', /no AppArmor/],
      [machine.judgeDistribution([{ address: '0.0.0.0', port: 4369, program: '' }]), 'warning', /epmd/],
      [machine.judgeDistribution([{ address: 'other', port: 4369, program: '' }]), 'ok', /not open/],
    ]);
  });

  it('on the database', () => {
    const grants = (line: string) =>
      database.judgeGrants(['GRANT USAGE ON *.* TO `s`@`%`', line], 'forum', ['phpbb_users'], "'s'@'%'");
    const readable = new Map<string, string | undefined>([['phpbb_users', undefined]]);
    const indexes = [
      { table: 'phpbb_sessions', index: 'PRIMARY', first: 'session_id' },
      { table: 'phpbb_users', index: 'PRIMARY', first: 'user_id' },
    ];
    check([
      [grants('GRANT SELECT ON `forum`.`phpbb_users` TO `s`@`%`'), 'ok', /only read/],
      [grants('GRANT SELECT (user_id, username) ON `forum`.`phpbb_users` TO `s`@`%`'), 'ok', /only read/],
      [grants('GRANT SELECT, INSERT, DELETE ON `forum`.* TO `s`@`%`'), 'warning', /INSERT, DELETE/],
      [grants('GRANT ALL PRIVILEGES ON *.* TO `s`@`%`'), 'warning', /ALL PRIVILEGES/],
      [database.judgeTables(readable, 'forum', 'u'), 'ok', /can be read/],
      [database.judgeTables(new Map([['phpbb_users', 'denied']]), 'forum', 'u'), 'problem', /phpbb_users: denied/],
      [database.judgeIndexes(indexes, 'phpbb_'), 'ok', /by index/],
      [database.judgeIndexes(indexes.slice(1), 'phpbb_'), 'problem', /phpbb_sessions.session_id/],
      [database.judgeSessions(100, 1.2, 'InnoDB'), 'ok', /1.2 ms/],
      [database.judgeSessions(100, 900, 'InnoDB'), 'problem', /900 ms/],
      [database.judgeSessions(900_000, 2, 'InnoDB'), 'warning', /900000 rows/],
      [database.judgeLocalparts([], [], 7), 'ok', /7 active/],
      [database.judgeLocalparts([{ localpart: 'a', members: ['A', 'a'] }], [], 7), 'warning', /a \(A, a\)/],
      [database.judgeLocalparts([], ['🙂'], 7), 'warning', /1 of 7/],
      [database.judgeSkew('x', 0.2), 'ok', /ahead/],
      [database.judgeSkew('x', -30), 'warning', /30.0 s behind/],
      [database.judgeSkew('x', 3600), 'problem', /3600/],
    ]);
    expect(database.tablesOf({ prefix: 'p_', board: 'phpbb4' })).toContain('p_bans');
    expect(database.tablesOf({ prefix: 'p_', board: 'phpbb3' })).toContain('p_banlist');
  });

  it('on IRC', () => {
    const wants = { sasl: false, secrets: false };
    const plain = { ...probe, server: 'irc://irc.test:6667', secure: false };
    check([
      [irc.judgeIrcServer(probe, wants), 'ok', /echo-message/],
      [irc.judgeIrcServer({ ...probe, capabilities: [] }, wants), 'ok', /by PING only/],
      [irc.judgeIrcServer({ ...probe, failure: 'ECONNREFUSED' }, wants), 'problem', /ECONNREFUSED/],
      [irc.judgeIrcServer({ ...probe, certificateDays: 3 }, wants), 'warning', /3 days/],
      [irc.judgeIrcServer({ ...probe, capabilities: [] }, { ...wants, sasl: true }), 'problem', /no SASL/],
      [irc.judgeIrcServer(plain, wants), 'warning', /without TLS/],
      [irc.judgeIrcServer(plain, { ...wants, secrets: true }), 'problem', /in the clear/],
      [irc.judgeIrcServer({ ...plain, loopback: true }, { ...wants, secrets: true }), 'ok', /answers/],
      [irc.judgeIrcServers([ok(''), problem('', 'x')]), 'ok', /1 of 2/],
      [irc.judgeIrcServers([problem('', 'x')]), 'problem', /none/],
      [irc.judgeIrcServers([]), 'problem', /no IRC server/],
      [irc.judgeIrcNick('sax', '#sax'), 'ok', /sax in #sax/],
      [irc.judgeIrcNick(undefined, '#sax'), 'problem', /nick is not set/],
      [irc.judgeIrcNick('sax', 'sax'), 'problem', /no name of a channel/],
      [irc.judgeIrcNick('9lives', '#sax'), 'problem', /cannot be a nickname/],
      [irc.judgeIrcNick('averyveryverylongnick', '#sax'), 'warning', /longer/],
    ]);
  });

  it('on the web server', () => {
    check([
      [web.judgeWebSocket(answer(101)), 'ok', /WebSocket/],
      [web.judgeWebSocket(answer(404)), 'problem', /404/],
      [web.judgeBosh(answer(200)), 'ok', /answers/],
      [web.judgeBosh({ ...answer(0), failure: 'ECONNREFUSED' }), 'problem', /ECONNREFUSED/],
      [web.judgeApi(answer(404, { server: 'nginx' })), 'ok', /not passed on/],
      [web.judgeApi(answer(200, {})), 'problem', /from outside/],
      [web.judgeApi(answer(403, { 'content-type': 'application/json', server: 'nginx' })), 'problem', /from outside/],
      [web.judgeHttp2('h2', true), 'ok', /HTTP\/2/],
      [web.judgeHttp2('http/1.1', true), 'warning', /no HTTP\/2/],
      [web.judgeHttp2(undefined, false), 'warning', /without TLS/],
      [web.judgeCertificate(60, undefined), 'ok', /60 days/],
      [web.judgeCertificate(10, undefined), 'warning', /10 days/],
      [web.judgeCertificate(1, undefined), 'problem', /1 days/],
      [web.judgeCertificate(60, 'expired'), 'problem', /expired/],
      [web.judgeCertificate(undefined, undefined), 'skipped', /no TLS/],
    ]);
  });

  it('on nginx’s timeouts', () => {
    const conf = (ws: string, bosh: string) => `server {\n location = /ws { ${ws} }\n location /bosh { ${bosh} }\n}`;
    const judged = (text: string) =>
      Object.fromEntries(web.judgeNginx(text).map(({ name, verdict }) => [name, verdict.status]));
    const header = 'proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;';
    expect(judged(conf(`proxy_read_timeout 6m; ${header}`, `proxy_read_timeout 75s; ${header}`))).toEqual({
      'web.websocket-timeout': 'ok',
      'web.bosh-timeout': 'ok',
      'web.forwarded-for': 'ok',
    });
    expect(judged(conf('# proxy_read_timeout 6m;\n', 'proxy_read_timeout 60;'))).toEqual({
      'web.websocket-timeout': 'problem',
      'web.bosh-timeout': 'problem',
      'web.forwarded-for': 'warning',
    });
    // Another location's line is not this one's; the server's own is.
    expect(judged(conf('', `proxy_read_timeout 75s; ${header}`))).toEqual({
      'web.websocket-timeout': 'problem',
      'web.bosh-timeout': 'ok',
      'web.forwarded-for': 'warning',
    });
    const above = `server { proxy_read_timeout 6m; ${header} location /x { if ($a) { return 1; } } location = /ws { } location = /bosh { } }`;
    expect(judged(above)).toEqual({
      'web.websocket-timeout': 'ok',
      'web.bosh-timeout': 'ok',
      'web.forwarded-for': 'ok',
    });
    expect(judged(above.replace('/ws { }', '/ws { proxy_set_header Host $host; }'))).toMatchObject({
      'web.forwarded-for': 'warning',
    });
    expect(judged('server { }')).toMatchObject({ 'web.websocket-timeout': 'skipped' });
  });

  it('on the room and logins', () => {
    const options = {
      mam: 'true',
      persistent: 'true',
      moderated: 'false',
      members_by_default: 'true',
      max_users: '1000',
    };
    const of = (change: object, moderated = false) =>
      room.judgeRoomOptions({ ...options, ...change }, 'sax@c', { moderated });
    const affiliations = new Map([['guard@x', 'owner']]);
    check([
      [of({}), 'ok', /archived/],
      [of({ mam: 'false' }), 'problem', /not archived/],
      [of({ persistent: 'false' }), 'problem', /last occupant/],
      [of({ logging: 'true' }), 'problem', /log files/],
      [of({ members_only: 'true' }), 'problem', /listed members/],
      [of({ password_protected: 'true' }), 'problem', /password/],
      [of({ moderated: 'true', members_by_default: 'false' }), 'problem', /without a guard/],
      [of({}, true), 'warning', /not moderated/],
      [of({ max_users: '50' }), 'warning', /only 50/],
      [room.judgeRoomOptions(undefined, 'sax@c', { moderated: false }), 'skipped', /not asked/],
      [room.judgeAffiliations(affiliations, 'sax@c', 'guard@x', []), 'ok', /owner/],
      [room.judgeAffiliations(new Map(), 'sax@c', 'guard@x', []), 'problem', /neither owner/],
      [room.judgeAffiliations(new Map([['w@x', 'outcast']]), 'sax@c', undefined, ['w@x']), 'problem', /banned/],
      [room.judgeAffiliations(undefined, 'sax@c', undefined, []), 'skipped', /not asked/],
      [room.judgeNickModule(['urn:xmpp:ping', 'saxctl:registered-nickname'], true), 'ok', /at work/],
      [room.judgeNickModule(['urn:xmpp:ping'], true), 'warning', /without mod_sax_nick/],
      [room.judgeNickModule(['urn:xmpp:ping'], false), 'ok', /no guard/],
      [room.judgeNickModule(undefined, true), 'skipped', /log in/],
      [room.judgeArchive(undefined, 5, 'sax@c'), 'ok', /5 s old/],
      [room.judgeArchive('item-not-found', undefined, 'sax@c'), 'problem', /item-not-found/],
      [room.judgeArchive('is its database away?', undefined, 'sax@c'), 'problem', /database away/],
      [room.judgeLogin('w@x', undefined, 12, undefined), 'ok', /12 ms/],
      [room.judgeLogin('w@x', undefined, 9000, undefined), 'warning', /9.0 s/],
      [room.judgeLogin('w@x', 'not-authorized', 12, 'refused'), 'problem', /not-authorized/],
      [room.judgeLogin('w@x', 'ECONNREFUSED', 12, 'unavailable'), 'problem', /ECONNREFUSED/],
    ]);
  });

  it('on versions', () => {
    check([
      [versions.judgeNode('20.19.0'), 'ok', /20.19.0/],
      [versions.judgeNode('18.20.4'), 'problem', /too old/],
      [versions.judgeEjabberdVersion('23.01'), 'ok', /23.01/],
      [versions.judgeEjabberdVersion('24.12'), 'ok', /API version 2/],
      [versions.judgeEjabberdVersion('18.04'), 'problem', /older/],
      [versions.judgeEjabberdVersion(undefined), 'skipped', /not be asked/],
      [versions.judgeDatabaseVersion('10.11.6-MariaDB-0+deb12u1'), 'ok', /10.11/],
      [versions.judgeDatabaseVersion('5.5.68-MariaDB'), 'warning', /out of support/],
      [versions.judgeDatabaseVersion('8.0.36'), 'ok', /8.0/],
      [versions.judgeForumVersion('3.3.11'), 'ok', /3.3.11/],
      [versions.judgeForumVersion('.0.23'), 'ok', /.0.23/],
      [versions.judgeForumVersion('5.0'), 'warning', /never tried/],
      [versions.judgeForumVersion(undefined), 'skipped', /does not say/],
    ]);
  });
});

describe('the report', () => {
  it('takes the worst of several', () => {
    expect(worst([ok('a'), warning('b', 'fix b'), warning('c', 'fix b')], 'fine')).toEqual(warning('b; c', 'fix b'));
    expect(worst([], 'fine')).toEqual(ok('fine'));
  });

  it('shows hostile values harmlessly', () => {
    const finding = { group: 'g', name: 'g.x', ...problem('nick \u001b[2J', 'line 1\nline 2') };
    expect(renderFinding(finding, false)).toBe('  FAIL g.x: nick \\u{1b}[2J\n         line 1\n         line 2');
    expect(JSON.parse(jsonReport([finding]))).toEqual({
      ok: false,
      counts: { ok: 0, warning: 0, problem: 1, skipped: 0 },
      checks: [{ group: 'g', name: 'g.x', status: 'problem', message: 'nick \u001b[2J', repair: 'line 1\nline 2' }],
    });
  });
});
