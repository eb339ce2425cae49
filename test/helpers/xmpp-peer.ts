import net from 'node:net';
import tls from 'node:tls';

/** One accepted connection of the scripted server: the test plays the server, line by line. */
export type PeerConnection = {
  readonly socket: net.Socket;
  /** Everything received and not yet taken by `expect`. */
  pending(): string;
  /** Waits until the pattern was received, takes everything up to its end, returns the match. */
  expect(pattern: RegExp, timeoutMs?: number): Promise<RegExpExecArray>;
  send(text: string | Uint8Array): void;
  /** Stream header, PLAIN, bind: up to the client being online. Returns the decoded PLAIN response. */
  login(options?: LoginOptions): Promise<string>;
  /** Answers the join of a room: presence of others, our own with 110, subject. Returns the nickname. */
  admit(room: string, others?: readonly string[], codes?: readonly string[]): Promise<string>;
  closed: Promise<void>;
};

export type LoginOptions = { readonly features?: string; readonly jid?: string; readonly fail?: string };

export type XmppPeer = {
  readonly port: number;
  /** The next connection, or the one that already waits. */
  accept(timeoutMs?: number): Promise<PeerConnection>;
  close(): Promise<void>;
};

const HEADER = `<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' id='s1' version='1.0' from='chat.test'>`;
const PLAIN = `<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms>`;

/** A real listener on a port of the loopback that plays an XMPP server by hand: for what real servers cannot be made to do. */
export async function startXmppPeer(options: { tls?: tls.TlsOptions; host?: string } = {}): Promise<XmppPeer> {
  const waiting: PeerConnection[] = [];
  const wanted: ((connection: PeerConnection) => void)[] = [];
  const sockets = new Set<net.Socket>();
  const onSocket = (socket: net.Socket): void => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    const connection = newConnection(socket);
    const next = wanted.shift();
    if (next === undefined) waiting.push(connection);
    else next(connection);
  };
  const server = options.tls === undefined ? net.createServer(onSocket) : tls.createServer(options.tls, onSocket);
  server.on('tlsClientError', () => {});
  await new Promise<void>((resolve) => server.listen(0, options.host ?? '127.0.0.1', resolve));
  return {
    port: (server.address() as net.AddressInfo).port,
    accept(timeoutMs = 5000) {
      const ready = waiting.shift();
      if (ready !== undefined) return Promise.resolve(ready);
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error('nobody connected')), timeoutMs);
        wanted.push((connection) => {
          clearTimeout(timer);
          resolve(connection);
        });
      });
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function newConnection(socket: net.Socket): PeerConnection {
  let received = '';
  let check = (): void => {};
  socket.on('error', () => {});
  socket.on('data', (chunk: Buffer) => {
    received += chunk.toString('utf8');
    check();
  });
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));

  function expect(pattern: RegExp, timeoutMs = 5000): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        check = () => {};
        reject(new Error(`expected ${String(pattern)}, have ${JSON.stringify(received.slice(0, 2000))}`));
      }, timeoutMs);
      check = () => {
        const match = pattern.exec(received);
        if (match === null) return;
        received = received.slice(match.index + match[0].length);
        check = () => {};
        clearTimeout(timer);
        resolve(match);
      };
      check();
    });
  }
  const send = (text: string | Uint8Array): void => {
    socket.write(text);
  };
  async function login({ features = PLAIN, jid = 'bot@chat.test/res', fail }: LoginOptions = {}): Promise<string> {
    await expect(/<stream:stream[^>]*>/);
    send(`${HEADER}<stream:features>${features}</stream:features>`);
    const auth = await expect(/<auth [^>]*>([^<]*)<\/auth>/);
    if (fail !== undefined) {
      send(`<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><${fail}/></failure>`);
      return Buffer.from(auth[1] ?? '', 'base64').toString('utf8');
    }
    send(`<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>`);
    await expect(/<stream:stream[^>]*>/);
    const bindAndSm = `<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/><sm xmlns='urn:xmpp:sm:3'/>`;
    send(`${HEADER}<stream:features>${bindAndSm}</stream:features>`);
    const bind = await expect(/<iq [^>]*id="([^"]+)"[^>]*><bind[^>]*>.*?<\/bind><\/iq>/);
    send(
      `<iq type='result' id='${bind[1]}'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>${jid}</jid></bind></iq>`,
    );
    return Buffer.from(auth[1] ?? '', 'base64').toString('utf8');
  }
  async function admit(room: string, others: readonly string[] = [], codes: readonly string[] = []): Promise<string> {
    const join = await expect(new RegExp(`<presence to="${room}/([^"]+)"[^>]*><x xmlns="[^"]*muc">.*?</presence>`));
    const nick = join[1] ?? '';
    const presence = (who: string, statuses: readonly string[]): string =>
      `<presence from='${room}/${who}'><x xmlns='http://jabber.org/protocol/muc#user'><item affiliation='none' role='participant'/>${statuses
        .map((code) => `<status code='${code}'/>`)
        .join('')}</x></presence>`;
    for (const other of others) send(presence(other, []));
    send(presence(nick, [...codes, '110']));
    send(`<message type='groupchat' from='${room}'><subject/></message>`);
    return nick;
  }
  return { socket, pending: () => received, expect, send, login, admit, closed };
}
