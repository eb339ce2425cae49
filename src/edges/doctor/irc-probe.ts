import { randomBytes } from 'node:crypto';
import net from 'node:net';
import type tls from 'node:tls';
import type { IrcProbe } from '../../core/doctor/irc.ts';
import { reasonOf } from '../../core/errors.ts';
import { connectVerified } from '../tls/verified.ts';

const DEADLINE_MS = 10_000;
const LIMITS_MS = 5000;

/**
 * Asks an IRC server what it offers (CAP LS 302) and allows (ISUPPORT), and looks at its certificate. Joins nothing. Never
 * rejects: the failure is part of the answer.
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
    const ms = performance.now() - began;
    return { ...result, ...(await limitsOf(socket, signal)), failure: undefined, capabilities, ms };
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

/** Hands every line of the server to `hear` until it gives an answer; rejects when there will be none. */
function listen<T>(socket: net.Socket, signal: AbortSignal, hear: (line: string) => T | undefined): Promise<T> {
  return new Promise((resolve, reject) => {
    let rest = '';
    const take = (chunk: string): void => {
      rest = (rest + chunk).slice(-65_536);
      const lines = rest.split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const text = line.trim();
        if (/^PING /i.test(text)) socket.write(`PONG ${text.slice(5)}\r\n`);
        if (/^ERROR /i.test(text)) reject(new Error(`the server says: ${text.slice(0, 200)}`));
        const answer = hear(text);
        if (answer === undefined) continue;
        socket.off('data', take);
        resolve(answer);
      }
    };
    socket.setEncoding('utf8').on('data', take);
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('the server closed the connection')));
    signal.addEventListener('abort', () => reject(signal.reason));
  });
}

/** Reads `CAP * LS * :…` until the last line, the one without the second star. */
function capabilitiesOf(socket: net.Socket, signal: AbortSignal): Promise<readonly string[]> {
  const found: string[] = [];
  socket.write('CAP LS 302\r\n');
  return listen(socket, signal, (line) => {
    // An old server: it knows no CAP.
    if (/^\S+ (?:421|451) /.test(line)) return found;
    const listed = /^(?::\S+ )?CAP \S+ LS (\* )?:?(.*)$/i.exec(line);
    if (listed === null) return undefined;
    found.push(...(listed[2] ?? '').split(' ').filter((name) => name !== ''));
    return listed[1] === undefined ? found : undefined;
  });
}

type Limits = { readonly nickLength?: number; readonly channelLength?: number };

/**
 * The limits that a server names to everybody who comes in (005, ISUPPORT). Comes in under a name of no meaning, joins
 * nothing and leaves. A server that asks for more first (SASL, a ban) leaves them unknown, which is no fault.
 */
async function limitsOf(socket: net.Socket, signal: AbortSignal): Promise<Limits> {
  const found: { nickLength?: number; channelLength?: number } = {};
  const name = `sax${randomBytes(3).toString('hex')}`;
  socket.write(`NICK ${name}\r\nUSER ${name} 0 * :${name}\r\nCAP END\r\n`);
  try {
    return await listen(socket, AbortSignal.any([signal, AbortSignal.timeout(LIMITS_MS)]), (line) => {
      const [, numeric = '', words = ''] = /^:\S+ (\d{3}) (.*)$/.exec(line) ?? [];
      if (numeric === '005')
        for (const word of words.split(' ')) {
          const [, key, value] = /^(NICKLEN|CHANNELLEN)=(\d+)$/.exec(word) ?? [];
          if (key === 'NICKLEN') found.nickLength = Number(value);
          if (key === 'CHANNELLEN') found.channelLength = Number(value);
        }
      // What follows the limits (251 …), or a refusal.
      return Number(numeric) > 5 && numeric !== '421' && numeric !== '451' ? found : undefined;
    });
  } catch {
    return found;
  }
}
