import type { CheckName } from './catalogue.ts';
import { ok, problem, skipped, type Verdict, warning } from './verdict.ts';

/** One answer over HTTP; status 0 with `failure` when there was none. */
export type Answer = {
  readonly status: number;
  readonly failure?: string;
  readonly headers: Readonly<Record<string, string>>;
};

const LOCATIONS = '# take the locations of: saxctl init --print nginx';

export function judgeWebSocket(answer: Answer): Verdict {
  if (answer.status === 101) return ok('/ws speaks WebSocket');
  return problem(`/ws answers ${answer.failure ?? answer.status} instead of switching to WebSocket`, LOCATIONS);
}

/** ejabberd answers a GET of /bosh with 200 and a page about itself. */
export function judgeBosh(answer: Answer): Verdict {
  if (answer.status === 200 || answer.status === 400) return ok('/bosh answers');
  return problem(`/bosh answers ${answer.failure ?? answer.status}`, LOCATIONS);
}

/** Behind a proxy all the world comes from loopback, which is who may call the API. */
export function judgeApi(answer: Answer): Verdict {
  const open =
    answer.status === 200 ||
    answer.status === 400 ||
    answer.status === 401 ||
    (answer.status === 403 && answer.headers['server'] === undefined);
  const ejabberd = /application\/json/.test(answer.headers['content-type'] ?? '') && answer.status !== 404;
  return open || ejabberd
    ? problem(
        `/api reaches ejabberd from outside (${answer.status})`,
        '# nginx: remove the location of /api; nothing but /ws, /bosh and static files is passed on',
      )
    : ok('/api is not passed on');
}

export function judgeHttp2(protocol: string | undefined, secure: boolean): Verdict {
  if (!secure) return warning('the page is without TLS: everybody on the way reads the session', '# certbot --nginx');
  return protocol === 'h2'
    ? ok('HTTP/2')
    : warning('no HTTP/2: six tabs with BOSH block the whole site', '# nginx\nlisten 443 ssl http2;');
}

export function judgeCertificate(days: number | undefined, failure: string | undefined): Verdict {
  if (failure !== undefined) return problem(failure, 'certbot renew');
  if (days === undefined) return skipped('no TLS');
  if (days < 3) return problem(`the certificate ends in ${days} days`, 'certbot renew');
  return days < 14
    ? warning(`the certificate ends in ${days} days`, 'certbot renew')
    : ok(`the certificate is good for ${days} days`);
}

/** Seconds of an nginx time: "60", "75s", "5m", "1h". */
function nginxSeconds(text: string | undefined): number | undefined {
  const match = /^(\d+)(ms|s|m|h|d)?$/.exec(text ?? '');
  if (match === null) return undefined;
  return (
    (Number(match[1]) * ({ ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }[match[2] ?? 's'] ?? 1000)) / 1000
  );
}

/** The text without its `location … { … }` blocks, also nested ones. */
function withoutLocations(text: string): string {
  const start = /\blocation\s[^{};]*\{/.exec(text);
  if (start === null) return text;
  let end = start.index + start[0].length;
  for (let depth = 1; depth > 0 && end < text.length; end++)
    depth += text[end] === '{' ? 1 : text[end] === '}' ? -1 : 0;
  return text.slice(0, start.index) + withoutLocations(text.slice(end));
}

/** proxy_set_header of the level above holds only where the location sets none of its own. */
const inherits = (location: string, around: string): boolean =>
  !/proxy_set_header/i.test(location) && /proxy_set_header\s+X-Forwarded-For/i.test(around);

/**
 * The timeouts of nginx, from its configuration's text (`nginx -T`): a quiet WebSocket is closed after 60 s by default, a
 * held BOSH poll gets a 504.
 */
export function judgeNginx(text: string): readonly { readonly name: CheckName; readonly verdict: Verdict }[] {
  const body = text.replaceAll(/#[^\n]*/g, '');
  const location = (path: string): string | undefined =>
    new RegExp(`location\\s+(?:=|\\^~)?\\s*/${path}/?\\s*\\{([^}]*)\\}`).exec(body)?.[1];
  // What holds for a location that says nothing: the server's and http's own lines, not those of another location.
  const around = withoutLocations(body);
  const directive = (block: string, name: string): string | undefined =>
    new RegExp(`${name}\\s+([^;]+);`).exec(block)?.[1]?.trim();
  const timeout = (path: string, least: number, paste: string): Verdict => {
    const block = location(path);
    if (block === undefined) return skipped(`there is no location /${path}`);
    const seconds =
      nginxSeconds(directive(block, 'proxy_read_timeout')) ??
      nginxSeconds(directive(around, 'proxy_read_timeout')) ??
      60;
    return seconds >= least
      ? ok(`/${path} may be silent for ${seconds} s`)
      : problem(`/${path} is cut after ${seconds} s of silence`, `# nginx, location /${path}\n${paste}`);
  };
  const forwarded = (['ws', 'bosh'] as const)
    .map(location)
    .filter((block) => block !== undefined)
    .every((block) => /X-Forwarded-For/i.test(block) || inherits(block, around));
  return [
    { name: 'web.websocket-timeout', verdict: timeout('ws', 90, 'proxy_read_timeout 360s;') },
    { name: 'web.bosh-timeout', verdict: timeout('bosh', 65, 'proxy_read_timeout 75s;') },
    {
      name: 'web.forwarded-for',
      verdict: forwarded
        ? ok('ejabberd is told the browsers’ addresses')
        : warning(
            'ejabberd sees every browser as 127.0.0.1: a ban on wrong passwords hits all',
            '# nginx, in both locations\nproxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;',
          ),
    },
  ];
}
