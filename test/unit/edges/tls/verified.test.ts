import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { EXIT } from '../../../../src/core/errors.ts';
import { connectVerified } from '../../../../src/edges/tls/verified.ts';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'saxctl-tls-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

/** What connecting with these files throws; nobody need listen, for the files are read first. */
const failure = (files: { caFile?: string; certFile?: string }): Promise<unknown> =>
  connectVerified({
    host: '127.0.0.1',
    port: 1,
    names: ['irc.test'],
    signal: AbortSignal.timeout(5000),
    ...files,
  }).catch((error: unknown) => error);

test('a client certificate that is none is a matter of the configuration, not of the network', async () => {
  const garbage = join(dir, 'cert.pem');
  writeFileSync(garbage, 'not PEM');
  expect(await failure({ certFile: garbage })).toMatchObject({
    exit: EXIT.config,
    message: expect.stringContaining(`client_cert ${garbage}: `),
  });
});

test.each(['caFile', 'certFile'] as const)('a file that cannot be read is named with its key: %s', async (option) => {
  const key = option === 'caFile' ? 'tls_ca' : 'client_cert';
  expect(await failure({ [option]: join(dir, 'none.pem') })).toMatchObject({
    exit: EXIT.config,
    message: expect.stringContaining(`${key}: cannot read ${dir}`),
  });
});
