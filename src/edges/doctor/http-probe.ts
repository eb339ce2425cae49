import http from 'node:http';
import https from 'node:https';
import { isIP } from 'node:net';
import tls from 'node:tls';
import type { Answer } from '../../core/doctor/web.ts';
import { reasonOf } from '../../core/errors.ts';

const DEADLINE_MS = 10_000;

/** One GET, without following redirects. Certificates are judged by their own check, here they do not matter. */
export function probeHttp(url: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
  return new Promise((resolve) => {
    const client = url.startsWith('https:') ? https : http;
    const request = client.request(url, {
      headers: { ...headers },
      agent: false,
      rejectUnauthorized: false,
      timeout: DEADLINE_MS,
    });
    const done = (answer: Answer): void => {
      resolve(answer);
      request.destroy();
    };
    const heard = (response: http.IncomingMessage): void =>
      done({
        status: response.statusCode ?? 0,
        headers: Object.fromEntries(Object.entries(response.headers).map(([name, value]) => [name, String(value)])),
      });
    request.on('response', heard);
    request.on('upgrade', heard);
    request.on('timeout', () => done({ status: 0, failure: `nothing within ${DEADLINE_MS / 1000} s`, headers: {} }));
    request.on('error', (error) => done({ status: 0, failure: reasonOf(error), headers: {} }));
    request.end();
  });
}

/** Protocol (ALPN) and certificate of an https address. Never rejects. */
export function probeTls(
  url: string,
): Promise<{ protocol: string | undefined; days: number | undefined; failure: string | undefined }> {
  const { hostname, port } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, '');
  return new Promise((resolve) => {
    const socket = tls.connect({
      host,
      port: Number(port || 443),
      // An address is no name (RFC 6066).
      ...(isIP(host) === 0 ? { servername: host } : {}),
      ALPNProtocols: ['h2', 'http/1.1'],
      rejectUnauthorized: false,
      timeout: DEADLINE_MS,
    });
    const done = (failure: string | undefined, days?: number): void => {
      resolve({ protocol: socket.alpnProtocol || undefined, days, failure });
      socket.destroy();
    };
    socket.on('secureConnect', () => {
      const until = Date.parse(socket.getPeerCertificate().valid_to ?? '');
      const why = socket.authorized ? undefined : `the certificate is not valid: ${socket.authorizationError}`;
      done(why, Number.isNaN(until) ? undefined : Math.floor((until - Date.now()) / 86_400_000));
    });
    socket.on('timeout', () => done(`no TLS within ${DEADLINE_MS / 1000} s`));
    socket.on('error', (error) => done(reasonOf(error)));
  });
}
