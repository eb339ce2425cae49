import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { EXIT, SaxError } from '../../core/errors.ts';

/** The number of a group by name (or a number as text): /etc/group, then whatever else the system asks (getent). */
export async function groupNumber(name: string): Promise<number> {
  if (/^\d+$/.test(name)) return Number(name);
  const local = find(await readFile('/etc/group', 'utf8').catch(() => ''), name);
  if (local !== undefined) return local;
  const { stdout } = await promisify(execFile)('getent', ['group', '--', name]).catch(() => ({ stdout: '' }));
  const other = find(stdout, name);
  if (other !== undefined) return other;
  throw new SaxError(EXIT.config, `webridge.socket_group: no group ${JSON.stringify(name)}`);
}

function find(lines: string, name: string): number | undefined {
  const fields = lines
    .split('\n')
    .find((line) => line.startsWith(`${name}:`))
    ?.split(':');
  return fields?.[2] === undefined || fields[2] === '' ? undefined : Number(fields[2]);
}
