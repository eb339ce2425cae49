import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { OPTION_CHECKS } from '../../../../src/core/doctor/ejabberd-options.ts';
import { secondsOf } from '../../../../src/core/doctor/muc-options.ts';
import { optionsFor } from '../../../../src/core/doctor/yml.ts';
import { ejabberdYml } from '../../../../src/core/ejabberd-config.ts';
import { BROKEN_OPTIONS, type Tree } from '../../../helpers/doctor/broken-options.ts';

const SITE = {
  domain: 'chat.test',
  mucService: 'conference.chat.test',
  extauthProgram: '/usr/bin/saxctl auth',
  extauthPoolSize: 2,
  bots: ['webridge@chat.test', 'ircbridge@chat.test', 'guard@chat.test'],
  guard: 'guard@chat.test',
  c2sPort: 5222,
  httpPort: 5280,
  sql: { host: '127.0.0.1', port: 3306, database: 'ejabberd', user: 'ejabberd', password: 'x' },
  moderated: true,
  failToBan: false,
};
const EXPECTED = { bots: SITE.bots, guard: SITE.guard, via: 'http' as const };

const shipped = (): Tree => parse(ejabberdYml(SITE)) as Tree;

/** The verdict of one check on our own file after one change. */
function judged(name: string, change: (yml: Tree) => unknown) {
  const yml = shipped();
  change(yml);
  const check = OPTION_CHECKS.find((candidate) => candidate.name === name);
  return check?.judge(optionsFor(yml, 'chat.test'), EXPECTED);
}

describe('options of ejabberd.yml', () => {
  it.each(OPTION_CHECKS.map(({ name }) => name))('%s is fine in what init writes', (name) => {
    expect(judged(name, () => {})).toMatchObject({ status: 'ok' });
  });

  it.each(BROKEN_OPTIONS.map(([name, status, change]) => [name, status, change] as const))(
    '%s is a %s after one change (%#)',
    (name, status, change) => {
      const verdict = judged(name, change);
      expect(verdict).toMatchObject({ status });
      expect(verdict?.repair).toMatch(/\S/);
    },
  );

  it('every check was broken once', () => {
    expect(new Set(BROKEN_OPTIONS.map(([name]) => name))).toEqual(new Set(OPTION_CHECKS.map(({ name }) => name)));
  });

  it('sees macros and the options of the virtual host', () => {
    expect(
      judged('ejabberd.auth-cache', (yml) => {
        yml['auth_use_cache'] = 'CACHE';
        yml['define_macro'] = { CACHE: false };
      }),
    ).toMatchObject({ status: 'ok' });
    expect(
      judged('ejabberd.auth-method', (yml) => (yml['host_config'] = { 'chat.test': { auth_method: 'internal' } })),
    ).toMatchObject({
      status: 'problem',
    });
    expect(
      judged('muc.register', (yml) => (yml['append_host_config'] = { 'chat.test': { modules: { mod_muc: {} } } })),
    ).toMatchObject({
      status: 'problem',
    });
  });

  it('survives a file that is no table', () => {
    for (const nothing of [null, [], 'x', 5, { listen: 5, modules: [] }])
      for (const { judge } of OPTION_CHECKS)
        expect(judge(optionsFor(nothing, undefined), EXPECTED).message).toMatch(/\S/);
  });
});

it.each([
  [300, 300],
  ['5 minutes', 300],
  ['1 hour', 3600],
  ['90s', 90],
  ['2 days', 172_800],
  ['infinity', Number.POSITIVE_INFINITY],
])('secondsOf(%j) is %d', (text, seconds) => {
  expect(secondsOf(text)).toBe(seconds);
});
