import type { Socket } from 'node:net';
import { StringDecoder } from 'node:string_decoder';
import { client, type xml } from '@xmpp/client';
import { NS } from './names.ts';

/** An XML element of the library (ltx). */
export type Element = ReturnType<typeof xml>;

/** What we use of @xmpp/client: the stream, its parser, SASL and resource binding. Most of it is not in the published types. */
export type Stream = {
  jid: { toString(): string } | null;
  parser: { write(text: string): void } | null;
  Transport: unknown;
  Parser: unknown;
  reconnect: { stop(): void };
  _findTransport(service: string): { prototype: { Parser: unknown } } | undefined;
  _attachSocket(socket: Socket): void;
  _detachSocket(): void;
  _onData(data: Uint8Array): void;
  _onElement(element: Element): void;
  open(options: { domain: string }): Promise<unknown>;
  restart(): Promise<unknown>;
  send(element: Element): Promise<void>;
  /** The same without the library's middleware, which parses three JIDs for each stanza (a sixth of what one announcement costs). */
  write(text: string): Promise<void>;
  on(event: 'error', listener: (error: Error) => void): void;
  on(event: 'online', listener: () => void): void;
  on(event: 'close', listener: () => void): void;
};

export type StreamOptions = {
  readonly domain: string;
  readonly username: string;
  readonly password: string;
  readonly resource: string;
  readonly timeoutMs: number;
  /** Throws when the credentials must not leave over this connection. */
  readonly beforeLogin: () => void;
  /** Sees every element first; true means that the library shall not see it. */
  readonly intercept: (element: Element) => boolean;
  /** The stream cannot go on (the parser or a handler failed). */
  readonly broken: (error: unknown) => void;
};

/**
 * A stream of @xmpp/client 0.14 with its faults mended. Its own reconnection is off (it stops for good when a server is
 * silent), its UTF-8 decoding is replaced (it decodes each TCP segment alone), data after the end does not reach a parser
 * that is gone, and names and passwords beyond ASCII survive its Latin-1 base64.
 */
export function newStream(options: StreamOptions): Stream {
  const stream = client({
    service: 'xmpp://unused:1',
    domain: options.domain,
    resource: options.resource,
    timeout: options.timeoutMs,
    credentials: async (
      authenticate: (credentials: object, mechanism: string) => Promise<void>,
      mechanisms: string[],
    ) => {
      options.beforeLogin();
      const credentials = { username: asLatin1(options.username), password: asLatin1(options.password) };
      await authenticate(credentials, mechanisms.includes('PLAIN') ? 'PLAIN' : (mechanisms[0] ?? 'PLAIN'));
    },
  } as unknown as Parameters<typeof client>[0]) as unknown as Stream;
  stream.reconnect.stop();
  const transport = stream._findTransport('xmpp://unused:1');
  stream.Transport = transport;
  stream.Parser = transport?.prototype.Parser;

  const decoder = new StringDecoder('utf8');
  stream._onData = (data) => {
    try {
      const text = decoder.write(data as Buffer);
      if (text !== '') stream.parser?.write(text);
    } catch (error) {
      // Elements nested 100,000 deep end in a RangeError of the recursive serialiser.
      options.broken(error);
    }
  };
  const onElement = stream._onElement.bind(stream);
  stream._onElement = (element) => {
    if (!options.intercept(element)) onElement(element);
  };
  return stream;
}

/** The UTF-8 bytes of a text as a string of Latin-1 characters. */
function asLatin1(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

/**
 * Takes out of the server's stream features what we do not want the library to use: XEP-0198 (its queue drops and doubles;
 * confirmation by reflection and archive replaces it), SASL2 (its bind chooses another resource than ours), STARTTLS (done
 * by us, with tls_ca).
 */
export function prune(features: Element): void {
  for (const child of [...features.getChildElements()]) {
    const namespace = child.getNS() ?? '';
    if (namespace.startsWith('urn:xmpp:sm:') || namespace === NS.sasl2 || namespace === NS.startTls)
      features.remove(child);
  }
}
