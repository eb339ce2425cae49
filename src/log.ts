import { Chalk } from 'chalk';
import type { Log, LogFields, LogLevel } from './app/ports/log.ts';
import { printable } from './core/escape.ts';

export type LogFormat = 'pretty' | 'json' | 'journald';

const LEVELS: readonly LogLevel[] = ['error', 'warn', 'info', 'debug'];
/** syslog(3) priorities, as systemd reads them at the start of a line (sd-daemon(3)). */
const PRIORITY: Readonly<Record<LogLevel, number>> = { error: 3, warn: 4, info: 6, debug: 7 };
/** Field names whose values are never written, whatever they hold. */
const SECRET_FIELD = /pass(word)?|secret|token|sid$|session_?id|authorization|cookie/i;

/** Secret values that must not appear in any line, in whatever sentence of a library they turn up. */
export type Redactor = { add(value: string): void; clean(text: string): string };

export function createRedactor(): Redactor {
  let secrets: readonly string[] = [];
  return {
    // A very short secret would blot out ordinary words; the configuration check speaks about those.
    add(value) {
      if (value.length < 4 || secrets.includes(value)) return;
      // The longest first: where one secret begins with another, its rest would stand there.
      secrets = [...new Set([...secrets, value, ...base64Forms(value)])].sort((a, b) => b.length - a.length);
    },
    clean: (text) => {
      let cleaned = text;
      for (const secret of secrets) if (cleaned.includes(secret)) cleaned = cleaned.replaceAll(secret, '[secret]');
      return cleaned;
    },
  };
}

/**
 * How a secret looks inside of base64, whatever stands before it (SASL: `account NUL account NUL secret`): three ways to fall on
 * groups of three bytes, without the letters that neighbours have a part in. A server may say back what it was sent.
 */
function base64Forms(value: string): string[] {
  const bytes = Buffer.from(value);
  return [0, 1, 2].flatMap((before) => {
    const text = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64');
    const own = text.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6));
    return own.length >= 8 ? [own] : [];
  });
}

export type LogOptions = {
  readonly level: LogLevel;
  readonly format: LogFormat;
  readonly color: boolean;
  readonly write: (line: string) => void;
  readonly redactor: Redactor;
  readonly now: () => Date;
};

/** The log: one event is one line; control characters of values are escaped, secrets masked. */
export function createLog(options: LogOptions, bound: LogFields = {}): Log {
  const chalk = new Chalk({ level: options.color ? 1 : 0 });
  const paint = { error: chalk.red, warn: chalk.yellow, info: chalk.green, debug: chalk.gray };

  const emit = (level: LogLevel, event: string, message: string, fields: LogFields = {}): void => {
    if (LEVELS.indexOf(level) > LEVELS.indexOf(options.level)) return;
    // Masked first, escaped then: an escaped secret is not known any more.
    const clean = options.redactor.clean;
    const values = mask({ ...bound, ...fields }, clean);
    const text = printable(clean(message), 2000);
    if (options.format === 'pretty') {
      const rest = Object.entries(values).map(([name, value]) => chalk.dim(`${name}=${printable(String(value))}`));
      const time = options.now().toTimeString().slice(0, 8);
      options.write(`${chalk.dim(time)} ${paint[level](level.padEnd(5))} ${[text, ...rest].join(' ')}\n`);
      return;
    }
    const line = JSON.stringify({ time: options.now().toISOString(), level, event, message: text, ...values });
    options.write(`${options.format === 'journald' ? `<${PRIORITY[level]}>` : ''}${line}\n`);
  };

  return {
    error: (event, message, fields) => emit('error', event, message, fields),
    warn: (event, message, fields) => emit('warn', event, message, fields),
    info: (event, message, fields) => emit('info', event, message, fields),
    debug: (event, message, fields) => emit('debug', event, message, fields),
    child: (fields) => createLog(options, { ...bound, ...fields }),
  };
}

function mask(fields: LogFields, clean: Redactor['clean']): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    const shown = (text: string): string => printable(clean(text), 500);
    if (SECRET_FIELD.test(name)) values[name] = '[secret]';
    else if (typeof value === 'string') values[name] = shown(value);
    else values[name] = Array.isArray(value) ? value.map((item) => shown(String(item))) : value;
  }
  return values;
}
