import type { AddressInfo } from 'node:net';
import { createServer, type Socket } from 'node:net';

/** A room of one occupant that says back at once whatever it is told. */
export type Reflector = {
  readonly port: number;
  /** How many messages it has reflected. */
  readonly count: () => number;
  /** Somebody else in the room says a line (XML text). */
  say(text: string): void;
  close(): void;
};

const STREAM = `<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' id='s' version='1.0' from='bench.test'>`;
const LOGIN = `<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms>`;
const BIND = `<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>`;
const EMPTY_ARCHIVE = `<fin xmlns='urn:xmpp:mam:2' complete='true'><set xmlns='http://jabber.org/protocol/rsm'><count>0</count></set></fin>`;

/**
 * Stands for an XMPP server where the server is not what is measured: it knows the few stanzas of a bot, in the shape in which
 * our library writes them, and has every message back in microseconds, with an id of its archive (which is always empty when asked).
 */
export async function startReflector(heard: (stanza: string) => void = () => undefined): Promise<Reflector> {
  let count = 0;
  let sayTo: (text: string) => void = () => undefined;
  const serve = (socket: Socket): void => {
    let pending = '';
    let authenticated = false;
    let me = '';
    const answer = (stanza: string): string => {
      const id = /\bid="([^"]*)"/.exec(stanza)?.[1] ?? '';
      const to = /\bto="([^"]*)"/.exec(stanza)?.[1] ?? '';
      if (stanza.startsWith('<message')) {
        count += 1;
        heard(stanza);
        const archived = `<stanza-id xmlns='urn:xmpp:sid:0' by='${to}' id='${1_700_000_000_000_000 + count}'/>`;
        return `${stanza.replace(`to="${to}"`, `from="${me}"`).slice(0, -'</message>'.length)}${archived}</message>`;
      }
      if (stanza.startsWith('<presence')) {
        me = to;
        const [room = ''] = to.split('/');
        sayTo = (text) => {
          count += 1;
          const id = `<stanza-id xmlns='urn:xmpp:sid:0' by='${room}' id='${1_700_000_000_000_000 + count}'/>`;
          socket.write(`<message type='groupchat' from='${room}/Tari'><body>${text}</body>${id}</message>`);
        };
        const item = `<x xmlns='http://jabber.org/protocol/muc#user'><item affiliation='none' role='participant'/><status code='110'/></x>`;
        return `<presence from='${to}'>${item}</presence><message type='groupchat' from='${to.split('/')[0]}'><subject/></message>`;
      }
      if (stanza.startsWith('<auth')) {
        authenticated = true;
        return `<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>`;
      }
      if (stanza.includes('xmpp-bind'))
        return `<iq type='result' id='${id}'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>webridge@bench.test/r</jid></bind></iq>`;
      const from = to === '' ? '' : ` from='${to}'`;
      return `<iq type='result' id='${id}'${from}>${stanza.includes('urn:xmpp:mam:2') ? EMPTY_ARCHIVE : ''}</iq>`;
    };
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    socket.setEncoding('utf8').on('data', (text: string) => {
      pending += text;
      let out = '';
      for (;;) {
        const stanza = firstStanza(pending);
        if (stanza === undefined) break;
        pending = pending.slice(stanza.length);
        if (stanza.includes('<stream:stream'))
          out += `${STREAM}<stream:features>${authenticated ? BIND : LOGIN}</stream:features>`;
        else if (stanza.startsWith('</')) socket.end('</stream:stream>');
        else out += answer(stanza);
      }
      if (out !== '') socket.write(out);
    });
  };
  const server = createServer(serve);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    count: () => count,
    say: (text) => sayTo(text),
    close: () => void server.close(),
  };
}

/** The first whole stanza, or the head of a stream; undefined while it is not all there. */
function firstStanza(text: string): string | undefined {
  const head = /^(?:<\?xml[^>]*\?>)?<(\/?[a-z:]+)[^>]*>/.exec(text);
  if (head?.[1] === undefined) return undefined;
  if (head[1] === 'stream:stream' || head[1].startsWith('/') || head[0].endsWith('/>')) return head[0];
  const close = `</${head[1]}>`;
  const end = text.indexOf(close, head[0].length);
  return end === -1 ? undefined : text.slice(0, end + close.length);
}
