import { readFileSync } from 'node:fs';
import { isIP, type Socket } from 'node:net';
import tls from 'node:tls';
import { EXIT, reasonOf, SaxError } from '../../core/errors.ts';

export type TlsOptions = {
  /** Where we connect; names the connection in errors. */
  readonly host: string;
  readonly port: number;
  /** Names of which one must stand in the certificate, the first is also sent as SNI. */
  readonly names: readonly string[];
  /** PEM file with a further CA; the system's own stay valid. */
  readonly caFile?: string | undefined;
  /** An open connection to upgrade (STARTTLS). */
  readonly socket?: Socket;
  /** Client certificate (SASL EXTERNAL). */
  readonly certFile?: string | undefined;
  readonly signal: AbortSignal;
};

/**
 * Opens a TLS connection whose certificate was verified: chain, dates and name. Rejects with a SaxError that says which
 * name or issuer was wrong. There is no way to switch the verification off: node's own is only asked not to destroy the
 * socket, because a destroyed socket no longer tells whose certificate it was.
 */
export async function connectVerified(options: TlsOptions): Promise<tls.TLSSocket> {
  const { host, port, names, signal } = options;
  const servername = names.find((name) => isIP(name) === 0);
  const socket = tls.connect({
    ...(options.socket === undefined ? { host, port } : { socket: options.socket }),
    ...(servername === undefined ? {} : { servername }),
    secureContext: contextOf(options),
    rejectUnauthorized: false,
    checkServerIdentity: (_name, certificate) => identityError(names, certificate),
  });
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('secureConnect', resolve);
      socket.once('error', reject);
      socket.once('close', () => reject(new Error('the server closed the connection during the TLS handshake')));
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      if (signal.aborted) reject(signal.reason);
    });
    if (!socket.authorized) throw unverified(socket, options);
    return socket;
  } catch (error) {
    socket.on('error', () => {});
    socket.destroy();
    if (error instanceof SaxError) throw error;
    throw new SaxError(EXIT.unavailable, `TLS with ${host}:${port} failed: ${reasonOf(error)}`, { cause: error });
  }
}

/** NODE_EXTRA_CA_CERTS is part of the default set only, and giving `ca` replaces that set. */
function systemCa(): readonly string[] {
  const get = (tls as { getCACertificates?: (type: string) => string[] }).getCACertificates;
  return get === undefined ? [] : get('extra');
}

/** What the files say. Throws SaxError with EXIT.config when one cannot be read or is not what it should be. */
function contextOf({ caFile, certFile }: TlsOptions): tls.SecureContext {
  const authorities =
    caFile === undefined ? {} : { ca: [...tls.rootCertificates, ...systemCa(), readPem('tls_ca', caFile)] };
  const own = certFile === undefined ? undefined : readPem('client_cert', certFile);
  try {
    return tls.createSecureContext({ ...authorities, ...(own === undefined ? {} : { cert: own, key: own }) });
  } catch (error) {
    const files = [
      caFile === undefined ? [] : [`tls_ca ${caFile}`],
      certFile === undefined ? [] : [`client_cert ${certFile}`],
    ];
    throw new SaxError(EXIT.config, `${files.flat().join(', ') || 'TLS'}: ${reasonOf(error)}`, {
      hint: 'tls_ca holds a CA as PEM, client_cert a certificate and its key without a pass phrase as PEM',
      cause: error,
    });
  }
}

function readPem(key: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new SaxError(EXIT.config, `${key}: cannot read ${file}: ${reasonOf(error)}`, { cause: error });
  }
}

function identityError(names: readonly string[], certificate: tls.PeerCertificate): Error | undefined {
  const errors = names.map((name) => tls.checkServerIdentity(name, certificate));
  return errors.includes(undefined) ? undefined : errors[0];
}

function unverified(socket: tls.TLSSocket, { host, port, names, caFile }: TlsOptions): SaxError {
  const code = String(socket.authorizationError ?? 'unknown');
  const certificate = socket.getPeerCertificate();
  const issuer = nameOf(certificate.issuer);
  const at = `certificate of ${host}:${port} refused`;
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    const has = (certificate.subjectaltname ?? nameOf(certificate.subject))
      .replaceAll(/[^\x20-\x7e]/g, '?')
      .slice(0, 200);
    return new SaxError(EXIT.unavailable, `${at}: it is for ${has}, not for ${names.join(' or ')}`, {
      hint: 'give the server a certificate with this name, or correct the name in the configuration',
    });
  }
  if (code === 'CERT_HAS_EXPIRED')
    return new SaxError(EXIT.unavailable, `${at}: it expired on ${certificate.valid_to}`, { hint: 'renew it' });
  return new SaxError(EXIT.unavailable, `${at}: its issuer ${issuer} is not trusted (${code})`, {
    hint: caFile === undefined ? 'name the CA’s file in tls_ca' : `the CA that signed it is not in ${caFile}`,
  });
}

function nameOf(name: tls.Certificate | undefined): string {
  const text = [name?.CN, name?.O]
    .flat()
    .filter((part) => part !== undefined)
    .join(', ');
  return text === '' ? '(nameless)' : JSON.stringify(text.slice(0, 120));
}
