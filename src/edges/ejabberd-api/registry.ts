import { Agent, type IncomingMessage, request } from 'node:http';
import { Agent as TlsAgent, request as tlsRequest } from 'node:https';
import type { NickOutcome, NickRegistry } from '../../app/ports/nicks.ts';
import { EXIT, reasonOf, SaxError } from '../../core/errors.ts';
import { printable } from '../../core/escape.ts';

export type ApiRegistryOptions = {
  /** Base URL of mod_http_api. */
  readonly url: string;
  readonly token?: string | undefined;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  readonly domain: string;
  readonly mucService: string;
  readonly concurrency?: number;
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
};

type Answer = { readonly status: number; readonly body: string };

/** More connections than this gained nothing on two cores: ejabberd, too, has to do it. */
const CONNECTIONS = 8;
const AWAY = new Set(['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'EAI_AGAIN', 'ETIMEDOUT']);

/** Nicknames over mod_http_api: connections that stay open, as many calls at once as there are connections. */
export function openApiRegistry(options: ApiRegistryOptions): NickRegistry {
  const base = baseOf(options);
  const secure = base.protocol === 'https:';
  const place = {
    hostname: base.hostname.replace(/^\[|\]$/g, ''),
    ...(base.port === '' ? {} : { port: Number(base.port) }),
  };
  const connections = options.concurrency ?? CONNECTIONS;
  const settings = { keepAlive: true, maxSockets: connections, maxFreeSockets: connections };
  const agent = secure ? new TlsAgent(settings) : new Agent(settings);
  // One listener for all calls, not one for each.
  options.signal?.addEventListener('abort', () => agent.destroy(), { once: true });
  const headers = { 'content-type': 'application/json', ...authorization(options) };
  /** From 24.12 on the plain path wants other arguments; `/v2` means the old ones there, and nothing in old versions. */
  let suffix = '';

  const post = (command: string, body: string, most = 10_000): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const sent = (secure ? tlsRequest : request)(
        {
          ...place,
          path: `${base.pathname}${command}${suffix}`,
          agent,
          method: 'POST',
          headers: { ...headers, 'content-length': Buffer.byteLength(body) },
          timeout: options.timeoutMs ?? 30_000,
        },
        (response) => readAnswer(response, most, resolve, reject),
      );
      sent.on('timeout', () => sent.destroy(new Error(`no answer within ${(options.timeoutMs ?? 30_000) / 1000} s`)));
      sent.on('error', reject);
      sent.end(body);
    });

  const call = async (command: string, values: Readonly<Record<string, string>>): Promise<NickOutcome> => {
    const asked = suffix;
    let answer: Answer;
    try {
      answer = await post(command, JSON.stringify(values));
    } catch (error) {
      options.signal?.throwIfAborted();
      return { kind: AWAY.has((error as { code?: string }).code ?? '') ? 'away' : 'failed', reason: reasonOf(error) };
    }
    if (answer.status === 400 && /missing argument: "?(user|host)/i.test(answer.body) && asked === '') {
      suffix = '/v2';
      return call(command, values);
    }
    return readOutcome(answer, base);
  };

  const jidOf = (localpart: string): string => `${localpart}@${options.domain}`;
  return {
    concurrency: connections,
    register: (nick, localpart) =>
      call('muc_register_nick', { nick, jid: jidOf(localpart), service: options.mucService }),
    unregister: (localpart) => call('muc_unregister_nick', { jid: jidOf(localpart), service: options.mucService }),
    async owners() {
      // Not there before 25.10, or not allowed: then the names stay unknown.
      const service = JSON.stringify({ service: options.mucService });
      const answer = await post('muc_get_registered_nicks', service, 64_000_000).catch(() => undefined);
      return answer?.status === 200 ? readOwners(answer.body) : undefined;
    },
    close: () => agent.destroy(),
  };
}

function baseOf({ url, token, password }: ApiRegistryOptions): URL {
  let base: URL;
  try {
    base = new URL(url.endsWith('/') ? url : `${url}/`);
  } catch (cause) {
    throw new SaxError(EXIT.config, `[ejabberd] api_url: ${JSON.stringify(url)} is not a URL`, { cause });
  }
  if (base.protocol !== 'http:' && base.protocol !== 'https:')
    throw new SaxError(EXIT.config, `[ejabberd] api_url: ${JSON.stringify(url)} must begin with http:// or https://`);
  const loopback = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(base.hostname);
  if (base.protocol === 'http:' && !loopback && (token ?? password) !== undefined)
    throw new SaxError(EXIT.config, `[ejabberd] api_url: a password does not go to ${base.hostname} without TLS`, {
      hint: 'use https://, or the address 127.0.0.1 on the machine of ejabberd',
    });
  return base;
}

function authorization({ token, user, password }: ApiRegistryOptions): Readonly<Record<string, string>> {
  if (token !== undefined) return { authorization: `Bearer ${token}` };
  if (user === undefined || password === undefined) return {};
  return { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` };
}

/** By events: an async iterator over each of a hundred thousand answers costs more than the answers. */
function readAnswer(
  response: IncomingMessage,
  most: number,
  resolve: (answer: Answer) => void,
  reject: (error: Error) => void,
): void {
  response.setEncoding('utf8');
  let body = '';
  response.on('data', (chunk: string) => {
    if (body.length < most) body += chunk;
  });
  response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
  response.on('error', reject);
}

function readOutcome({ status, body }: Answer, base: URL): NickOutcome {
  if (status === 200) return { kind: 'done' };
  const reason = `${status}: ${printable(body.trim(), 200)}`;
  const refuse = (exit: 77 | 78, hint: string): never => {
    throw new SaxError(exit, `${base.origin}${base.pathname}: ${reason}`, { hint });
  };
  if (/Nick already registered/i.test(body)) return { kind: 'taken' };
  if (status === 401 || status === 403)
    return refuse(
      EXIT.refused,
      'allow muc_register_nick and muc_unregister_nick in ejabberd’s api_permissions (saxctl init)',
    );
  if (status === 404)
    return refuse(EXIT.config, 'check [ejabberd] api_url, and mod_muc_admin and mod_http_api in ejabberd.yml');
  if (status === 400 && /'service'|Unknown host/i.test(body))
    return refuse(EXIT.config, 'check [xmpp] muc_service and domain');
  return { kind: status === 400 ? 'refused' : 'failed', reason };
}

/** `[{"user":"tari","host":"example.org","nick":"Tari"}, …]` */
function readOwners(body: string): ReadonlyMap<string, string> | undefined {
  try {
    const rows = JSON.parse(body) as readonly { user?: unknown; host?: unknown; nick?: unknown }[];
    return new Map(rows.map(({ user, host, nick }) => [String(nick), `${user}@${host}`]));
  } catch {
    return undefined;
  }
}
