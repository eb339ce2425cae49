import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { requireProgram } from './programs.ts';

const run = promisify(execFile);

export type Certificate = { readonly certificate: string; readonly key: string; readonly both: string };

/** A self-signed certificate for 127.0.0.1, localhost and `domain`; the paths of its PEM files. */
export async function makeCertificate(directory: string, domain: string): Promise<Certificate> {
  const key = join(directory, 'tls.key');
  const certificate = join(directory, 'tls.crt');
  const both = join(directory, 'tls.pem');
  const names = `subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:${domain}`;
  await run(requireProgram('openssl'), [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '30'],
    ...['-subj', '/CN=localhost', '-addext', names, '-keyout', key, '-out', certificate],
  ]);
  await writeFile(both, (await readFile(certificate, 'utf8')) + (await readFile(key, 'utf8')), { mode: 0o600 });
  return { certificate, key, both };
}
