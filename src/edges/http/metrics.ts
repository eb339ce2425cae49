import { createServer } from 'node:http';
import { EXIT, reasonOf, SaxError } from '../../core/errors.ts';

/** Whether the command does its job, and why not. */
export type Health = { readonly ok: boolean; readonly reason: string };

/**
 * `/metrics` (Prometheus text) and `/healthz` (200, or 503 with the reason) on one small HTTP server.
 * @param listen `host:port`; port 0 lets the kernel choose.
 * @returns the address listened on and a way to stop.
 * @throws SaxError exit 73 when the address cannot be had.
 */
export async function serveMetrics(
  listen: string,
  source: { render(): string; health(): Health },
): Promise<{ address: string; close(): void }> {
  const cut = listen.lastIndexOf(':');
  const host = listen.slice(0, cut).replace(/^\[|\]$/g, '');
  const port = Number(listen.slice(cut + 1));

  const server = createServer({ requestTimeout: 10_000, keepAliveTimeout: 5_000 }, (request, response) => {
    const path = (request.url ?? '').split('?')[0];
    const answer = (status: number, text: string, type = 'text/plain; charset=utf-8'): void => {
      response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' });
      response.end(request.method === 'HEAD' ? undefined : text);
    };
    if (request.method !== 'GET' && request.method !== 'HEAD') answer(405, 'only GET\n');
    else if (path === '/metrics') answer(200, source.render(), 'text/plain; version=0.0.4; charset=utf-8');
    else if (path === '/healthz') {
      const { ok, reason } = source.health();
      answer(ok ? 200 : 503, `${reason}\n`);
    } else answer(404, 'here are /metrics and /healthz\n');
  });

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  }).catch((cause) => {
    throw new SaxError(EXIT.cannotCreate, `cannot listen for metrics on ${listen}: ${reasonOf(cause)}`, {
      hint: 'change [metrics] listen',
      cause,
    });
  });
  // The metrics never keep a command alive that has nothing else to do.
  server.unref();
  const bound = server.address();
  const address = typeof bound === 'object' && bound !== null ? `${host}:${bound.port}` : listen;
  return { address, close: () => server.close().closeAllConnections() };
}
