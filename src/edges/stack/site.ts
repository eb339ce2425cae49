import { readFile, stat } from 'node:fs/promises';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { extname, join, normalize } from 'node:path';
import type { Duplex } from 'node:stream';

/** The demo's web site: a page, the widget's files, the snapshot, and the way to ejabberd that nginx is in real life. */
export type SiteOptions = {
  /** HTML by path; asked at each visit. */
  readonly pages: Readonly<Record<string, () => string>>;
  /** The widget's login, at /session. */
  readonly session: () => { user: string; password: string };
  /** Directories served below a path. */
  readonly files: Readonly<Record<string, string>>;
  /** Port of ejabberd's HTTP listener on loopback. */
  readonly ejabberdPort: number;
};

export type Site = { readonly url: string; close(): Promise<void> };

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.map': 'application/json',
};

/** Listens on a loopback port of the kernel's choice. */
export async function startSite(options: SiteOptions): Promise<Site> {
  const upgraded = new Set<Duplex>();
  const server = createServer((incoming, response) => {
    answer(options, incoming, response).catch(() => {
      if (!response.headersSent) response.writeHead(500);
      response.end();
    });
  });
  server.on('upgrade', (incoming: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (!isOurs(incoming) || pathOf(incoming) !== '/ws') {
      socket.destroy();
      return;
    }
    upgraded.add(socket);
    socket.on('close', () => upgraded.delete(socket));
    passUpgrade(options.ejabberdPort, incoming, socket, head);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}/`,
    close: () =>
      new Promise((resolve) => {
        for (const socket of upgraded) socket.destroy();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Only browsers that came by our own address: another page cannot make us hand out logins by a name of its own (DNS rebinding). */
function isOurs(incoming: IncomingMessage): boolean {
  return /^(127\.0\.0\.1|localhost)(:\d+)?$/.test(incoming.headers.host ?? '');
}

const pathOf = (incoming: IncomingMessage): string => (incoming.url ?? '/').split('?', 1)[0] ?? '/';

async function answer(options: SiteOptions, incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  const send = (status: number, type: string, body: string | Buffer): void => {
    response.writeHead(status, { 'content-type': type, 'cache-control': 'no-cache' }).end(body);
  };
  if (!isOurs(incoming)) return send(403, 'text/plain', 'open this page by its address 127.0.0.1\n');
  const path = pathOf(incoming);
  const page = options.pages[path];
  if (page !== undefined) return send(200, 'text/html; charset=utf-8', page());
  if (path === '/bosh') return passRequest(options.ejabberdPort, incoming, response);
  if (path === '/session') return send(200, 'application/json', JSON.stringify(options.session()));
  for (const [prefix, directory] of Object.entries(options.files)) {
    if (!path.startsWith(prefix)) continue;
    const file = join(directory, normalize(`/${decodeURIComponent(path.slice(prefix.length))}`));
    const isFile = await stat(file).then(
      (found) => found.isFile(),
      () => false,
    );
    if (isFile) return send(200, TYPES[extname(file)] ?? 'application/octet-stream', await readFile(file));
  }
  return send(404, 'text/plain', 'nothing here\n');
}

/** Passes one BOSH request on and its answer back. */
function passRequest(port: number, incoming: IncomingMessage, response: ServerResponse): void {
  const onward = request(
    { host: '127.0.0.1', port, path: incoming.url, method: incoming.method, headers: incoming.headers },
    (back) => {
      response.writeHead(back.statusCode ?? 502, back.headers);
      back.pipe(response);
    },
  );
  onward.on('error', () => {
    if (!response.headersSent) response.writeHead(502);
    response.end();
  });
  response.on('close', () => onward.destroy());
  incoming.pipe(onward);
}

/** Passes a WebSocket on as it came: the handshake's lines, then bytes both ways. */
function passUpgrade(port: number, incoming: IncomingMessage, socket: Duplex, head: Buffer): void {
  const onward = connect(port, '127.0.0.1', () => {
    const lines = [`GET ${incoming.url} HTTP/1.1`];
    for (let index = 0; index < incoming.rawHeaders.length; index += 2)
      lines.push(`${incoming.rawHeaders[index]}: ${incoming.rawHeaders[index + 1]}`);
    onward.write(`${lines.join('\r\n')}\r\n\r\n`);
    onward.write(head);
    socket.pipe(onward).pipe(socket);
  });
  const end = (): void => {
    socket.destroy();
    onward.destroy();
  };
  for (const side of [socket, onward]) side.on('error', end).on('close', end);
}
