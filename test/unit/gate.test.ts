import { describe, expect, it } from 'vitest';
import type { GlobalFlags } from '../../src/commands/command.ts';
import { plainFlags } from '../../src/gate.ts';
import { fakeIo } from '../helpers/fake-io.ts';

const read = (line: string): GlobalFlags | undefined =>
  plainFlags(
    line.split(' ').filter((word) => word !== ''),
    fakeIo(),
  );

describe('the line that ejabberd starts', () => {
  it.each([
    ['auth', { logLevel: 'info', quiet: false }],
    ['-c /etc/x.toml auth', { config: '/etc/x.toml', logLevel: 'info' }],
    ['auth --config auth', { config: 'auth' }],
    ['-q auth', { quiet: true, logLevel: 'error' }],
    ['--quiet --log-level debug auth', { quiet: true, logLevel: 'error' }],
    ['--log-level warn --no-color auth', { logLevel: 'warn', color: false, logColor: false, explicitFormat: false }],
  ])('%s', (line, wanted) => {
    expect(read(line)).toMatchObject(wanted);
  });

  it.each([
    '',
    'say',
    'auth auth',
    'auth x',
    'auth --check Tari',
    'auth --json',
    '--log-level loud auth',
    '--log-format json auth',
    '--config=/etc/x.toml auth',
    '-c',
    'auth -c',
    '-c -q auth',
    'auth --help',
    '-- auth',
  ])('leaves to the whole program: %s', (line) => {
    expect(read(line)).toBeUndefined();
  });
});
