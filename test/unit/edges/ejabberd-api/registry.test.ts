import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { type ApiRegistryOptions, openApiRegistry } from '../../../../src/edges/ejabberd-api/registry.ts';

type Asked = { path: string; body: Record<string, string>; authorization: string | undefined; port: number };

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

/** A mod_http_api that answers as it is told, and what it was asked. */
async function api(
  answer: (asked: Asked, response: ServerResponse) => void,
  more: Partial<ApiRegistryOptions> = {},
): Promise<{ registry: ReturnType<typeof openApiRegistry>; asked: Asked[] }> {
  const asked: Asked[] = [];
  server = createServer((request: IncomingMessage, response) => {
    let text = '';
    request.on('data', (chunk) => {
      text += chunk;
    });
    request.on('end', () => {
      const one = {
        path: request.url ?? '',
        body: JSON.parse(text),
        authorization: request.headers.authorization,
        port: request.socket.remotePort ?? 0,
      };
      asked.push(one);
      answer(one, response);
    });
  });
  const listening = server;
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(listening.address() as AddressInfo).port}/api`;
  const registry = openApiRegistry({ url, domain: 'chat.test', mucService: 'conference.chat.test', ...more });
  return { registry, asked };
}

const say = (status: number, body: string) => (_: Asked, response: ServerResponse) => {
  response.statusCode = status;
  response.end(body);
};

describe('mod_http_api', () => {
  test('tells who owns the nicknames, from 25.10 on', async () => {
    const row = { user: 'bob\\20smith', host: 'chat.test', nick: 'Bob Smith' };
    const { registry, asked } = await api(say(200, JSON.stringify([row])));
    expect(await registry.owners()).toEqual(new Map([['Bob Smith', 'bob\\20smith@chat.test']]));
    expect(asked[0]).toMatchObject({
      path: '/api/muc_get_registered_nicks',
      body: { service: 'conference.chat.test' },
    });
  });

  test.each([
    [404, '{"status":"error","code":44,"message":"Endpoint not found."}'],
    [403, '{"status":"error","code":32}'],
    [200, 'no JSON'],
  ])('%i %s: the owners are not known', async (status, body) => {
    const { registry } = await api(say(status, body));
    expect(await registry.owners()).toBeUndefined();
  });

  test('is asked with JSON over connections that stay open', async () => {
    const { registry, asked } = await api(say(200, '0'), { concurrency: 2 });
    await Promise.all(Array.from({ length: 20 }, (_, index) => registry.register(`Жук ${index}`, `жук\\20${index}`)));
    expect(await registry.unregister('x')).toEqual({ kind: 'done' });
    expect(asked[0]).toMatchObject({
      path: '/api/muc_register_nick',
      body: { nick: 'Жук 0', jid: 'жук\\200@chat.test', service: 'conference.chat.test' },
      authorization: undefined,
    });
    expect(asked.at(-1)).toMatchObject({
      path: '/api/muc_unregister_nick',
      body: { jid: 'x@chat.test', service: 'conference.chat.test' },
    });
    expect(new Set(asked.map(({ port }) => port)).size).toBe(2);
    registry.close();
  });

  test('goes on with /v2 where the arguments are those of 24.12', async () => {
    const { registry, asked } = await api((one, response) =>
      one.path.endsWith('/v2')
        ? say(200, '0')(one, response)
        : say(400, '{"status":"error","message":"Request have missing argument: user"}')(one, response),
    );
    expect(await registry.register('n', 'l')).toEqual({ kind: 'done' });
    expect(await registry.unregister('l')).toEqual({ kind: 'done' });
    expect(asked.map(({ path }) => path)).toEqual([
      '/api/muc_register_nick',
      '/api/muc_register_nick/v2',
      '/api/muc_unregister_nick/v2',
    ]);
    registry.close();
  });

  test.each([
    [400, '"Nick already registered"', { kind: 'taken' }],
    [400, `"Invalid 'jid'"`, { kind: 'refused', reason: `400: "Invalid 'jid'"` }],
    [500, 'oops\u001b[2J', { kind: 'failed', reason: '500: oops\\u{1b}[2J' }],
    [200, '0', { kind: 'done' }],
    [200, '1', { kind: 'failed', reason: '200: 1' }],
    [503, 'busy', { kind: 'failed', reason: '503: busy', silent: true }],
  ])('%i %s', async (status, body, outcome) => {
    const { registry } = await api(say(status, body));
    expect(await registry.register('n', 'l')).toEqual(outcome);
    registry.close();
  });

  test.each([
    [403, '{"code":32}', 77],
    [401, '', 77],
    [404, '{"code":44}', 78],
    [400, `"Invalid 'service'"`, 78],
    [200, '<html>Welcome to nginx!</html>', 78],
  ])('%i %s ends the run with exit %i', async (status, body, exit) => {
    const { registry } = await api(say(status, body));
    await expect(registry.register('n', 'l')).rejects.toMatchObject({ exit });
    registry.close();
  });

  test('a connection that breaks is a failed call, nobody listening is an absent server', async () => {
    const { registry } = await api((_, response) => response.destroy());
    expect(await registry.register('n', 'l')).toMatchObject({ kind: 'failed', silent: true });
    registry.close();
    const nobody = openApiRegistry({ url: 'http://127.0.0.1:1/api', domain: 'd', mucService: 's' });
    expect(await nobody.register('n', 'l')).toMatchObject({ kind: 'away' });
  });

  test('a server that closes behind each answer is called again', async () => {
    const { registry, asked } = await api(
      (_, response) => {
        response.setHeader('connection', 'close');
        response.end('0');
      },
      { concurrency: 2 },
    );
    const all = await Promise.all(Array.from({ length: 9 }, () => registry.register('n', 'l')));
    expect(all).toEqual(Array(9).fill({ kind: 'done' }));
    expect(new Set(asked.map(({ port }) => port)).size).toBe(9);
    registry.close();
  });

  test('closing ends the calls under way and those that wait', async () => {
    const stop = new AbortController();
    const { registry } = await api(() => {}, { concurrency: 1, signal: stop.signal });
    const calls = Promise.allSettled([registry.register('a', 'a'), registry.register('b', 'b')]);
    const reason = new Error('stopped');
    stop.abort(reason);
    expect(await calls).toEqual(Array(2).fill({ status: 'rejected', reason }));
  });

  test('a server that never answers is given up', async () => {
    const { registry } = await api(() => {}, { timeoutMs: 100 });
    expect(await registry.register('n', 'l')).toMatchObject({
      kind: 'failed',
      reason: 'no answer within 0.1 s',
      silent: true,
    });
    registry.close();
  });

  test('sends a token or a password, but never over the network without TLS', async () => {
    const token = await api(say(200, '0'), { token: 'secret' });
    await token.registry.register('n', 'l');
    expect(token.asked[0]?.authorization).toBe('Bearer secret');
    token.registry.close();
    server?.closeAllConnections();
    const basic = await api(say(200, '0'), { user: 'a@b', password: 'pw' });
    await basic.registry.register('n', 'l');
    expect(basic.asked[0]?.authorization).toBe(`Basic ${Buffer.from('a@b:pw').toString('base64')}`);
    basic.registry.close();
    const far = { url: 'http://chat.example.org/api', domain: 'd', mucService: 's' };
    expect(() => openApiRegistry({ ...far, token: 'secret' })).toThrow('without TLS');
    expect(() => openApiRegistry({ ...far, url: 'ftp://x' })).toThrow('http://');
    expect(() => openApiRegistry({ ...far, url: 'nonsense' })).toThrow('not a URL');
  });
});
