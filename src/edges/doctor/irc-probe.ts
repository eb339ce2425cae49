import net from 'node:net';
import type tls from 'node:tls';
import type { IrcProbe } from '../../core/doctor/irc.ts';
import { reasonOf } from '../../core/errors.ts';
import { connectVerified } from '../tls/verified.ts';

const DEADLINE_MS = 10_000;

/**
 * Asks an IRC server what it offers (CAP LS 302, before registration, so nobody appears anywhere) and looks at its
 * certificate. Never rejects: the failure is part of the answer.
 */
export async function probeIrc(server: string, caFile: string | undefined): Promise<IrcProbe> {
  const url = new URL(server.replace(/^irc/, 'http'));
  const secure = server.startsWith('ircs:');
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const port = Number(url.port || (secure ? 6697 : 6667));
  const signal = AbortSignal.timeout(DEADLINE_MS);
  const began = performance.now();
  const result = { server, secure, loopback: false, certificateDays: undefined as number | undefined };
  let socket: net.Socket | undefined;
  try {
    socket = secure
      ? await connectVerified({ host, port, names: [host], caFile, signal })
      : await connectPlain(host, port, signal);
    result.loopback = /^(?:127\.|::1$|::ffff:127\.)/.test(socket.remoteAddress ?? '');
    if (secure) result.certificateDays = daysLeft(socket as tls.TLSSocket);
    const capabilities = await capabilitiesOf(socket, signal);
    return { ...result, failure: undefined, capabilities, ms: performance.now() - began };
  } catch (error) {
    const failure = signal.aborted ? `no answer within ${DEADLINE_MS / 1000} s` : reasonOf(error);
    return { ...result, failure, capabilities: [], ms: performance.now() - began };
  } finally {
    socket?.on('error', () => {});
    socket?.end('QUIT\r\n');
    socket?.destroySoon();
  }
}

function connectPlain(host: string, port: number, signal: AbortSignal): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ host, port });
    socket.once('connect', () => resolve(socket));
    socket.once('error', reject);
    signal.addEventListener('abort', () => {
      socket.destroy();
      reject(signal.reason);
    });
  });
}

function daysLeft(socket: tls.TLSSocket): number | undefined {
  const until = Date.parse(socket.getPeerCertificate().valid_to ?? '');
  return Number.isNaN(until) ? undefined : Math.floor((until - Date.now()) / 86_400_000);
}

/** Reads `CAP * LS * :…` until the last line, the one without the second star. */
function capabilitiesOf(socket: net.Socket, signal: AbortSignal): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    const found: string[] = [];
    let rest = '';
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => {
      rest = (rest + chunk).slice(-65_536);
      const lines = rest.split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        if (/^ERROR /i.test(line)) reject(new Error(`the server says: ${line.trim().slice(0, 200)}`));
        // An old server: it knows no CAP.
        if (/^\S+ 421 /.test(line) || /^\S+ 451 /.test(line)) resolve([]);
        const listed = /^(?::\S+ )?CAP \S+ LS (\* )?:?(.*)$/i.exec(line.trim());
        if (listed === null) continue;
        found.push(...(listed[2] ?? '').split(' ').filter((name) => name !== ''));
        if (listed[1] === undefined) resolve(found);
      }
    });
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('the server closed the connection')));
    signal.addEventListener('abort', () => reject(signal.reason));
    socket.write('CAP LS 302\r\n');
  });
}
