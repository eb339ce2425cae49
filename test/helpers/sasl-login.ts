/**
 * One SASL PLAIN login over each way into ejabberd, by clients small enough to send what a proper one would not: any bytes
 * as password, any localpart. Resolves with `success` or the condition of the failure.
 */
import { randomBytes } from 'node:crypto';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { Stack } from '../../src/edges/stack/types.ts';

export type Transport = 'tcp' | 'bosh' | 'websocket';

const SASL = 'urn:ietf:params:xml:ns:xmpp-sasl';

function auth(localpart: string, password: string | Uint8Array): string {
  const plain = Buffer.concat([Buffer.from(`\0${localpart}\0`), Buffer.from(password)]);
  return `<auth xmlns='${SASL}' mechanism='PLAIN'>${plain.toString('base64')}</auth>`;
}

/** `success`, a condition, or undefined while neither has come. */
function outcome(text: string): string | undefined {
  if (/<success[ />]/.test(text)) return 'success';
  const failure = /<failure[^>]*>\s*<(?:text[^>]*>[^<]*<\/text>\s*<)?([a-z-]+)/.exec(text)?.[1];
  return (
    failure ??
    /<(?:stream:)?error[^>]*>\s*<([a-z-]+)/.exec(text)?.[1] ??
    (/type='terminate'/.test(text) ? 'terminated' : undefined)
  );
}

export function saslLogin(
  stack: Pick<Stack, 'ejabberd' | 'httpUrl' | 'domain'>,
  transport: Transport,
  localpart: string,
  password: string | Uint8Array,
): Promise<string> {
  if (transport === 'tcp') return overTcp(stack, localpart, password);
  if (transport === 'bosh') return overBosh(stack, localpart, password);
  return overWebSocket(stack, localpart, password);
}

/** Reads until `judge` gives a value; `closed` when the peer ends before. */
function conversation(socket: Socket, judge: (text: string, socket: Socket) => string | undefined): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    socket.setTimeout(40_000, () => socket.destroy(new Error('no answer to the login')));
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      const answer = judge(text, socket);
      if (answer === undefined) return;
      resolve(answer);
      socket.destroy();
    });
    socket.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'ECONNRESET' ? resolve('closed') : reject(error),
    );
    socket.once('close', () => resolve('closed'));
  });
}

function overTcp(
  { ejabberd, domain }: Pick<Stack, 'ejabberd' | 'domain'>,
  localpart: string,
  password: string | Uint8Array,
) {
  const socket = connect(ejabberd.port, '127.0.0.1');
  socket.write(
    `<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='${domain}' version='1.0'>`,
  );
  let asked = false;
  return conversation(socket, (text) => {
    if (!asked && text.includes('</stream:features>')) {
      asked = true;
      socket.write(auth(localpart, password));
    }
    return asked ? outcome(text) : undefined;
  });
}

function post(url: string, body: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: 'POST', headers: { 'content-type': 'text/xml' }, agent: false }, (response) => {
      let text = `${response.statusCode === 200 ? '' : `<error><http-${response.statusCode}/></error>`}`;
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      response.on('end', () => resolve(text));
    });
    sent.once('error', reject);
    sent.end(body);
  });
}

async function overBosh(
  { httpUrl, domain }: Pick<Stack, 'httpUrl' | 'domain'>,
  localpart: string,
  password: string | Uint8Array,
) {
  const url = `${httpUrl}/bosh`;
  let rid = 1000;
  const body = (attributes: string, inner = ''): string =>
    `<body xmlns='http://jabber.org/protocol/httpbind' rid='${rid++}' ${attributes}>${inner}</body>`;
  const first = await post(
    url,
    body(`to='${domain}' wait='5' hold='1' ver='1.6' xmpp:version='1.0' xmlns:xmpp='urn:xmpp:xbosh'`),
  );
  const sid = /\bsid='([^']+)'/.exec(first)?.[1] ?? '';
  let answer = await post(url, body(`sid='${sid}'`, auth(localpart, password)));
  for (let polls = 0; outcome(answer) === undefined && polls < 20; polls++)
    answer = await post(url, body(`sid='${sid}'`));
  return outcome(answer) ?? 'no outcome';
}

function overWebSocket(
  { httpUrl, domain }: Pick<Stack, 'httpUrl' | 'domain'>,
  localpart: string,
  password: string | Uint8Array,
) {
  const { port } = new URL(httpUrl);
  const socket = connect(Number(port), '127.0.0.1');
  const key = randomBytes(16).toString('base64');
  socket.write(
    `GET /ws HTTP/1.1\r\nHost: ${domain}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: xmpp\r\n\r\n`,
  );
  let step = 0;
  return conversation(socket, (text) => {
    if (step === 0 && text.includes('\r\n\r\n')) {
      step = 1;
      socket.write(frame(`<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='${domain}' version='1.0'/>`));
    }
    if (step === 1 && text.includes('</stream:features>')) {
      step = 2;
      socket.write(frame(auth(localpart, password)));
    }
    return step === 2 ? outcome(text) : undefined;
  });
}

/** A masked text frame (RFC 6455 section 5.2). */
function frame(text: string): Buffer {
  const body = Buffer.from(text);
  const mask = randomBytes(4);
  const length =
    body.length < 126
      ? Buffer.of(0x80 | body.length)
      : body.length < 65_536
        ? Buffer.of(0x80 | 126, body.length >> 8, body.length & 255)
        : Buffer.concat([Buffer.of(0x80 | 127, 0, 0, 0, 0), Buffer.from(Uint32Array.of(body.length).buffer).reverse()]);
  const masked = Buffer.from(body.map((byte, index) => byte ^ (mask[index % 4] ?? 0)));
  return Buffer.concat([Buffer.of(0x81), length, mask, masked]);
}
