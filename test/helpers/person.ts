/**
 * A chatting person for tests: a small XMPP client of its own (no code of src, no library), so that what the product
 * says is judged by somebody else. Joins a room and remembers every line.
 *
 *   const tari = await enterRoom(stack, 'Tari');          // logs in with the member's session id, joins as Tari
 *   tari.say('hello'); await tari.heard((line) => line.body === 'hello');
 *   tari.lines  tari.occupants  tari.leave()
 */
import { connect, type Socket } from 'node:net';
import { StringDecoder } from 'node:string_decoder';
import type { Stack } from '../../src/edges/stack/types.ts';
import { until } from './until.ts';

export type HeardLine = {
  readonly nick: string;
  readonly body: string;
  readonly id: string;
  readonly stanzaId: string;
  readonly xml: string;
};

export type Person = {
  readonly nick: string;
  readonly jid: string;
  /** Every line of the room in order of arrival, our own too, history not. */
  readonly lines: readonly HeardLine[];
  readonly occupants: ReadonlySet<string>;
  /** Everything received, for what has no accessor. */
  received(): string;
  say(body: string, id?: string): void;
  /** Raw XML, for what no person should send. */
  send(xml: string): void;
  /** Waits for a line. */
  heard(match: (line: HeardLine) => boolean, deadline?: number): Promise<HeardLine>;
  leave(): void;
  readonly socket: Socket;
};

/** What is refused says why: `not-authorized` at login, a presence error (`conflict`, `forbidden` …) at the join. */
export class Refused extends Error {}

/** Localpart of a name: XEP-0106 escaping, then lower case; enough for the sample members. */
export function localpartOf(name: string): string {
  const codes: Record<string, string> = {
    ' ': '20',
    '"': '22',
    '&': '26',
    "'": '27',
    '/': '2f',
    ':': '3a',
    '<': '3c',
    '>': '3e',
    '@': '40',
  };
  return name
    .replaceAll(/\\(?=20|22|26|27|2f|3a|3c|3e|40|5c)/g, '\\5c')
    .replaceAll(/[ "&'/:<>@]/g, (character) => `\\${codes[character]}`)
    .toLowerCase()
    .replaceAll('ß', 'ss');
}

const escaped = (text: string): string =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll("'", '&apos;')
    .replaceAll('"', '&quot;');

const unescaped = (xml: string): string =>
  xml
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&apos;', "'")
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&');

const attribute = (xml: string, name: string): string =>
  unescaped(
    new RegExp(`^<[^>]*?\\s${name}=(?:'([^']*)'|"([^"]*)")`)
      .exec(xml)
      ?.slice(1)
      .find((value) => value !== undefined) ?? '',
  );

/** Logs a member in by session id (or `secret`) and joins the stack's room (or `room`) under his name (or `nick`). */
export async function enterRoom(
  stack: Pick<Stack, 'ejabberd' | 'domain' | 'room' | 'member'>,
  name: string,
  options: { secret?: string; nick?: string; room?: string; localpart?: string } = {},
): Promise<Person> {
  const nick = options.nick ?? name;
  const room = options.room ?? stack.room;
  const secret = options.secret ?? stack.member(name).session.sid;
  const user = options.localpart ?? localpartOf(name);
  const socket = connect(stack.ejabberd.port, '127.0.0.1');
  socket.setNoDelay(true);
  const decoder = new StringDecoder('utf8');
  let all = '';
  let pending = '';
  let closed = false;
  const lines: HeardLine[] = [];
  const occupants = new Set<string>();
  let take = false;
  socket.on('data', (chunk) => {
    const text = decoder.write(chunk);
    all += text;
    pending += text;
    if (take) parse();
  });
  socket.on('error', () => undefined);
  socket.on('close', () => {
    closed = true;
  });

  function parse(): void {
    for (;;) {
      const match = /<(message|presence|iq)\b(?:[^>]*\/>|[^>]*>[\s\S]*?<\/\1>)/.exec(pending);
      if (match === null) return;
      const [xml, kind] = match;
      pending = pending.slice(match.index + xml.length);
      const from = attribute(xml, 'from');
      if (!from.startsWith(`${room}/`)) continue;
      const who = from.slice(room.length + 1);
      if (kind === 'presence') {
        if (attribute(xml, 'type') === 'unavailable') occupants.delete(who);
        else if (attribute(xml, 'type') === '') occupants.add(who);
      }
      const body = /<body[^>]*>([\s\S]*?)<\/body>/.exec(xml)?.[1];
      if (kind === 'message' && attribute(xml, 'type') === 'groupchat' && body !== undefined && !/<delay\b/.test(xml))
        lines.push({
          nick: who,
          body: unescaped(body),
          id: attribute(xml, 'id'),
          stanzaId: /<stanza-id[^>]* id=['"](\d+)['"]/.exec(xml)?.[1] ?? '',
          xml,
        });
    }
  }
  const expectText = async (pattern: RegExp, refusal?: RegExp): Promise<void> => {
    await until(
      () => pattern.test(pending) || refusal?.test(pending) || closed,
      () => `${name} waited for ${pattern}, got ${pending.slice(-800)}`,
    );
    if (!pattern.test(pending)) {
      socket.destroy();
      throw new Refused(pending.slice(-800) || 'closed');
    }
  };
  const header = `<stream:stream to='${stack.domain}' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>`;
  socket.write(header);
  await expectText(/<\/stream:features>/);
  pending = '';
  const plain = Buffer.from(`\0${user}\0${secret}`).toString('base64');
  socket.write(`<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>${plain}</auth>`);
  await expectText(/<success\b/, /<failure\b/);
  pending = '';
  socket.write(header);
  await expectText(/<\/stream:features>/);
  pending = '';
  socket.write(`<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>`);
  await expectText(/<jid>([^<]+)<\/jid>/);
  const jid = unescaped(/<jid>([^<]+)<\/jid>/.exec(pending)?.[1] ?? '');
  pending = '';
  const to = escaped(`${room}/${nick}`);
  socket.write(
    `<presence to='${to}'><x xmlns='http://jabber.org/protocol/muc'><history maxstanzas='0'/></x></presence>`,
  );
  await expectText(/<subject\b/, /<presence\b[^>]*type='error'/);
  take = true;
  parse();
  return {
    nick,
    jid,
    lines,
    occupants,
    socket,
    received: () => all,
    say(body, id = `t${Math.random().toString(36).slice(2)}`) {
      socket.write(
        `<message type='groupchat' to='${escaped(room)}' id='${id}'><body>${escaped(body)}</body></message>`,
      );
    },
    send: (xml) => void socket.write(xml),
    heard: (match, deadline) =>
      until(
        () => lines.find(match),
        () => `${name} did not hear it; heard ${JSON.stringify(lines.map(({ nick, body }) => [nick, body]))}`,
        deadline,
      ),
    leave() {
      socket.end('</stream:stream>');
      socket.destroySoon();
    },
  };
}
