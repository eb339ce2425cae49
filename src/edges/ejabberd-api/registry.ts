import type { NickOutcome, NickRegistry } from '../../app/ports/nicks.ts';
import { EXIT, reasonOf, SaxError } from '../../core/errors.ts';
import { printable } from '../../core/escape.ts';
import type { HttpAnswer } from './answer.ts';
import { openWire } from './wire.ts';

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

/** More connections than this gained nothing on two cores: ejabberd, too, has to do it. */
const CONNECTIONS = 8;
/** A server in front of ejabberd that does not find it. */
const GATEWAY = new Set([502, 503, 504]);
const AWAY = new Set(['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'EAI_AGAIN', 'ETIMEDOUT']);

/** Nicknames over mod_http_api: connections that stay open, as many calls at once as there are connections. */
export function openApiRegistry(options: ApiRegistryOptions): NickRegistry {
  const base = baseOf(options);
  const secure = base.protocol === 'https:';
  const connections = options.concurrency ?? CONNECTIONS;
  const wire = openWire({
    host: base.hostname.replace(/^\[|\]$/g, ''),
    port: base.port === '' ? (secure ? 443 : 80) : Number(base.port),
    tls: secure,
    connections,
    head: [`host: ${base.host}`, 'content-type: application/json', ...authorization(options)].join('\r\n'),
    timeoutMs: options.timeoutMs ?? 20_000,
  });
  // One listener for all calls, not one for each.
  options.signal?.addEventListener('abort', () => wire.close(), { once: true });
  /** From 24.12 on the plain path wants other arguments; `/v2` means the old ones there, and nothing in old versions. */
  let suffix = '';

  const post = (command: string, body: string, most = 100_000): Promise<HttpAnswer> =>
    wire.post(`${base.pathname}${command}${suffix}`, body, most);

  const call = async (command: string, values: Readonly<Record<string, string>>): Promise<NickOutcome> => {
    const asked = suffix;
    let answer: HttpAnswer;
    try {
      answer = await post(command, JSON.stringify(values));
    } catch (error) {
      options.signal?.throwIfAborted();
      const reason = reasonOf(error);
      return AWAY.has((error as { code?: string }).code ?? '')
        ? { kind: 'away', reason }
        : { kind: 'failed', reason, silent: true };
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
    close: () => wire.close(),
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

/** The line of the head that says who we are, if any. */
function authorization({ token, user, password }: ApiRegistryOptions): readonly string[] {
  const basic = user === undefined || password === undefined ? undefined : Buffer.from(`${user}:${password}`);
  const value = token !== undefined ? `Bearer ${token}` : basic && `Basic ${basic.toString('base64')}`;
  if (value === undefined) return [];
  if (/[^\x20-\x7e]/.test(value))
    throw new SaxError(EXIT.config, '[ejabberd] api_token holds a character that cannot be sent');
  return [`authorization: ${value}`];
}

function readOutcome({ status, body }: HttpAnswer, base: URL): NickOutcome {
  const reason = `${status}: ${printable(body.trim(), 200)}`;
  const refuse = (exit: 77 | 78, hint: string): never => {
    throw new SaxError(exit, `${base.origin}${base.pathname}: ${reason}`, { hint });
  };
  if (status === 200) {
    const code = readJson(body);
    // Web servers say 200 to anything.
    if (code === undefined) return refuse(EXIT.config, 'that is not ejabberd’s mod_http_api: check [ejabberd] api_url');
    return code === 1 ? { kind: 'failed', reason } : { kind: 'done' };
  }
  if (/Nick already registered/i.test(body)) return { kind: 'taken' };
  if (status === 401) return refuse(EXIT.refused, 'check [ejabberd] api_token, or api_user and api_password');
  if (status === 403)
    return refuse(
      EXIT.refused,
      'allow muc_register_nick and muc_unregister_nick in ejabberd’s api_permissions (saxctl init)',
    );
  if (status === 404)
    return refuse(EXIT.config, 'check [ejabberd] api_url, and mod_muc_admin and mod_http_api in ejabberd.yml');
  if (status === 400 && /'service'|Unknown host/i.test(body))
    return refuse(EXIT.config, 'check [xmpp] muc_service and domain');
  if (status === 400) return { kind: 'refused', reason };
  return GATEWAY.has(status) ? { kind: 'failed', reason, silent: true } : { kind: 'failed', reason };
}

function readJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

/** `[{"user":"tari","host":"example.org","nick":"Tari"}, …]` */
function readOwners(body: string): ReadonlyMap<string, string> | undefined {
  const rows = readJson(body);
  if (!Array.isArray(rows)) return undefined;
  return new Map(rows.map((row) => [String(row?.nick), `${row?.user}@${row?.host}`]));
}
