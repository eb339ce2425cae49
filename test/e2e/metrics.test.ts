import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { Stack } from '../../src/edges/stack/types.ts';
import { promtool, unpackPromtool } from '../helpers/promtool.ts';
import { type RunningSaxctl, startSaxctl, startTestStack } from '../helpers/stack.ts';

/** Also by Prometheus' own tool, which is too large for every run. */
const LONG = process.env['SAXCTL_LONG'] === '1';
const RULES = resolve('share/prometheus/saxctl-alerts.yml');
const PAGE = readFileSync('docs/metrics.md', 'utf8');

type Rule = { alert: string; expr: string; annotations: { summary: string } };
const rules = (parse(readFileSync(RULES, 'utf8')) as { groups: { rules: Rule[] }[] }).groups.flatMap(
  (group) => group.rules,
);

/** Names in the first column of the table below a heading of docs/metrics.md. */
const documented = (heading: string): string[] => {
  const section = PAGE.split(/^## /m).find((part) => part.startsWith(`${heading}\n`)) ?? '';
  return [...section.matchAll(/^\| `([a-z_]+)`/gm)].map((match) => match[1] ?? '');
};

describe('metrics of the daemons at work', () => {
  let stack: Stack;
  const daemons = new Map<string, RunningSaxctl>();
  const pages = new Map<string, string>();

  beforeAll(async () => {
    stack = await startTestStack({ parts: ['mariadb', 'ejabberd', 'irc1'] });
    for (const name of ['webridge', 'ircbridge', 'guard', 'auth']) {
      const daemon = startSaxctl(stack, [name], {
        env: { SAXCTL_METRICS_LISTEN: '127.0.0.1:0' },
        ...(name === 'auth' ? { keepStdin: true } : {}),
      });
      daemons.set(name, daemon);
      await daemon.logged(/"event":"ready"/);
      const address = /metrics on (http:\S+\/metrics)/.exec(daemon.stderr())?.[1] ?? '';
      pages.set(name, await fetch(address).then((answer) => answer.text()));
    }
  });
  afterAll(async () => {
    for (const daemon of daemons.values()) await daemon.kill();
    await stack?.stop();
  });

  it.each(['webridge', 'ircbridge', 'guard', 'auth'])('%s: has what the page says of it', (name) => {
    const text = pages.get(name) ?? '';
    for (const metric of [...documented('Every daemon'), ...documented(name)])
      expect(text).toMatch(new RegExp(`^# TYPE ${metric} `, 'm'));
    expect(documented(name).length).toBeGreaterThan(3);
  });

  it('what an alert counts is there before it first happens', () => {
    const all = [...pages.values()].join('\n');
    for (const { alert, expr } of rules)
      for (const [, counter = ''] of expr.matchAll(/increase\((saxctl_\w+_total(?:\{[^}]*\})?)/g)) {
        const [name, labels = ''] = counter.split('{');
        // `no` has a reason each time; more than twenty are needed, so the first of a reason may be missed.
        if (labels.includes('result="no"')) continue;
        expect(all, alert).toMatch(new RegExp(`^${name}(?:\\{[^}]*\\})? 0$`, 'm'));
      }
  });

  it('the rules on the page are those of the file', () => {
    const shown = /```yaml\n(groups:[\s\S]*?)```/.exec(PAGE)?.[1];
    expect(readFileSync(RULES, 'utf8').replace(/^#.*\n/, '')).toBe(shown);
    expect(rules.map(({ alert }) => alert)).toEqual(
      expect.arrayContaining([
        'SaxctlDirectionSilent',
        'SaxctlOutboxGrows',
        'SaxctlAuthRefusesEverything',
        'SaxctlNoLoginForAnHour',
      ]),
    );
  });

  it('each alert is tried with figures', () => {
    const tried = readFileSync('test/fixtures/saxctl-alerts.test.yml', 'utf8');
    for (const { alert } of rules)
      expect(tried).toMatch(new RegExp(`alertname: ${alert}\\n\\s+exp_alerts:\\n\\s+- exp_`));
  });

  if (LONG)
    describe('by promtool', () => {
      let tool: ReturnType<typeof unpackPromtool>;
      beforeAll(() => {
        tool = unpackPromtool();
      });
      afterAll(() => rmSync(tool.directory, { recursive: true, force: true }));

      it('takes the rules, and each fires when it should and only then', async () => {
        expect(await promtool(tool.program, ['check', 'rules', RULES])).toMatchObject({ code: 0 });
        const tests = join(tool.directory, 'tests.yml');
        const text = readFileSync('test/fixtures/saxctl-alerts.test.yml', 'utf8');
        writeFileSync(tests, text.replace('RULES', RULES));
        const { code, text: said } = await promtool(tool.program, ['test', 'rules', tests]);
        expect(code, said).toBe(0);
      });

      it.each(['webridge', 'ircbridge', 'guard', 'auth'])('finds nothing to say about %s', async (name) => {
        expect(await promtool(tool.program, ['check', 'metrics'], pages.get(name))).toEqual({ code: 0, text: '' });
      });
    });
});
