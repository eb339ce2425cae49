import type { AddressInfo } from 'node:net';
import { createServer, type Socket } from 'node:net';
import tls from 'node:tls';

/**
 * An IRC network that wants SASL and has none of its own account: it refuses, and says the password back to who sent it, as
 * a server under somebody else's hand may. (InspIRCd needs services for SASL, which Debian has none of.)
 */
export async function startSaslIrc(cert?: { readonly key: Buffer; readonly cert: Buffer }): Promise<{
  readonly port: number;
  /** What it was sent, line by line. */
  readonly heard: readonly string[];
  close(): void;
}> {
  const heard: string[] = [];
  const sockets = new Set<Socket>();
  const speak = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => {});
    let rest = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      const lines = (rest + chunk).split(/\r?\n/);
      rest = lines.pop() ?? '';
      for (const line of lines) {
        heard.push(line);
        if (line.startsWith('CAP LS')) socket.write(':irc.test CAP * LS :sasl=PLAIN,EXTERNAL\r\n');
        else if (line.startsWith('CAP REQ')) socket.write(':irc.test CAP * ACK :sasl\r\n');
        else if (/^AUTHENTICATE (?:PLAIN|EXTERNAL)$/.test(line)) socket.write('AUTHENTICATE +\r\n');
        else if (line.startsWith('AUTHENTICATE ')) {
          const sent = line.slice('AUTHENTICATE '.length);
          const plain = Buffer.from(sent, 'base64').toString().replaceAll('\0', ' ');
          socket.write(`:irc.test 904 sax :SASL authentication failed for ${plain} (${sent})\r\n`);
        }
      }
    });
  };
  // A client certificate is asked for and taken, whoever signed it.
  const server =
    cert === undefined
      ? createServer(speak)
      : tls.createServer({ ...cert, requestCert: true, rejectUnauthorized: false }, speak);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    heard,
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
