import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { Stack } from '../../src/edges/stack/types.ts';
import { enterChannel, type IrcPerson } from '../helpers/irc-person.ts';
import { enterRoom, type Person } from '../helpers/person.ts';
import { type RunningSaxctl, startSaxctl, startTestStack } from '../helpers/stack.ts';
import { until } from '../helpers/until.ts';

const FLOOD_LINES = process.env['SAXCTL_LONG'] === undefined ? 60 : 500;

let stack: Stack;
let bridge: RunningSaxctl | undefined;
const people: { leave?(): void; quit?(): void }[] = [];

beforeAll(async () => {
  stack = await startTestStack({ parts: ['mariadb', 'ejabberd', 'irc1', 'irc2', 'ngircd'], tls: true });
  const alice = stack.member('alice');
  flood = Promise.all([
    pasteBurst('irc1', stack.bots.webridge),
    // As Debian configures it: lines are confirmed by PONG only.
    pasteBurst('irc2', { jid: `alice@${stack.domain}`, password: alice.session.sid }),
    pasteBurst('ngircd', stack.bots.guard),
  ]);
  flood.catch(() => undefined);
}, 90_000);
afterAll(() => stack?.stop());
afterEach(async () => {
  for (const one of people.splice(0)) {
    one.leave?.();
    one.quit?.();
  }
  await bridge?.kill();
  bridge = undefined;
});

type Flood = { readonly arrived: readonly string[]; readonly expected: readonly string[]; readonly log: string };
let flood: Promise<readonly Flood[]>;

/** A burst pasted in a room of its own, for a bridge of its own: at one line a second it takes as long as all other tests. */
async function pasteBurst(
  server: 'irc1' | 'irc2' | 'ngircd',
  account: { readonly jid: string; readonly password: string },
): Promise<Flood> {
  const channel = `#flood-${server}`;
  const address = `flood-${server}@${stack.mucService}`;
  await makeRoom(`flood-${server}`);
  const burst = startSaxctl(stack, ['ircbridge'], {
    env: {
      SAXCTL_STATE_DIR: join(stack.stateDir, `flood-${server}`),
      SAXCTL_IRCBRIDGE_JID: account.jid,
      SAXCTL_IRCBRIDGE_PASSWORD: account.password,
      SAXCTL_IRC_NICK: 'burst',
      SAXCTL_IRC_SERVERS: `irc://127.0.0.1:${stack[server].directPort}`,
      SAXCTL_IRC_CHANNEL: channel,
      SAXCTL_XMPP_ROOM: address,
    },
  });
  const lines = Array.from({ length: FLOOD_LINES }, (_value, index) => `line ${index + 1} ${'x'.repeat(40)}`);
  try {
    await burst.logged(/"event":"ready"/, 60_000);
    const speaker = await enterRoom(stack, 'Tari', { room: address });
    const reader = await enterChannel(stack[server].directPort, 'reader', channel);
    speaker.say(lines.join('\n'));
    const arrived = () => reader.lines.filter(({ nick }) => nick === 'burst').map(({ text }) => text);
    await until(
      () => arrived().length >= lines.length,
      () => `${arrived().length} arrived`,
      FLOOD_LINES * 1500 + 30_000,
    );
    speaker.leave();
    reader.quit();
    return { arrived: arrived(), expected: lines.map((line) => `<Tari> ${line}`), log: burst.stderr() };
  } finally {
    await burst.kill();
  }
}

async function makeRoom(name: string): Promise<void> {
  const options = ['persistent', 'mam'].map((option) => ({ name: option, value: 'true' }));
  await stack.api('create_room_with_opts', { name, service: stack.mucService, host: stack.domain, options });
}

let runs = 0;
/** A bridge with a state of its own and the given changes of the configuration, in the environment. */
async function start(env: Record<string, string> = {}, ready = true): Promise<RunningSaxctl> {
  runs += 1;
  bridge = startSaxctl(stack, ['ircbridge'], {
    env: {
      SAXCTL_STATE_DIR: join(stack.stateDir, `run-${runs}`),
      SAXCTL_IRC_SERVERS: `irc://127.0.0.1:${stack.irc1.port}`,
      ...env,
    },
  });
  if (ready) await bridge.logged(/"event":"ready"/, 60_000);
  return bridge;
}
async function inRoom(name: string, options: Parameters<typeof enterRoom>[2] = {}): Promise<Person> {
  const person = await enterRoom(stack, name, options);
  people.push(person);
  return person;
}
async function onIrc(nick: string, port = stack.irc1.port, channel = stack.channel): Promise<IrcPerson> {
  const person = await enterChannel(port, nick, channel);
  people.push(person);
  return person;
}
const relayed = (person: IrcPerson) => person.lines.filter(({ nick }) => /^sax_*$/.test(nick));

test('text both ways: actions, styling, long and several lines, corrections, odd bytes, hostile ones', async () => {
  await start();
  const [tari, eve] = [await inRoom('Tari'), await onIrc('eve')];
  const before = eve.raw.length;
  tari.say('hello *bold* <&> 日本 🎉');
  await eve.heard(({ text }) => text === '<Tari> hello \x02bold\x02 <&> 日本 🎉');
  tari.say('/me waves');
  await eve.heard(({ text }) => text === '\x01ACTION Tari waves\x01');
  tari.say('one\ntwo\r\nQUIT :pwned');
  await eve.heard(({ text }) => text === '<Tari> QUIT :pwned');
  tari.say(`long ${'wörd '.repeat(200)}end`);
  const end = await eve.heard(({ text }) => text.endsWith('end'));
  const pieces = relayed(eve).filter(({ text }) => /wörd/.test(text));
  expect(pieces.map(({ text }) => text.slice('<Tari> '.length)).join('')).toBe(`long ${'wörd '.repeat(200)}end`);
  expect(end.text.startsWith('<Tari> ')).toBe(true);
  for (const line of eve.raw) expect(Buffer.byteLength(line.replace(/^@\S+ /, ''))).toBeLessThanOrEqual(510);
  const to = `<message type='groupchat' to='${stack.room}'`;
  tari.send(`${to} id='fix'><body>hallo</body><replace xmlns='urn:xmpp:message-correct:0' id='x'/></message>`);
  await eve.heard(({ text }) => text === '* Tari meant: hallo');
  tari.send(
    `${to} id='ans'><body>sure</body><reply xmlns='urn:xmpp:reply:0' id='fix' to='${stack.room}/Tari'/></message>`,
  );
  await eve.heard(({ text }) => text === '<Tari> > T\u2060ari: hallo');
  await eve.heard(({ text }) => text === '<Tari> sure');
  tari.send(`${to} id='back'><retract xmlns='urn:xmpp:message-retract:1' id='ans'/><body>(fallback)</body></message>`);
  await eve.heard(({ text }) => text === '* Tari took back: sure');
  expect(eve.raw.slice(before).filter((line) => /^:?sax\S* (QUIT|PART|NICK|JOIN)/.test(line))).toEqual([]);

  eve.say('\x02bold\x02 and \x0304,12colour\x03');
  await tari.heard(({ body }) => body === '<eve> *bold* and colour');
  eve.say('\x01ACTION waves back\x01');
  await tari.heard(({ body }) => body === '* eve waves back');
  eve.socket.write(Buffer.from(`PRIVMSG ${stack.channel} :caf\xe9 \x93q\x94\r\n`, 'latin1'));
  await tari.heard(({ body }) => body === '<eve> café “q”');
  eve.say('ctrl \x07\x1b[31m \x01 & <b> ]]>');
  await tari.heard(({ body }) => body === '<eve> ctrl [31m  & <b> ]]>');
  const line = await tari.heard(({ body }) => body.includes('waves back'));
  expect(line.xml).toMatch(/<sax (?=[^>]*kind='irc')[^>]*xmlns='urn:saxctl:line:0'[^>]*\/>/);
});

test('rules: ignored, marked, namesakes, commands said aloud, announcements', async () => {
  await start({ SAXCTL_IRCBRIDGE_IGNORE: 'Bob Smith,spammer' });
  const [tari, bob] = [await inRoom('Tari'), await inRoom('Bob Smith')];
  const [eve, spammer, namesake] = [await onIrc('eve'), await onIrc('spammer'), await onIrc('Tari')];
  const marked = (body: string, kind: string) =>
    `<message type='groupchat' to='${stack.room}'><body>${body}</body><sax xmlns='urn:saxctl:line:0' kind='${kind}'/></message>`;
  bob.say('ignored in the room');
  tari.send(marked('from another bridge', 'irc'));
  tari.send(marked('forged', 'announcement'));
  tari.say('!quit');
  await eve.heard(({ text }) => text === '<T\u2060ari> !quit');
  const { password } = stack.bots.webridge;
  const site = await inRoom('webridge', { secret: password, localpart: 'webridge' });
  site.send(marked('New topic: X', 'announcement'));
  await eve.heard(({ text }) => text === '-- New topic: X');
  spammer.say('ignored on IRC');
  eve.send('PRIVMSG sax :do something');
  eve.say('.quit');
  namesake.say('hi');
  await tari.heard(({ body }) => body === '<T\u2060ari> hi');
  // What the server replayed of former tests comes first.
  expect(
    relayed(eve)
      .map(({ text }) => text)
      .slice(-3),
  ).toEqual(['<T\u2060ari> forged', '<T\u2060ari> !quit', '-- New topic: X']);
  expect(relayed(eve).filter(({ text }) => /ignored|another bridge|do something/.test(text))).toEqual([]);
  expect(tari.lines.filter(({ nick }) => nick === 'ircbridge').map(({ body }) => body)).toEqual([
    '<eve> .quit',
    '<T\u2060ari> hi',
  ]);
});

test('joins = true tells who comes, goes and sets the topic; further links share the connections', async () => {
  const config = join(stack.directory, 'links.toml');
  const link = `[[link]]\nroom = "second@${stack.mucService}"\nchannel = "#second"\n`;
  await writeFile(config, `${readFileSync(stack.config, 'utf8')}\n${link}`, { mode: 0o600 });
  await makeRoom('second');
  runs += 1;
  bridge = startSaxctl({ ...stackEnv(), config }, ['ircbridge'], {
    env: {
      SAXCTL_STATE_DIR: join(stack.stateDir, `run-${runs}`),
      SAXCTL_IRC_SERVERS: `irc://127.0.0.1:${stack.irc1.port}`,
      SAXCTL_IRCBRIDGE_JOINS: 'true',
    },
  });
  await bridge.logged(/"event":"ready"/, 60_000);
  const [tari, second] = [await inRoom('Tari'), await inRoom('alice', { room: `second@${stack.mucService}` })];
  const [eve, eve2] = [await onIrc('eve'), await onIrc('mary', stack.irc1.port, '#second')];
  await tari.heard(({ body }) => body === '-- eve joined #sax');
  second.say('only here');
  await eve2.heard(({ text }) => text === '<alice> only here');
  eve2.say('and back');
  await second.heard(({ body }) => body === '<mary> and back');
  const bob = await inRoom('Bob Smith');
  await eve.heard(({ text, command }) => text === '-- <Bob Smith> joined the room' && command === 'NOTICE');
  bob.leave();
  await eve.heard(({ text }) => text.startsWith('-- <Bob Smith> left the room'));
  eve.quit();
  await tari.heard(({ body }) => body.startsWith('-- eve left #sax'));
  expect(relayed(eve).some(({ text }) => text.includes('only here'))).toBe(false);
});

const stackEnv = () => ({ config: stack.config, env: stack.env });

test('ngIRCd without ids, echo and history: lines confirmed by PONG, a gap told after an outage', async () => {
  const run = await start({ SAXCTL_IRC_SERVERS: `irc://127.0.0.1:${stack.ngircd.port}` });
  const [tari, eve] = [await inRoom('Tari'), await onIrc('eve', stack.ngircd.directPort)];
  for (let index = 1; index <= 12; index += 1) tari.say(`to irc ${index}`);
  await eve.heard(({ text }) => text === '<Tari> to irc 12');
  eve.say('to the room');
  await tari.heard(({ body }) => body === '<eve> to the room');
  await stack.ngircd.cut();
  await run.logged(/"event":"disconnected"/);
  tari.say('said meanwhile');
  await stack.ngircd.mend();
  await eve.heard(({ text }) => /<Tari> said meanwhile$/.test(text), 60_000);
  await tari.heard(({ body }) =>
    /^-- #sax: not connected from [\d:]+ to [\d:]+; what was said there in between is missing$/.test(body),
  );
  expect(relayed(eve).map(({ text }) => text.replace(/^\[\d\d:\d\d\] /, ''))).toEqual([
    ...Array.from({ length: 12 }, (_value, index) => `<Tari> to irc ${index + 1}`),
    '<Tari> said meanwhile',
  ]);
}, 120_000);

test('the next server is taken when one bans us, over TLS that is verified', async () => {
  const run = await start({
    SAXCTL_IRC_SERVERS: `ircs://127.0.0.1:${stack.irc1.tlsPort},ircs://127.0.0.1:${stack.irc2.tlsPort}`,
  });
  const [tari, op] = [await inRoom('Tari'), await onIrc('op')];
  const mary = await onIrc('mary', stack.irc2.port);
  op.send(`OPER root ${stack.operPassword}`);
  op.send('KILL sax :go away');
  await run.logged(/the server says: .*go away/);
  tari.say('still there?');
  await mary.heard(({ text }) => text === '<Tari> still there?', 30_000);
});

test('kicked from the room, and a nickname that is taken: the reason in the log, and the relay goes on', async () => {
  const thief = await inRoom('alice', { nick: 'ircbridge' });
  const run = await start();
  await run.logged(/"event":"nick-taken"/, 1000);
  const [tari, eve] = [await inRoom('Tari'), await onIrc('eve')];
  tari.say('one');
  await eve.heard(({ text }) => text === '<Tari> one');
  const { password } = stack.bots.guard;
  const guard = await inRoom('guard', { secret: password, localpart: 'guard' });
  guard.send(
    `<iq type='set' id='kick' to='${stack.room}'><query xmlns='http://jabber.org/protocol/muc#admin'><item nick='ircbridge_' role='none'><reason>spam</reason></item></query></iq>`,
  );
  await run.logged(/kicked from the room.*spam/, 10_000);
  thief.leave();
  tari.say('two');
  eve.say('three');
  await eve.heard(({ text }) => text === '<Tari> two');
  await tari.heard(({ body, nick }) => body === '<eve> three' && nick === 'ircbridge');
});

test('kicked from the channel and banned: the reason in the log, and the relay works when we may come in again', async () => {
  const run = await start();
  const [tari, op] = [await inRoom('Tari'), await onIrc('op')];
  op.send(`OPER root ${stack.operPassword}`);
  op.send(`SAMODE ${stack.channel} +o op`);
  op.send(`MODE ${stack.channel} +b sax!*@*`);
  op.send(`KICK ${stack.channel} sax :spam`);
  await run.logged(/"event":"left"[^\n]*kicked from #sax by op: [^\n]*spam/);
  tari.say('said meanwhile');
  await run.logged(/"event":"left"[^\n]*refuses to let us in[^\n]*\(474\)/);
  op.send(`MODE ${stack.channel} -b sax!*@*`);
  await op.heard(({ text }) => /<Tari> said meanwhile$/.test(text), 60_000);
  op.say('welcome back');
  await tari.heard(({ body }) => body === '<op> welcome back');
});

test('a line that the channel’s word filter forbids holds nothing up', async () => {
  const run = await start();
  const [tari, op] = [await inRoom('Tari'), await onIrc('op')];
  op.send(`OPER root ${stack.operPassword}`);
  op.send(`SAMODE ${stack.channel} +o op`);
  op.send(`MODE ${stack.channel} +g *poison*`);
  await until(() => op.raw.some((line) => / MODE \S+ \+g /.test(line)));
  for (const text of ['first', 'with poison', 'behind']) tari.say(text);
  await op.heard(({ text }) => text === '<Tari> behind');
  expect(relayed(op).filter(({ text }) => text.includes('poison'))).toEqual([]);
  expect(run.stderr()).toMatch(/"event":"given-up"[^\n]*banned phrase/);
  op.send(`MODE ${stack.channel} -g *poison*`);
});

test('the room is destroyed: the reason in the log, and the relay works in the new one', async () => {
  const name = `doomed-${runs}`;
  const address = `${name}@${stack.mucService}`;
  await makeRoom(name);
  const run = await start({ SAXCTL_XMPP_ROOM: address });
  const [before, eve] = [await inRoom('alice', { room: address }), await onIrc('eve')];
  before.say('before');
  await eve.heard(({ text }) => text === '<alice> before');
  await stack.api('destroy_room', { name, service: stack.mucService });
  await run.logged(/the room was destroyed/, 30_000);
  eve.say('said to nobody');
  // Members may not make rooms; the bridge, which tries to come in again, may not either.
  await makeRoom(name);
  const tari = await until(
    () => enterRoom(stack, 'Tari', { room: address }).catch(() => undefined),
    'no new room',
    60_000,
  );
  people.push(tari);
  tari.say('after');
  await eve.heard(({ text }) => text === '<Tari> after', 60_000);
  eve.say('and back');
  await tari.heard(({ body }) => body === '<eve> and back', 60_000);
  expect(relayed(eve).filter(({ text }) => text.includes('before'))).toHaveLength(1);
});

test('a foreign bridge between the same room and channel makes no loop', async () => {
  const run = await start();
  const [tari, eve] = [await inRoom('Tari'), await onIrc('eve')];
  // The other one relays whatever it hears, and knows nothing of ours.
  const [otherInRoom, otherOnIrc] = [await inRoom('alice', { nick: 'other' }), await onIrc('other')];
  otherInRoom.socket.on('data', () => {
    for (const { nick, body } of otherInRoom.lines.slice(seen.room))
      if (nick !== 'other') otherOnIrc.say(`<${nick}> ${body}`);
    seen.room = otherInRoom.lines.length;
  });
  otherOnIrc.socket.on('data', () => {
    for (const { nick, text } of otherOnIrc.lines.slice(seen.irc))
      if (nick !== 'other') otherInRoom.say(`<${nick}> ${text}`);
    seen.irc = otherOnIrc.lines.length;
  });
  const seen = { room: otherInRoom.lines.length, irc: otherOnIrc.lines.length };
  eve.say('hi');
  await run.logged(/"event":"echo"/);
  tari.say('yo');
  const echoes = () => run.stderr().match(/"event":"echo"/g)?.length ?? 0;
  await until(() => echoes() >= 4);
  // Whoever hears a later line on both sides has heard everything that came before it.
  eve.say('last');
  await tari.heard(({ body }) => body === '<eve> last');
  tari.say('at last');
  await eve.heard(({ text }) => text === '<Tari> at last');
  for (const texts of [tari.lines.map(({ body }) => body), eve.lines.map(({ text }) => text)]) {
    const longest = Math.max(...texts.map((text) => text.split('> ').length));
    expect(longest, texts.join('\n')).toBeLessThanOrEqual(4);
    expect(texts.filter((text) => text.endsWith('hi')).length, texts.join('\n')).toBeLessThanOrEqual(4);
  }
});

test('wrong password is exit 77, wrong configuration 78, a second one 75; SIGTERM is a clean end', async () => {
  const wrong = await start({ SAXCTL_IRCBRIDGE_PASSWORD: 'wrong' }, false);
  expect(await wrong.finished).toMatchObject({ code: 77, stderr: expect.stringContaining('not-authorized') });
  const bad = await start({ SAXCTL_IRC_SERVERS: 'http://x' }, false);
  expect(await bad.finished).toMatchObject({ code: 78 });
  const first = await start();
  const second = startSaxctl(stack, ['ircbridge'], { env: { SAXCTL_STATE_DIR: join(stack.stateDir, `run-${runs}`) } });
  expect(await second.finished).toMatchObject({ code: 75 });
  expect(await first.stop()).toMatchObject({ code: 0 });
});

test(
  'a pasted burst arrives whole on default limits, on InspIRCd with IRCv3 and without, and on ngIRCd, without a disconnect',
  async () => {
    for (const { arrived, expected, log } of await flood) {
      expect(arrived).toEqual(expected);
      expect(log).not.toContain('"event":"disconnected"');
    }
  },
  FLOOD_LINES * 1500 + 60_000,
);
