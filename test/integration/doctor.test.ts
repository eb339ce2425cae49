import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import type { Finding } from '../../src/core/doctor/verdict.ts';
import { BROKEN_OPTIONS, type Tree } from '../helpers/doctor/broken-options.ts';
import { pairs } from '../helpers/doctor/pairs.ts';
import { pasteYml } from '../helpers/doctor/paste.ts';
import {
  ALL_CHECKS,
  type DoctorSite,
  edited,
  OF_THE_MACHINE,
  seePair,
  startDoctorSite,
} from '../helpers/doctor/site.ts';
import { fakeIo, saxctl } from '../helpers/fake-io.ts';
import { enterRoom } from '../helpers/person.ts';
import { withStack } from '../helpers/stack.ts';
import { until } from '../helpers/until.ts';

const YES = fileURLToPath(new URL('../fixtures/extauth-yes.mjs', import.meta.url));

/** Everything on one site, one thing broken at a time; the last test says which check was never seen red, or never green. */
describe('doctor', () => {
  let site: DoctorSite;
  beforeAll(async () => {
    site = await startDoctorSite();
  });
  afterAll(async () => {
    await site?.stop();
  });

  it('finds nothing wrong on a site that is right, and names every check once', async () => {
    const { checks } = await site.doctor([], {
      realCtl: true,
      child: true,
      url: site.url,
      env: { NODE_EXTRA_CA_CERTS: site.stack.tlsCa },
    });
    const not = (status: string) => checks.filter((check) => check.status === status).map(({ name }) => name);
    expect(not('problem')).toEqual([]);
    expect(not('skipped')).toEqual([]);
    expect(checks.map(({ name }) => name.replace('server-1', 'server-N')).sort()).toEqual(
      ALL_CHECKS.filter((name) => name !== 'ejabberd.api').sort(),
    );
    for (const { password } of Object.values(site.stack.bots)) expect(JSON.stringify(checks)).not.toContain(password);
  });

  describe('one thing broken is one check red', () => {
    // The names are known before the site is: a table of what to break is made of a site that is not there yet.
    const rows = pairs({ stack: { directory: '', tlsCa: '', bots: {}, irc1: {} } } as unknown as DoctorSite);
    it.each(rows.map(({ name, says }, index) => [name, says, index] as const))(
      '%s: %s',
      async (_name, _says, index) => {
        const pair = pairs(site)[index];
        if (pair !== undefined) await seePair(site, pair);
      },
    );
  });

  describe('an option of ejabberd.yml, taken over by the running ejabberd without a word', () => {
    it.each(BROKEN_OPTIONS.map(([name, status], index) => [name, status, index] as const))(
      '%s: %s (%#)',
      async (name, status, index) => {
        const [, , change, notLive] = BROKEN_OPTIONS[index] ?? [];
        const undo = edited(site.yml, (text) => {
          const tree = parse(text) as Tree;
          change?.(tree);
          return stringify(tree);
        });
        const env = { SAXCTL_EJABBERD_VIA: 'http' };
        try {
          if (notLive === undefined) await site.stack.api('reload_config');
          const red = await site.doctor(['ejabberd'], { env });
          const wrong = red.checks.filter((check) => check.status === status && !OF_THE_MACHINE.includes(check.name));
          expect(wrong.map((check) => check.name)).toEqual([name]);
          // What doctor says, pasted, is what ejabberd takes and doctor is content with.
          const repair = wrong[0]?.repair ?? '';
          if (!repair.includes('…')) {
            edited(site.yml, (text) => stringify(pasteYml(parse(text) as Tree, repair)));
            if (notLive === undefined) await site.stack.api('reload_config');
            expect((await site.doctor(['ejabberd'], { env })).of(name)?.status).toBe('ok');
          }
        } finally {
          undo();
        }
      },
    );
  });

  it('room: options, affiliations, a taken nickname', async () => {
    const { stack } = site;
    await stack.api('reload_config');
    const room = { name: 'sax', service: stack.mucService };
    await stack.api('change_room_option', { ...room, option: 'mam', value: 'false' });
    await stack.api('set_room_affiliation', { ...room, jid: stack.bots.guard.jid, affiliation: 'none' });
    // Members are held to their names by ejabberd; a bot's account is not.
    const { password: secret } = stack.bots.ircbridge;
    const taker = await enterRoom(stack, 'ircbridge', { nick: 'guard', localpart: 'ircbridge', secret });
    const red = await site.doctor(['room'], { realCtl: true });
    taker.leave();
    for (const name of ['room.options', 'room.affiliations']) await site.paste(red.of(name)?.repair);
    const names = ['room.options', 'room.affiliations', 'room.nicknames'];
    expect(red.status(...names), red.text).toEqual(['problem', 'problem', 'problem']);
    expect(red.of('room.nicknames')?.message).toContain('guard is ircbridge@');
    expect((await site.doctor(['room'], { realCtl: true })).status(...names)).toEqual(['ok', 'ok', 'ok']);
  });

  it('room.exists, mended by what it says', async () => {
    const { stack } = site;
    // A bot that is inside would make it anew at once.
    await site.webridge().kill();
    await stack.api('destroy_room', { name: 'sax', service: stack.mucService });
    const red = await site.doctor(['room'], { realCtl: true });
    expect(red.of('room.exists')).toMatchObject({ status: 'problem', message: expect.stringContaining('not exist') });
    await site.paste(red.of('room.exists')?.repair);
    await site.startWebridge();
    expect((await site.doctor(['room'], { realCtl: true })).of('room.exists')?.status).toBe('ok');
  });

  it('ejabberd.running, ejabberd.nick-command, auth.refusal: away, then back with a module less and an open door', async () => {
    const { stack, yml } = site;
    await stack.ejabberd.stop();
    const away = await site.doctor(['ejabberd', 'auth'], { realCtl: true });
    expect(away.of('ejabberd.running')).toMatchObject({ status: 'problem', repair: 'systemctl start ejabberd' });
    expect(away.of('auth.login-webridge')).toMatchObject({
      status: 'problem',
      repair: expect.stringContaining('systemctl status ejabberd'),
    });
    const undo = edited(yml, (text) =>
      text
        .replace(/^ {2}mod_muc_admin: \{\}\n/m, '')
        .replace(/^extauth_program: .*$/m, `extauth_program: "${process.execPath} ${YES}"`),
    );
    await stack.ejabberd.start();
    const open = await site.doctor(['ejabberd', 'auth'], { realCtl: true });
    expect(open.status('ejabberd.running', 'ejabberd.nick-command', 'auth.refusal')).toEqual([
      'ok',
      'problem',
      'problem',
    ]);
    undo();
    await stack.ejabberd.restart();
    const back = await site.doctor(['ejabberd', 'auth'], { realCtl: true });
    const names = ['ejabberd.running', 'ejabberd.nick-command', 'auth.login-webridge', 'auth.refusal'];
    expect(back.status(...names)).toEqual(['ok', 'ok', 'ok', 'ok']);
  });

  it('versions.database: a MariaDB that is out of support', async () => {
    const { stack } = site;
    const pid = stack.mariadb.pid();
    // setpriv becomes the server itself, so this is its command line.
    const [program = '', ...words] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').filter(Boolean);
    await stack.mariadb.stop();
    const old = spawn(program, [...words, '--version=5.5.68-MariaDB'], { stdio: 'ignore', env: stack.env });
    try {
      const env = { SAXCTL_DATABASE_SOCKET: stack.databaseSocket };
      const red = await until(async () => {
        const report = await site.doctor(['versions'], { env });
        return report.of('versions.database')?.status === 'skipped' ? undefined : report;
      });
      expect(red.of('versions.database')).toMatchObject({
        status: 'warning',
        message: expect.stringContaining('5.5.68-MariaDB'),
      });
    } finally {
      const ended = new Promise((resolve) => old.once('exit', resolve));
      old.kill();
      await ended;
      await stack.mariadb.start();
    }
    expect((await site.doctor(['versions'])).of('versions.database')?.status).toBe('ok');
  });

  it('has been seen red and green in every check', () => {
    expect(ALL_CHECKS.filter((name) => !site.red.has(name))).toEqual([]);
    expect(ALL_CHECKS.filter((name) => !site.green.has(name))).toEqual([]);
  });
});

it('irc.server-1: an ngIRCd, with neither SASL nor echo, tells its limits as well', async () => {
  await withStack({ parts: ['ngircd'] }, async (stack) => {
    const look = async (nick: string) => {
      const { stdout } = await saxctl(
        ['--config', stack.config, 'doctor', '--json', 'irc'],
        fakeIo({ ...stack.env, SAXCTL_IRC_NICK: nick }),
      );
      const { checks } = JSON.parse(stdout) as { checks: Finding[] };
      return checks.find(({ name }) => name === 'irc.server-1');
    };
    expect(await look('sax')).toMatchObject({ status: 'ok' });
    expect(await look('x'.repeat(40))).toMatchObject({
      status: 'problem',
      message: expect.stringMatching(/of \d+ char/),
    });
  });
});
