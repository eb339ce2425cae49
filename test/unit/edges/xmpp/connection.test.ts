import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ChatSession, RoomEvents, RoomLine } from '../../../../src/app/ports/chat.ts';
import { connectXmpp } from '../../../../src/edges/xmpp/connection.ts';
import { fakeLog } from '../../../helpers/fake-log.ts';
import { type PeerConnection, startXmppPeer, type XmppPeer } from '../../../helpers/xmpp-peer.ts';

const ROOM = 'sax@conference.chat.test';
let peer: XmppPeer;

beforeEach(async () => {
  peer = await startXmppPeer();
});
afterEach(async () => {
  await peer.close();
});

function connect(extra: { password?: string; deadlineMs?: number; jid?: string } = {}): Promise<ChatSession> {
  return connectXmpp({
    service: `xmpp://127.0.0.1:${peer.port}`,
    jid: 'bot@chat.test',
    password: 'secret',
    resource: 'saxctl-test',
    log: fakeLog(),
    now: () => 1_700_000_000_000,
    ...extra,
  });
}

async function online(): Promise<{ session: ChatSession; server: PeerConnection }> {
  const connecting = connect();
  const server = await peer.accept();
  await server.login();
  return { session: await connecting, server };
}

function recorder(): RoomEvents & { lines: RoomLine[]; log: string[] } {
  const lines: RoomLine[] = [];
  const log: string[] = [];
  return {
    lines,
    log,
    line: (line) => void lines.push(line),
    subject: (subject) => void log.push(`subject ${subject}`),
    present: (occupant, first) => void log.push(`present ${occupant.nick} ${first}`),
    absent: (occupant, { newNick, reason }) =>
      void log.push(`absent ${occupant.nick} ${newNick ?? '-'} ${reason ?? '-'}`),
    refused: (id, condition, text) => void log.push(`refused ${id} ${condition} ${text}`),
    left: (why) => void log.push(`left ${why.kind} ${why.reason}`),
  };
}

/** Waits until everything that the server sent before has been handled. */
async function barrier(session: ChatSession, server: PeerConnection): Promise<void> {
  const ping = session.ping();
  const request = await server.expect(/<iq type="get" id="([^"]+)" to="chat.test"><ping/);
  server.send(`<iq type='result' id='${request[1]}' from='chat.test' to='bot@chat.test/res'/>`);
  await ping;
}

async function inRoom() {
  const { session, server } = await online();
  const events = recorder();
  const entering = session.enter(ROOM, 'relay', events);
  await server.admit(ROOM, ['alice']);
  return { session, server, events, room: await entering };
}

test('logs in by PLAIN with our resource, without stream management, UTF-8 kept', async () => {
  const connecting = connect({ password: 'pässwörd€', jid: 'bót@chat.test' });
  const server = await peer.accept();
  expect(await server.login()).toBe('\0bót\0pässwörd€');
  const session = await connecting;
  expect(session.jid).toBe('bot@chat.test/res');
  await barrier(session, server);
  expect(server.pending()).not.toContain('enable');
});

test('a wrong password is a permanent refusal', async () => {
  const connecting = connect();
  const server = await peer.accept();
  const failed = expect(connecting).rejects.toMatchObject({
    exit: 77,
    message: expect.stringContaining('not-authorized'),
  });
  await server.login({ fail: 'not-authorized' });
  await failed;
  await server.closed;
});

test('a server that accepts and is silent is given up', async () => {
  await expect(connect({ deadlineMs: 200 })).rejects.toMatchObject({ exit: 69 });
  const server = await peer.accept();
  await server.closed;
});

test('nobody listening is an error, not a crash', async () => {
  const { port } = peer;
  await peer.close();
  await expect(connect()).rejects.toThrow(`cannot connect to 127.0.0.1:${port}: connect ECONNREFUSED`);
  peer = await startXmppPeer();
});

test('characters cut between segments arrive whole', async () => {
  const { server, events, session } = await inRoom();
  const bytes = Buffer.from(
    `<message type='groupchat' from='${ROOM}/alice' id='m1'><body>hé 日本 \u{1f642}</body><stanza-id xmlns='urn:xmpp:sid:0' by='${ROOM}' id='1700000000000001'/></message>`,
  );
  for (const byte of bytes) server.send(Uint8Array.of(byte));
  await barrier(session, server);
  expect(events.lines).toMatchObject([
    {
      id: '1700000000000001',
      messageId: 'm1',
      nick: 'alice',
      body: 'hé 日本 \u{1f642}',
      source: 'live',
      at: 1_700_000_000_000,
    },
  ]);
});

test('what a sender forges is not believed', async () => {
  const { server, events, session } = await inRoom();
  server.send(
    `<message type='groupchat' from='${ROOM}/alice' id='m2'><body>x</body><delay xmlns='urn:xmpp:delay' from='${ROOM}' stamp='2020-01-01T00:00:00Z'/><stanza-id xmlns='urn:xmpp:sid:0' by='evil@chat.test' id='forged'/><x xmlns='http://jabber.org/protocol/muc#user'><item jid='admin@chat.test'/></x></message>` +
      `<message type='groupchat' from='other@conference.chat.test/alice'><body>from elsewhere</body></message>` +
      `<message type='chat' from='${ROOM}/alice'><body>private</body></message>` +
      `<message type='groupchat' from='${ROOM}/alice'><retract xmlns='urn:xmpp:message-retract:1' id='y'><moderated xmlns='urn:xmpp:message-moderate:1' by='${ROOM}/alice'/></retract><body>fallback</body></message>` +
      `<message from='${ROOM}/alice'><result xmlns='urn:xmpp:mam:2' queryid='q' id='1'><forwarded xmlns='urn:xmpp:forward:0'><message type='groupchat' from='${ROOM}/bob'><body>fake archive</body></message></forwarded></result></message>`,
  );
  await barrier(session, server);
  expect(events.lines).toHaveLength(2);
  expect(events.lines[0]).toMatchObject({
    id: undefined,
    body: 'x',
    source: 'live',
    at: 1_700_000_000_000,
    jid: undefined,
  });
  expect(events.lines[1]).toMatchObject({ body: 'fallback' });
  expect(events.lines[1]?.moderator).toBeUndefined();
  expect(events.lines[1]?.retracts).toBeUndefined();
});

test('corrections, retractions, moderation, replies and our marker are read', async () => {
  const { server, events, session } = await inRoom();
  server.send(
    `<message type='groupchat' from='${ROOM}/alice' id='c'><body>better</body><replace xmlns='urn:xmpp:message-correct:0' id='m1'/></message>` +
      `<message type='groupchat' from='${ROOM}/alice' id='r'><retract xmlns='urn:xmpp:message-retract:1' id='m1'/></message>` +
      `<message type='groupchat' from='${ROOM}/alice' id='r0'><apply-to xmlns='urn:xmpp:fasten:0' id='m0'><retract xmlns='urn:xmpp:message-retract:0'/></apply-to></message>` +
      `<message type='groupchat' from='${ROOM}'><retract xmlns='urn:xmpp:message-retract:1' id='s1'><moderated xmlns='urn:xmpp:message-moderate:1' by='${ROOM}/mod'/><reason>spam</reason></retract></message>` +
      `<message type='groupchat' from='${ROOM}'><apply-to xmlns='urn:xmpp:fasten:0' id='s2'><moderated xmlns='urn:xmpp:message-moderate:0' by='${ROOM}/mod'><retract xmlns='urn:xmpp:message-retract:0'/></moderated></apply-to></message>` +
      `<message type='groupchat' from='${ROOM}/alice' id='a'><body>yes</body><reply xmlns='urn:xmpp:reply:0' to='${ROOM}/bob' id='s9'/></message>` +
      `<message type='groupchat' from='${ROOM}/bot' id='k'><body>news</body><sax xmlns='urn:saxctl:line:0' kind='announcement'/></message>`,
  );
  await barrier(session, server);
  expect(events.lines).toMatchObject([
    { body: 'better', replaces: 'm1' },
    { retracts: 'm1', body: '' },
    { retracts: 'm0' },
    { retracts: 's1', moderator: 'mod' },
    { retracts: 's2', moderator: 'mod' },
    { body: 'yes', replyTo: 's9' },
    { body: 'news', kind: 'announcement' },
  ]);
});

test('what is said is safe XML, with id, origin-id and marker', async () => {
  const { server, room } = await inRoom();
  room.say({ id: 'u1', body: 'a<b>&\x00\x02\r\n\ud800', kind: 'irc' });
  const said = await server.expect(/<message [^>]*id="u1".*?<\/message>/s);
  expect(said[0]).toContain('<body>a&lt;b&gt;&amp;\n\ufffd</body>');
  expect(said[0]).toContain('<origin-id xmlns="urn:xmpp:sid:0" id="u1"/>');
  expect(said[0]).toContain('<sax xmlns="urn:saxctl:line:0" kind="irc"/>');
});

test('join asks for no history; a taken nickname is a refusal', async () => {
  const { session, server } = await online();
  const entering = session.enter(ROOM, 'relay', recorder());
  const join = await server.expect(/<presence .*?<\/presence>/);
  expect(join[0]).toContain('maxstanzas="0"');
  const refused = expect(entering).rejects.toMatchObject({ condition: 'conflict' });
  server.send(
    `<presence type='error' from='${ROOM}/relay'><error type='cancel'><conflict xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/><text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>That nickname is registered by another person</text></error></presence>`,
  );
  await refused;
  const again = session.enter(ROOM, 'relay_', recorder());
  await server.admit(ROOM);
  expect((await again).nick).toBe('relay_');
});

test('the nickname is what the room says it is', async () => {
  const { session, server } = await online();
  const entering = session.enter(ROOM, 'Relay', recorder());
  await server.expect(/<presence /);
  server.send(
    `<presence from='${ROOM}/relay'><x xmlns='http://jabber.org/protocol/muc#user'><item affiliation='none' role='participant'/><status code='210'/><status code='110'/></x></presence>`,
  );
  expect((await entering).nick).toBe('relay');
});

test('join history carries its own time and ends with the subject', async () => {
  const { session, server } = await online();
  const events = recorder();
  const entering = session.enter(ROOM, 'relay', events, { historyStanzas: 5 });
  await server.expect(/<presence /);
  const message = (id: string) =>
    `<message type='groupchat' from='${ROOM}/alice'><body>${id}</body><delay xmlns='urn:xmpp:delay' from='${ROOM}' stamp='2023-11-14T22:13:20Z'/><stanza-id xmlns='urn:xmpp:sid:0' by='${ROOM}' id='${id}'/></message>`;
  server.send(
    `<presence from='${ROOM}/relay'><x xmlns='http://jabber.org/protocol/muc#user'><item affiliation='none' role='participant'/><status code='110'/></x></presence>${message('1600000000000000')}${message('x')}<message type='groupchat' from='${ROOM}'><subject>welcome</subject></message>${message('y')}`,
  );
  await entering;
  await barrier(session, server);
  expect(events.lines.map(({ source, at }) => [source, at])).toEqual([
    ['history', 1_600_000_000_000],
    ['history', 1_700_000_000_000],
    ['live', 1_700_000_000_000],
  ]);
  expect(events.log).toContain('subject welcome');
});

test.each([
  [
    `<item affiliation='none' role='none'><actor nick='op'/><reason>spam</reason></item><status code='307'/>`,
    'left refused kicked from the room by "op": "spam"',
  ],
  [`<item affiliation='outcast' role='none'/><status code='301'/>`, 'left refused banned from the room'],
  [`<item affiliation='none' role='none'/><status code='322'/>`, 'left refused the room became members-only'],
  [`<item affiliation='none' role='none'/><status code='321'/>`, 'left refused our affiliation was taken away'],
  [`<item affiliation='none' role='none'/><status code='332'/>`, 'left server the chat service shuts down'],
  [
    `<item affiliation='none' role='none'/><status code='333'/><status code='307'/>`,
    'left server removed from the room by a fault of the connection',
  ],
  [
    `<item affiliation='none' role='none'/><destroy jid='x@y'><reason>gone</reason></destroy>`,
    'left server the room was destroyed: "gone"',
  ],
])('removal is told: %s', async (inside, expected) => {
  const { session, server, events } = await inRoom();
  server.send(
    `<presence type='unavailable' from='${ROOM}/relay'><x xmlns='http://jabber.org/protocol/muc#user'>${inside}<status code='110'/></x></presence>`,
  );
  await barrier(session, server);
  expect(events.log.at(-1)).toBe(expected);
  const again = session.enter(ROOM, 'relay', events);
  await server.admit(ROOM);
  expect((await again).nick).toBe('relay');
});

test('occupants come, change their nickname and go; ours is followed', async () => {
  const { session, server, events, room } = await inRoom();
  const user = (who: string, type: string, inside: string) =>
    `<presence${type} from='${ROOM}/${who}'><x xmlns='http://jabber.org/protocol/muc#user'>${inside}</x></presence>`;
  server.send(
    user('alice', ` type='unavailable'`, `<item nick='alicia'/><status code='303'/>`) +
      user('alicia', '', `<item affiliation='none' role='participant' jid='alice@chat.test/x'/>`) +
      user('relay', ` type='unavailable'`, `<item nick='relais'/><status code='303'/><status code='110'/>`) +
      user('relais', '', `<item affiliation='none' role='participant'/><status code='110'/>`) +
      user('alicia', ` type='unavailable'`, `<item/>`),
  );
  await barrier(session, server);
  expect(events.log.slice(-5)).toEqual([
    'absent alice alicia -',
    'present alicia true',
    'absent relay relais -',
    'present relais true',
    'absent alicia - -',
  ]);
  expect(room.nick).toBe('relais');
});

test('the room’s own presence is nobody', async () => {
  const { session, server, events, room } = await inRoom();
  const before = room.occupants().length;
  const told = events.log.length;
  // Since 20.x ejabberd sends one of the room itself: its capabilities, its picture.
  server.send(
    `<presence from='${ROOM}'><x xmlns='vcard-temp:x:update'><photo/></x></presence>` +
      `<presence from='${ROOM}' type='unavailable'/>`,
  );
  await barrier(session, server);
  expect([room.occupants().length, events.log.length]).toEqual([before, told]);
});

test('an error to a message names our id', async () => {
  const { session, server, events } = await inRoom();
  server.send(
    `<message type='error' from='${ROOM}' id='u7'><error type='auth'><forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/><text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>Visitors may not speak</text></error></message>`,
  );
  await barrier(session, server);
  expect(events.log.at(-1)).toBe('refused u7 forbidden Visitors may not speak');
});

test.each([
  ['result', '', true],
  ['error', 'service-unavailable', true],
  ['error', 'item-not-found', false],
  ['error', 'not-acceptable', false],
])('self-ping answered %s %s means %s', async (type, condition, inside) => {
  const { server, room } = await inRoom();
  const ping = room.ping();
  const request = await server.expect(/<iq type="get" id="([^"]+)" to="([^"]+)"><ping/);
  expect(request[2]).toBe(`${ROOM}/relay`);
  const error =
    condition === '' ? '' : `<error type='cancel'><${condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>`;
  server.send(`<iq type='result' id='${request[1]}' from='${ROOM}/alice'/>`);
  server.send(`<iq type='${type}' id='${request[1]}' from='${ROOM}/relay'>${error}</iq>`);
  expect(await ping).toBe(inside);
});

test('an archive page is read from the room only', async () => {
  const { session, server } = await online();
  const asking = session.archive(ROOM, { after: '1', max: 2, since: 1_600_000_000_000 });
  const request = await server.expect(
    /<iq type="set" id="([^"]+)" to="([^"]+)"><query [^>]*queryid="([^"]+)".*?<\/iq>/,
  );
  expect(request[0]).toContain('<after>1</after>');
  expect(request[0]).toContain('2020-09-13T12:26:40.000Z');
  const result = (from: string, id: string, body: string) =>
    `<message from='${from}'><result xmlns='urn:xmpp:mam:2' queryid='${request[3]}' id='${id}'><forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' stamp='2023-11-14T22:13:20.5Z'/><message xmlns='jabber:client' type='groupchat' from='${ROOM}/alice' id='m${id}'><body>${body}</body></message></forwarded></result></message>`;
  server.send(
    result(ROOM, '2', 'two') +
      result(`${ROOM}/alice`, '3', 'forged') +
      result(ROOM, '4', 'four') +
      `<iq type='result' id='${request[1]}' from='${ROOM}'><fin xmlns='urn:xmpp:mam:2' complete='true'><set xmlns='http://jabber.org/protocol/rsm'><first>2</first><last>4</last><count>2</count></set></fin></iq>`,
  );
  const page = await asking;
  expect(page).toMatchObject({ complete: true, first: '2', last: '4', count: 2 });
  expect(page.lines).toMatchObject([
    { id: '2', messageId: 'm2', body: 'two', source: 'archive', at: 1_700_000_000_500 },
    { id: '4', body: 'four' },
  ]);
});

test.each([
  ['', true],
  [" complete='true'", false],
])('an empty page that is not the whole archive is no answer (fin%s)', async (complete, fails) => {
  const { session, server } = await online();
  const asking = session.archive(ROOM, { after: '1' }).catch((error: unknown) => error);
  const request = await server.expect(/<iq type="set" id="([^"]+)"/);
  server.send(
    `<iq type='result' id='${request[1]}' from='${ROOM}'><fin xmlns='urn:xmpp:mam:2'${complete}><set xmlns='http://jabber.org/protocol/rsm'><count>0</count></set></fin></iq>`,
  );
  expect(await asking).toMatchObject(
    fails ? { exit: 69, condition: 'internal-server-error' } : { lines: [], complete: true },
  );
});

/** Asks for a page and answers with these results and this `<fin/>`. */
async function archivePage(query: { after?: string; before?: string }, ids: readonly string[], fin: string) {
  const { session, server } = await online();
  const asking = session.archive(ROOM, query).catch((error: unknown) => error);
  const request = await server.expect(/<iq type="set" id="([^"]+)".*?queryid="([^"]+)"/);
  const results = ids.map(
    (id) =>
      `<message from='${ROOM}'><result xmlns='urn:xmpp:mam:2' queryid='${request[2]}'${id === '' ? '' : ` id='${id}'`}><forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' type='groupchat' from='${ROOM}/alice'><body>x</body></message></forwarded></result></message>`,
  );
  server.send(`${results.join('')}<iq type='result' id='${request[1]}' from='${ROOM}'>${fin}</iq>`);
  return asking;
}
const finOf = (set: string, complete = ''): string =>
  `<fin xmlns='urn:xmpp:mam:2'${complete}><set xmlns='http://jabber.org/protocol/rsm'>${set}</set></fin>`;

test.each([
  [{ after: '2' }, ['1', '2'], finOf('<first>1</first><last>2</last>')],
  [{ before: '1' }, ['1', '2'], finOf('<first>1</first><last>2</last>')],
  [{ after: '2' }, ['1', '2'], finOf('')],
])('an archive that gives the page %j again is not asked for ever', async (query, ids, fin) => {
  expect(await archivePage(query, ids, fin)).toMatchObject({ exit: 69, message: expect.stringContaining('same page') });
});

test.each([
  ['', '', { complete: false, first: '3', last: '4' }],
  ['<first/><last></last>', '', { complete: false, first: '3', last: '4' }],
  ['<first>3</first><last>4</last>', " complete='1'", { complete: true, first: '3', last: '4' }],
])(
  'the ends of a page are known when %j does not name them; an xs:boolean is read as one',
  async (set, complete, page) => {
    expect(await archivePage({ after: '2' }, ['3', '4', ''], finOf(set, complete))).toMatchObject(page);
  },
);

test('an archive id tells the time, also after 2033', async () => {
  const page = await archivePage({}, ['2000000000000000'], finOf('', " complete='true'"));
  expect(page).toMatchObject({ lines: [{ at: 2_000_000_000_000 }] });
});

test('a conflict while we log in says that it is one', async () => {
  const connecting = connect().catch((error: unknown) => error);
  const server = await peer.accept();
  await server.login({
    jid: `bot@chat.test/res</jid></bind></iq><stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error><iq><bind><jid>x`,
  });
  expect(await connecting).toMatchObject({ exit: 75, message: expect.stringContaining('another login') });
});

test('a conflict is final, and the room hears of it', async () => {
  const { session, server, events } = await inRoom();
  server.send(`<stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>`);
  expect(await session.closed).toMatchObject({ kind: 'conflict', permanent: true });
  expect(events.log.at(-1)).toMatch(/^left conflict /);
  await server.closed;
  await expect(session.ping()).rejects.toThrow('connection lost');
});

test.each([
  [`<stream:error><system-shutdown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>`, 'server'],
  ['</stream:stream>', 'server'],
  ['<not-xml &&&', 'protocol'],
  ['<a></b>', 'network'],
])('the stream ends by %s', async (text, kind) => {
  const { session, server } = await inRoom();
  server.send(text);
  if (kind === 'protocol') server.socket.end();
  const why = await session.closed;
  expect(why.permanent).toBe(false);
  expect(['server', 'network', 'protocol']).toContain(why.kind);
  await server.closed;
});

test('a lost connection, an abandoned one and a closed one all settle', async () => {
  const first = await online();
  first.server.socket.destroy();
  expect((await first.session.closed).kind).toBe('network');
  const second = await online();
  second.session.abandon({ kind: 'network', reason: 'silent', permanent: false });
  expect((await second.session.closed).reason).toBe('silent');
  await second.server.closed;
  const third = await online();
  const closing = third.session.close();
  await third.server.expect(/<\/stream:stream>/);
  third.server.send('</stream:stream>');
  third.server.socket.end();
  await closing;
  expect((await third.session.closed).kind).toBe('closed');
});

test('a peer that never answers a ping is noticed', async () => {
  const { session } = await online();
  await expect(session.ping(50)).rejects.toThrow('no answer within 0.05 s');
});
