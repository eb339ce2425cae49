/** The two servers of a relay, as little of them as it needs: for a million lines, where the real ones would take most of the time. */
import { createServer, type Server, type Socket } from 'node:net';

export type Double = {
  readonly port: number;
  /** Somebody else says a line. */
  say(text: string): void;
  /** What the bridge said, one by one. */
  heard: (text: string) => void;
  close(): void;
};

export const DOUBLE = { domain: 'double.test', room: 'sax@conference.double.test', channel: '#sax' } as const;

const HEADER = `<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' id='s' version='1.0' from='${DOUBLE.domain}'>`;
const ELEMENT = /<(auth|iq|presence|message)\b(?:[^>]*?\/>|[\s\S]*?<\/\1>)|<stream:stream[^>]*>|<\/stream:stream>/;

/** One account, one room, an archive that has nothing to add; every message is reflected with an id of the room. */
export async function startRoomDouble(): Promise<Double> {
  let id = 1_700_000_000_000_000;
  let client: Socket | undefined;
  let out = '';
  const write = (text: string): void => {
    if (out === '') setImmediate(flush);
    out += text;
  };
  const flush = (): void => {
    client?.write(out);
    out = '';
  };
  const stamped = (from: string, attributes: string, inner: string): string => {
    id += 1;
    return `<message type='groupchat' from='${DOUBLE.room}/${from}'${attributes}>${inner}<stanza-id xmlns='urn:xmpp:sid:0' by='${DOUBLE.room}' id='${id}'/></message>`;
  };
  const double: Double = {
    port: 0,
    say: (text) => write(stamped('Tari', ` id='t${id}'`, `<body>${text}</body>`)),
    heard: () => undefined,
    close: () => undefined,
  };
  let loggedIn = false;
  const take = (xml: string): void => {
    const attribute = (name: string): string => new RegExp(`^<[^>]*? ${name}=["']([^"']*)`).exec(xml)?.[1] ?? '';
    if (xml.startsWith('<message')) {
      const inner = xml.slice(xml.indexOf('>') + 1, -'</message>'.length);
      write(stamped('ircbridge', ` id='${attribute('id')}'`, inner));
      double.heard(/<body>([^<]*)/.exec(inner)?.[1] ?? '');
    } else if (xml.startsWith('<stream:stream')) {
      const offer = loggedIn
        ? `<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>`
        : `<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms>`;
      write(`${HEADER}<stream:features>${offer}</stream:features>`);
    } else if (xml.startsWith('<auth')) {
      loggedIn = true;
      write(`<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>`);
    } else if (xml.startsWith('<presence')) {
      const here = `<x xmlns='http://jabber.org/protocol/muc#user'><item affiliation='none' role='participant'/><status code='110'/></x>`;
      if (attribute('to') !== '') write(`<presence from='${attribute('to')}'>${here}</presence>`);
      write(`<message type='groupchat' from='${DOUBLE.room}'><subject/></message>`);
    } else if (xml.startsWith('<iq')) {
      const fin = `<fin xmlns='urn:xmpp:mam:2' complete='true'><set xmlns='http://jabber.org/protocol/rsm'><count>0</count></set></fin>`;
      const bound = `<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>ircbridge@${DOUBLE.domain}/saxctl-ircbridge</jid></bind>`;
      const answer = xml.includes('xmpp-bind') ? bound : xml.includes('urn:xmpp:mam:2') ? fin : '';
      write(`<iq type='result' id='${attribute('id')}' from='${attribute('to')}'>${answer}</iq>`);
    }
  };
  return await listening(double, (socket) => {
    client = socket;
    loggedIn = false;
    let pending = '';
    socket.on('data', (chunk) => {
      pending += chunk.toString();
      for (let match = ELEMENT.exec(pending); match !== null; match = ELEMENT.exec(pending)) {
        pending = pending.slice(match.index + match[0].length);
        take(match[0]);
      }
    });
  });
}

/** One channel of a server with IRCv3's labels, echo and ids. */
export async function startChannelDouble(): Promise<Double> {
  let count = 0;
  let client: Socket | undefined;
  let out = '';
  const write = (line: string): void => {
    if (out === '') setImmediate(flush);
    out += `${line}\r\n`;
  };
  const flush = (): void => {
    client?.write(out);
    out = '';
  };
  const tags = (): string => {
    count += 1;
    return `msgid=m${count};time=${new Date().toISOString()}`;
  };
  const double: Double = {
    port: 0,
    say: (text) => write(`@${tags()} :eve!eve@here PRIVMSG ${DOUBLE.channel} :${text}`),
    heard: () => undefined,
    close: () => undefined,
  };
  const take = (line: string): void => {
    const [, sent = '', rest = line] = /^@(\S+) (.*)$/.exec(line) ?? [];
    const [command = '', first = ''] = rest.split(' ', 2);
    if (command === 'PRIVMSG') {
      write(`@${sent};${tags()} :sax!sax@here ${rest}`);
      double.heard(rest.slice(rest.indexOf(' :') + 2));
    } else if (command === 'PING') write(`:srv PONG srv ${first}`);
    else if (command === 'CAP' && first === 'LS')
      write(':srv CAP * LS :labeled-response echo-message message-tags batch server-time');
    else if (command === 'CAP' && first === 'REQ') write(`:srv CAP * ACK ${rest.slice('CAP REQ '.length)}`);
    else if (command === 'CAP' && first === 'END') for (const number of ['001', '376']) write(`:srv ${number} sax :-`);
    else if (command === 'JOIN') {
      write(`:sax!sax@here JOIN ${DOUBLE.channel}`);
      write(`:srv 353 sax = ${DOUBLE.channel} :eve sax`);
      write(`:srv 366 sax ${DOUBLE.channel} :-`);
    }
  };
  return await listening(double, (socket) => {
    client = socket;
    let pending = '';
    socket.on('data', (chunk) => {
      const lines = (pending + chunk.toString()).split('\r\n');
      pending = lines.pop() ?? '';
      for (const line of lines) take(line);
    });
  });
}

async function listening(double: Double, accept: (socket: Socket) => void): Promise<Double> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.setNoDelay(true);
    accept(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return Object.assign(double, {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  });
}
