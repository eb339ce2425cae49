import type net from 'node:net';
import { xml } from '@xmpp/client';
import type { ChatSession, Disconnect } from '../../app/ports/chat.ts';
import type { Log } from '../../app/ports/log.ts';
import { newDeferred } from '../../core/deferred.ts';
import { EXIT, reasonOf, SaxError } from '../../core/errors.ts';
import { parseService, XMPP } from '../../core/service-url.ts';
import { isLoopback, openConnection } from '../tls/open.ts';
import { connectVerified } from '../tls/verified.ts';
import { readError } from './errors.ts';
import { type Element, newStream, prune } from './library.ts';
import { splitJid } from './lines.ts';
import { NS } from './names.ts';
import { newSession, type SessionEnd } from './session.ts';

export type XmppOptions = {
  /** `xmpp://host:port` or `xmpps://host:port`. */
  readonly service: string;
  /** The account, a bare JID. */
  readonly jid: string;
  readonly password: string;
  /** Fixed, so that the server's newest-wins rule ends a twin: `saxctl-webridge`. */
  readonly resource: string;
  readonly caFile?: string | undefined;
  readonly log: Log;
  /** Connecting, TLS and login together must end within this time. */
  readonly deadlineMs?: number;
  /** Wall clock, for the time of live lines. */
  readonly now?: () => number;
};

/**
 * Logs in once (RFC 6120) and hands over the session. Rejects with a SaxError: EXIT.refused for a wrong password, EXIT.config
 * for what cannot work as configured, EXIT.unavailable otherwise. Plain sessions without XEP-0198: a killed client leaves
 * no ghost in the room, and what was lost with the connection is found in the archive.
 */
export async function connectXmpp(options: XmppOptions, signal?: AbortSignal): Promise<ChatSession> {
  const { bare } = splitJid(options.jid);
  const at = bare.indexOf('@');
  if (at < 1 || at === bare.length - 1)
    throw new SaxError(EXIT.config, `not an account: ${JSON.stringify(options.jid)}`, { hint: 'write name@domain' });
  const account = { username: bare.slice(0, at), domain: bare.slice(at + 1).toLowerCase() };
  const deadlineMs = options.deadlineMs ?? 15_000;
  const deadline = AbortSignal.timeout(deadlineMs);
  const both = signal === undefined ? deadline : AbortSignal.any([signal, deadline]);
  const late = new SaxError(EXIT.unavailable, `${options.service}: no login within ${deadlineMs / 1000} s`);
  try {
    return await login(options, account, both);
  } catch (error) {
    if (signal?.aborted === true) throw signal.reason;
    throw deadline.aborted ? late : error;
  }
}

type Account = { readonly username: string; readonly domain: string };

async function login(options: XmppOptions, { username, domain }: Account, signal: AbortSignal): Promise<ChatSession> {
  const service = parseService(options.service, XMPP);
  // RFC 6120 section 13.7.2: the domain, or the host that a person configured.
  const tls = { names: [...new Set([domain, service.host])], caFile: options.caFile };
  const socket = await openConnection(service, tls, signal);
  const loopback = isLoopback(socket);
  const online = newDeferred<void>();
  online.promise.catch(() => {});
  let current: net.Socket = socket;
  let session: SessionEnd | undefined;

  const end = (why: Disconnect, cause?: unknown): void => {
    current.destroy();
    online.reject(
      cause instanceof SaxError ? cause : new SaxError(exitOf(why), `${options.service}: ${why.reason}`, { cause }),
    );
    session?.lost(why);
  };
  const secure = (): boolean => current !== socket || service.secure;
  const stream = newStream({
    domain,
    username,
    password: options.password,
    resource: options.resource,
    timeoutMs: 60_000,
    beforeLogin() {
      if (!secure() && !loopback) throw needsTls(options.service);
    },
    intercept(element) {
      if (element.is('features', NS.streams)) {
        const offersTls = element.getChild('starttls', NS.startTls);
        // On the loopback TLS adds nothing but certificates that nobody made; elsewhere there is no login without it.
        const wanted = offersTls !== undefined && (!loopback || offersTls.getChild('required') !== undefined);
        if (!secure() && wanted) {
          stream.send(xml('starttls', { xmlns: NS.startTls })).catch((error: unknown) => end(network(error)));
          return true;
        }
        prune(element);
        return false;
      }
      if (element.getNS() === NS.startTls) {
        if (element.name === 'proceed') startTls().catch((error: unknown) => end(failure(error), error));
        else end({ kind: 'server', reason: 'the server refuses STARTTLS', permanent: false });
        return true;
      }
      if (element.is('error', NS.streams)) {
        end(streamError(element));
        return true;
      }
      return session?.take(element) ?? false;
    },
    broken: (error) =>
      end({ kind: 'protocol', reason: `the server sent what cannot be read: ${reasonOf(error)}`, permanent: false }),
  });
  const watch = (): void => {
    current.setNoDelay(true);
    current.setKeepAlive(true, 60_000);
    current.once('close', () => end({ kind: 'network', reason: 'the connection was lost', permanent: false }));
  };
  async function startTls(): Promise<void> {
    stream._detachSocket();
    socket.removeAllListeners('close');
    current = await connectVerified({ ...service, ...tls, socket, signal });
    stream._attachSocket(Object.assign(current, { secure: true }));
    watch();
    await stream.restart();
  }
  stream.on('error', (error) => end(failure(error), error));
  stream.on('close', () => end({ kind: 'server', reason: 'the server closed the stream', permanent: false }));
  stream.on('online', () => online.resolve());

  const abort = (): void => end({ kind: 'network', reason: reasonOf(signal.reason), permanent: false });
  signal.addEventListener('abort', abort, { once: true });
  try {
    stream._attachSocket(Object.assign(socket, { secure: service.secure }));
    watch();
    stream.open({ domain }).catch((error: unknown) => end(failure(error), error));
    await online.promise;
  } finally {
    signal.removeEventListener('abort', abort);
  }
  session = newSession({
    jid: String(stream.jid ?? options.jid),
    log: options.log,
    now: options.now ?? Date.now,
    write: (stanza) => {
      stream.write(stanza.toString()).catch(() => {});
    },
    socket: () => current,
  });
  return session;
}

function needsTls(service: string): SaxError {
  return new SaxError(EXIT.config, `${service} offers no TLS: a password is not sent without it to another machine`, {
    hint: 'use xmpps://, or offer STARTTLS on the server',
  });
}

/** What the library threw or emitted, as a reason to end. */
function failure(error: unknown): Disconnect {
  if (error instanceof SaxError) {
    const kind = error.exit === EXIT.config || error.exit === EXIT.refused ? 'refused' : 'network';
    return { kind, reason: error.message, permanent: kind === 'refused' };
  }
  const { name, condition } = error as { name?: string; condition?: string };
  if (name === 'SASLError') {
    const wrong = ['not-authorized', 'account-disabled', 'credentials-expired', 'invalid-authzid', 'bad-auth'].includes(
      condition ?? '',
    );
    const text = (error as { text?: string }).text;
    const reason = `login refused: ${condition ?? reasonOf(error)}${text ? ` (${text})` : ''}`;
    return { kind: wrong ? 'refused' : 'server', reason, permanent: wrong };
  }
  return network(error);
}

function network(error: unknown): Disconnect {
  return { kind: 'network', reason: reasonOf(error), permanent: false };
}

/** RFC 6120 section 4.9.3. `conflict`: a newer login with our resource; fighting it would throw both out in turn. */
function streamError(element: Element): Disconnect {
  const { condition, text } = readError(element);
  const reason = `stream error ${condition}${text === '' ? '' : ` (${text})`}`;
  if (condition === 'conflict')
    return {
      kind: 'conflict',
      reason: `replaced by another login of this account with the same resource (${reason})`,
      permanent: true,
    };
  if (condition === 'host-unknown')
    return { kind: 'refused', reason: `the server does not serve this domain (${reason})`, permanent: true };
  const ours = ['not-well-formed', 'bad-format', 'invalid-xml', 'restricted-xml'].includes(condition);
  return { kind: ours ? 'protocol' : 'server', reason, permanent: false };
}

function exitOf({
  kind,
  permanent,
}: Disconnect): typeof EXIT.refused | typeof EXIT.temporary | typeof EXIT.unavailable {
  if (kind === 'refused' && permanent) return EXIT.refused;
  return kind === 'conflict' ? EXIT.temporary : EXIT.unavailable;
}
