import { type AddressInfo, createServer, type Socket } from 'node:net';

/** One channel of an IRC server with labels, echo and ids (IRCv3), and one person in it. */
export type ChannelDouble = {
  readonly port: number;
  say(text: string): void;
  close(): void;
};

/** Stands for an IRC server where the server is not what is measured. `heard` gets what the bridge says. */
export async function startChannelDouble(channel: string, heard: (text: string) => void): Promise<ChannelDouble> {
  let count = 0;
  let client: Socket | undefined;
  let out = '';
  const write = (line: string): void => {
    if (out === '')
      setImmediate(() => {
        client?.write(out);
        out = '';
      });
    out += `${line}\r\n`;
  };
  const tags = (): string => {
    count += 1;
    return `msgid=m${count};time=${new Date().toISOString()}`;
  };
  const take = (line: string): void => {
    const [, sent = '', rest = line] = /^@(\S+) (.*)$/.exec(line) ?? [];
    const [command = '', first = ''] = rest.split(' ', 2);
    if (command === 'PRIVMSG') {
      write(`@${sent};${tags()} :sax!sax@here ${rest}`);
      heard(rest.slice(rest.indexOf(' :') + 2));
    } else if (command === 'PING') write(`:srv PONG srv ${first}`);
    else if (command === 'CAP' && first === 'LS')
      write(':srv CAP * LS :labeled-response echo-message message-tags batch server-time');
    else if (command === 'CAP' && first === 'REQ') write(`:srv CAP * ACK ${rest.slice('CAP REQ '.length)}`);
    else if (command === 'CAP' && first === 'END') for (const number of ['001', '376']) write(`:srv ${number} sax :-`);
    else if (command === 'JOIN') {
      write(`:sax!sax@here JOIN ${channel}`);
      write(`:srv 353 sax = ${channel} :eve sax`);
      write(`:srv 366 sax ${channel} :-`);
    }
  };
  const server = createServer((socket) => {
    client = socket;
    socket.on('error', () => undefined);
    socket.setNoDelay(true);
    let pending = '';
    socket.on('data', (chunk) => {
      const lines = (pending + chunk.toString()).split('\r\n');
      pending = lines.pop() ?? '';
      for (const line of lines) take(line);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    say: (text) => write(`@${tags()} :eve!eve@here PRIVMSG ${channel} :${text}`),
    close() {
      client?.destroy();
      server.close();
    },
  };
}
