import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const day = (offset: number): string =>
  `${new Date(Date.now() + offset * 86_400_000).toISOString().replaceAll(/[-:T]|\.\d+/g, '')}`;

/**
 * Puts another self-signed certificate in the place of a stack's: for `names`, valid from and until so many days from now.
 * Gives back what restores the old one.
 */
export function replaceCertificate(
  directory: string,
  { names = 'IP:127.0.0.1,DNS:localhost', from = -10, until = 60 }: { names?: string; from?: number; until?: number },
): () => void {
  const files = ['tls.key', 'tls.crt', 'tls.pem'].map((name) => join(directory, name));
  const old = files.map((file) => readFileSync(file));
  const work = join(directory, 'ca');
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work);
  writeFileSync(join(work, 'index'), '');
  writeFileSync(join(work, 'serial'), '01');
  writeFileSync(
    join(work, 'ca.cnf'),
    `[ca]\ndefault_ca = own\n[own]\nnew_certs_dir = ${work}\ndatabase = ${work}/index\nserial = ${work}/serial
default_md = sha256\npolicy = any\nx509_extensions = names\n[any]\ncommonName = supplied\n[names]\nsubjectAltName = ${names}
basicConstraints = CA:TRUE
[req]\ndistinguished_name = dn\n[dn]\n`,
  );
  const [key = '', certificate = '', both = ''] = files;
  const openssl = (...words: string[]) => execFileSync('openssl', words, { stdio: 'pipe', cwd: work });
  const config = ['-config', 'ca.cnf'];
  openssl('req', ...config, '-new', '-key', key, '-subj', '/CN=localhost', '-out', 'request.pem');
  openssl(
    ...['ca', ...config, '-batch', '-notext', '-selfsign', '-keyfile', key, '-in', 'request.pem', '-out', certificate],
    ...['-startdate', day(from), '-enddate', day(until)],
  );
  writeFileSync(both, readFileSync(certificate, 'utf8') + readFileSync(key, 'utf8'));
  return () => {
    for (const [index, file] of files.entries()) writeFileSync(file, old[index] ?? '');
  };
}
