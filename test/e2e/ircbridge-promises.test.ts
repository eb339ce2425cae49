import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { Stack } from '../../src/edges/stack/types.ts';
import { enterChannel, type IrcPerson } from '../helpers/irc-person.ts';
import { enterRoom, type Person } from '../helpers/person.ts';
import { type RunningSaxctl, startSaxctl, startTestStack } from '../helpers/stack.ts';
import { until } from '../helpers/until.ts';

let stack: Stack;
let bridge: RunningSaxctl | undefined;
const people: { leave?(): void; quit?(): void }[] = [];

beforeAll(async () => {
  stack = await startTestStack({ parts: ['mariadb', 'ejabberd', 'irc1', 'ngircd'] });
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

async function start(state: string, env: Record<string, string> = {}, ready = true): Promise<RunningSaxctl> {
  bridge = startSaxctl(stack, ['ircbridge'], {
    env: {
      SAXCTL_STATE_DIR: join(stack.stateDir, state),
      SAXCTL_IRC_SERVERS: `irc://127.0.0.1:${stack.irc1.port}`,
      ...env,
    },
  });
  if (ready) await bridge.logged(/"event":"ready"/);
  return bridge;
}
async function inRoom(name: string, options: Parameters<typeof enterRoom>[2] = {}): Promise<Person> {
  const person = await enterRoom(stack, name, options);
  people.push(person);
  return person;
}
async function onIrc(nick: string, channel = stack.channel, port = stack.irc1.port): Promise<IrcPerson> {
  const person = await enterChannel(port, nick, channel);
  people.push(person);
  return person;
}

test('a channel with a key: the reason in the log without it, in with it', async () => {
  const eve = await onIrc('eve', '#keyed');
  eve.send(`OPER root ${stack.operPassword}`);
  eve.send('SAMODE #keyed +k geheim');
  await until(() => eve.raw.some((line) => / MODE #keyed \+k /.test(line)));
  const without = await start('keyed', { SAXCTL_IRC_CHANNEL: '#keyed' }, false);
  await without.logged(/"event":"left"[^\n]*refuses to let us in[^\n]*\(475\)/);
  await without.kill();
  await start('keyed', { SAXCTL_IRC_CHANNEL: '#keyed', SAXCTL_IRC_CHANNEL_KEY: 'geheim' });
  const tari = await inRoom('Tari');
  tari.say('with the key');
  await eve.heard(({ text }) => text === '<Tari> with the key');
});

test('K-lined: the server’s word in the log, and the next server is taken', async () => {
  const run = await start('kline', {
    SAXCTL_IRC_SERVERS: `irc://127.0.0.1:${stack.irc1.port},irc://127.0.0.1:${stack.ngircd.port}`,
    SAXCTL_IRC_USERNAME: 'bridge',
  });
  const [tari, op, mary] = [
    await inRoom('Tari'),
    await onIrc('op'),
    await onIrc('mary', stack.channel, stack.ngircd.directPort),
  ];
  op.send(`OPER root ${stack.operPassword}`);
  op.send('KLINE *bridge@* 60 :not wanted');
  await run.logged(/"event":"disconnected"[^\n]*not wanted/);
  tari.say('still there?');
  await mary.heard(({ text }) => text === '<Tari> still there?');
  mary.say('yes');
  await tari.heard(({ body }) => body === '<mary> yes');
  op.send('KLINE *bridge@*');
});

test('older than catch_up: one line says how many were left out, the others are said with their time', async () => {
  const env = { SAXCTL_IRCBRIDGE_CATCH_UP: '12s' };
  await start('late', env);
  const [tari, eve] = [await inRoom('Tari'), await onIrc('eve')];
  tari.say('before');
  await eve.heard(({ text }) => text === '<Tari> before');
  await bridge?.kill();
  const heard = eve.lines.length;
  for (const text of ['old one', 'old two', 'old three']) tari.say(text);
  await tari.heard(({ body }) => body === 'old three');
  const saidAt = Date.now();
  await until(() => Date.now() - saidAt > 12_500);
  tari.say('fresh');
  await tari.heard(({ body }) => body === 'fresh');
  await start('late', env);
  await eve.heard(({ text }) => /<Tari> fresh$/.test(text));
  expect(eve.lines.slice(heard).map(({ text }) => text)).toEqual([
    expect.stringMatching(/^-- 3 lines of the room from [\d:]+ to [\d:]+ are left out/),
    '<Tari> fresh',
  ]);
});

test('joins = true: new nicknames, subject and topic, each told once, and on the other side only', async () => {
  await start('joins', { SAXCTL_IRCBRIDGE_JOINS: 'true' });
  const [tari, eve] = [await inRoom('Tari'), await onIrc('eve')];
  await tari.heard(({ body }) => body === `-- eve joined ${stack.channel}`);
  eve.send('NICK eva');
  await tari.heard(({ body }) => body === '-- eve is now eva');
  eve.send(`OPER root ${stack.operPassword}`);
  eve.send(`SAMODE ${stack.channel} +o eva`);
  eve.send(`TOPIC ${stack.channel} :\x02new\x02 topic`);
  await tari.heard(({ body }) => body === `-- eva set the topic of ${stack.channel}: new topic`);
  const guard = await inRoom('guard', { secret: stack.bots.guard.password, localpart: 'guard' });
  guard.send(`<message type='groupchat' to='${stack.room}'><subject>new subject</subject></message>`);
  await eve.heard(({ text, command }) => text === '-- guard set the subject: new subject' && command === 'NOTICE');
  tari.send(`<presence to='${stack.room}/Tari2'/>`);
  await eve.heard(({ text }) => text === '-- Tari is now Tari2');
  tari.leave();
  await eve.heard(({ text }) => /^-- Tari2 left the room/.test(text));
  const notices = eve.lines.filter(({ nick, text }) => nick === 'sax' && text.startsWith('-- '));
  expect(notices.filter(({ text }) => /eve|eva|topic/.test(text))).toEqual([]);
  expect(new Set(notices.map(({ text }) => text)).size).toBe(notices.length);
});
