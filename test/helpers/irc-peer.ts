/** A listener that plays an IRC server by hand, for what real ones here cannot be made to do. */
import net from 'node:net';
import tls from 'node:tls';

export type IrcPeer = {
  /** `irc://` or, with a certificate, `ircs://` and the port. */
  readonly url: string;
  readonly received: readonly string[];
  /** The common name of each client certificate that was shown. */
  readonly certificates: readonly string[];
  /** Raw bytes to everybody. */
  send(text: string): void;
  close(): void;
};

/** What to answer to a line; undefined: what every server answers. */
export type Answer = (line: string) => readonly string[] | undefined;

export async function startIrcPeer(answer: Answer, security?: tls.TlsOptions): Promise<IrcPeer> {
  const received: string[] = [];
  const certificates: string[] = [];
  const sockets = new Set<net.Socket>();
  const accept = (socket: net.Socket): void => {
    sockets.add(socket);
    socket.on('error', () => {});
    if (socket instanceof tls.TLSSocket) {
      const name = socket.getPeerCertificate().subject?.CN;
      if (typeof name === 'string') certificates.push(name);
    }
    let rest = '';
    socket.on('data', (chunk) => {
      const lines = (rest + chunk.toString('utf8')).split('\r\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        received.push(line);
        for (const reply of answer(line) ?? usual(line)) socket.write(`${reply}\r\n`);
      }
    });
  };
  const server = security === undefined ? net.createServer(accept) : tls.createServer(security, accept);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `${security === undefined ? 'irc' : 'ircs'}://127.0.0.1:${(server.address() as net.AddressInfo).port}`,
    received,
    certificates,
    send: (text) => {
      for (const socket of sockets) socket.write(text);
    },
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

/** What every server answers. */
export function usual(line: string): readonly string[] {
  const [command = '', parameter = ''] = line.split(' ');
  switch (command) {
    case 'PING':
      return [`:srv PONG srv ${parameter}`];
    case 'USER':
      return [':srv 001 bot :hi', ':srv 005 bot CASEMAPPING=ascii :are supported', ':srv 376 bot :end'];
    case 'JOIN':
      return [
        `:bot!u@host JOIN ${parameter}`,
        `:srv 353 bot = ${parameter} :@op bot`,
        `:srv 366 bot ${parameter} :end`,
      ];
    default:
      return [];
  }
}

/** A server that knows SASL PLAIN and EXTERNAL and ends a login with `verdict`. */
export function saslAnswers(verdict: string): Answer {
  return (line) => {
    if (line === 'CAP LS 302') return [':srv CAP * LS :sasl=PLAIN,EXTERNAL'];
    if (line.startsWith('CAP REQ')) return [':srv CAP * ACK :sasl'];
    if (line === 'AUTHENTICATE PLAIN' || line === 'AUTHENTICATE EXTERNAL') return ['AUTHENTICATE +'];
    if (line.startsWith('AUTHENTICATE')) return [verdict];
    if (line.startsWith('USER')) return [];
    if (line === 'CAP END') return usual('USER x');
    return undefined;
  };
}
