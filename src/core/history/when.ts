import { EXIT, SaxError } from '../errors.ts';
import { printable } from '../escape.ts';

const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

const DATE = /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?)?(Z|[+-]\d{2}:?\d{2})?$/i;

/**
 * A point in time as a person writes it: `2h`, `3d`, `1h30m` (that long ago), or ISO 8601. A date or date-time without a
 * zone is local time.
 * @param now milliseconds since 1970.
 * @returns milliseconds since 1970.
 * @throws SaxError (exit 64).
 */
export function parseWhen(text: string, now: number): number {
  const trimmed = text.trim();
  if (/^(?:\d{1,9}[smhdw])+$/.test(trimmed)) {
    const ago = [...trimmed.matchAll(/(\d+)([smhdw])/g)].reduce(
      (sum, [, count, unit]) => sum + Number(count) * (UNITS[unit ?? ''] ?? 0),
      0,
    );
    // Before 1970 nothing was said, and before the year 0 no server understands the date.
    return Math.max(0, now - ago);
  }
  const at = parseDate(trimmed);
  if (at === undefined)
    throw new SaxError(EXIT.usage, `not a time: ${printable(text, 60)}`, {
      hint: 'write 30m, 2h, 3d (ago) or ISO 8601, for example 2026-03-01T18:00 or 2026-03-01T18:00:00Z',
    });
  return at;
}

function parseDate(text: string): number | undefined {
  const match = DATE.exec(text);
  if (match === null) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match
    .slice(1, 7)
    .map((part) => Number(part ?? 0));
  const millisecond = Math.floor(Number(`0.${match[7] ?? '0'}`) * 1000);
  // The calendar's own check: the 30th of February would become the 2nd of March.
  const utc = new Date(Date.UTC(year, month - 1, day, hour, minute, second, millisecond));
  const valid = utc.getUTCMonth() === month - 1 && utc.getUTCDate() === day && hour < 24 && minute < 60 && second < 60;
  if (!valid) return undefined;
  const zone = match[8];
  if (zone === undefined) return new Date(year, month - 1, day, hour, minute, second, millisecond).getTime();
  if (zone.toUpperCase() === 'Z') return utc.getTime();
  const digits = zone.slice(1).replace(':', '');
  const offset = (Number(digits.slice(0, 2)) * 60 + Number(digits.slice(2))) * 60_000;
  return utc.getTime() - (zone.startsWith('-') ? -offset : offset);
}
