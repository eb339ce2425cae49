import { describe, expect, it } from 'vitest';
import type { LogLevel } from '../../src/app/ports/log.ts';
import { createLog, createRedactor, type LogFormat } from '../../src/log.ts';

function capture(format: LogFormat, level: LogLevel = 'info') {
  const lines: string[] = [];
  const redactor = createRedactor();
  const log = createLog({
    level,
    format,
    color: false,
    redactor,
    write: (line) => lines.push(line),
    now: () => new Date(0),
  });
  return { lines, redactor, log };
}

describe('the log', () => {
  it('writes one JSON object a line', () => {
    const { log, lines } = capture('json');
    log.child({ room: 'sax' }).info('ready', 'in the room', { ms: 3 });
    expect(lines).toEqual([
      '{"time":"1970-01-01T00:00:00.000Z","level":"info","event":"ready","message":"in the room","room":"sax","ms":3}\n',
    ]);
  });

  it.each([
    ['error', 3],
    ['warn', 4],
    ['info', 6],
    ['debug', 7],
  ] as const)('gives the journal a priority: %s is <%i>', (level, priority) => {
    const { log, lines } = capture('journald', 'debug');
    log[level]('x', 'y');
    expect(lines[0]).toMatch(new RegExp(`^<${priority}>\\{"time"`));
  });

  it('leaves out what is below the level', () => {
    const { log, lines } = capture('json', 'warn');
    log.info('a', 'b');
    log.debug('a', 'b');
    expect(lines).toEqual([]);
  });

  it.each(['json', 'journald', 'pretty'] as const)('masks secrets in %s, by name and by value', (format) => {
    const { log, lines, redactor } = capture(format, 'debug');
    redactor.add('canary-value');
    log.info('login', 'failed for canary-value', { password: 'by-name', sid: 'by-name', reason: 'bad canary-value' });
    expect(lines.join('')).not.toMatch(/canary|by-name/);
    expect(lines.join('')).toContain('[secret]');
  });

  it.each(['json', 'journald', 'pretty'] as const)(
    'masks a secret that has to be escaped, or is in base64, in %s',
    (format) => {
      const { log, lines, redactor } = capture(format, 'debug');
      const secret = 'can"ary\\val\u202eue';
      redactor.add(secret);
      log.info('login', `failed for ${secret}`, { reason: `bad ${secret}` });
      for (const account of ['', 'a', 'ab', 'abc'])
        log.info('sasl', `said: ${Buffer.from(`${account}\0${secret}`).toString('base64')}`);
      const text = lines.join('');
      expect(text).not.toMatch(/ary|Y2Fu|ImFy|can\W/);
      expect(text.match(/\[secret\]/g)).toHaveLength(6);
    },
  );

  it('masks the whole of a secret that begins with another one, and secrets in lists', () => {
    const { log, lines, redactor } = capture('json');
    redactor.add('canary');
    redactor.add('canary-and-more');
    log.info('x', 'said canary-and-more', { answers: ['canary-and-more', '\u009b2J'] });
    expect(lines.join('')).not.toMatch(/more|\u009b/);
  });

  it.each(['json', 'journald', 'pretty'] as const)('keeps a hostile value on one line in %s', (format) => {
    const { log, lines } = capture(format);
    log.info('x', 'a\n<0>evil\u001b[2J', { nick: '\u202egnp\r\n' });
    expect(lines.join('').trimEnd()).not.toMatch(/[\n\r\u001b\u202e]/);
  });
});
