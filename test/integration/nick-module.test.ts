import { afterAll, beforeAll, expect, test } from 'vitest';
import { nickModulePath } from '../../src/edges/files/nick-module.ts';
import type { Stack } from '../../src/edges/stack/types.ts';
import { variantsOf } from '../helpers/impostors.ts';
import { enterRoom, type Person, Refused } from '../helpers/person.ts';
import { PROGRAM, runSaxctl, startTestStack } from '../helpers/stack.ts';
import { until } from '../helpers/until.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await startTestStack({
    parts: ['mariadb', 'ejabberd'],
    nickModule: nickModulePath(PROGRAM),
    config: { ejabberd: { via: 'http' } },
  });
  expect((await runSaxctl(stack, ['sync-nicks'])).stdout).toContain('conflicts 0, failed 0');
});
afterAll(() => stack?.stop());

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll("'", '&apos;').replaceAll('"', '&quot;');

async function pinged(person: Person): Promise<void> {
  const id = `p${Math.random()}`;
  person.send(`<iq type='get' id='${id}' to='${stack.domain}'><ping xmlns='urn:xmpp:ping'/></iq>`);
  await until(() => person.received().includes(id));
}

test('with mod_sax_nick ejabberd itself holds members to their name, at the join and in the room, without a guard', async () => {
  const witness = await enterRoom(stack, 'Tari');
  const mallory = await enterRoom(stack, 'alice');
  mallory.say('I am alice');
  await witness.heard(({ body }) => body === 'I am alice');
  const room = escaped(stack.room);
  for (const nick of variantsOf('Tari')) {
    const said = `<message type='groupchat' to='${room}'><body>evil</body></message>`;
    // A change of nickname, and leaving and coming in again: each with a line in the same breath.
    mallory.send(`<presence to='${room}/${escaped(nick)}'/>`);
    await pinged(mallory);
    mallory.send(
      `<presence to='${room}/alice' type='unavailable'/><presence to='${room}/${escaped(nick)}'><x xmlns='http://jabber.org/protocol/muc'/></presence>${said}`,
    );
    await pinged(mallory);
    mallory.send(`<presence to='${room}/alice'><x xmlns='http://jabber.org/protocol/muc'/></presence>`);
    await until(() => witness.occupants.has('alice'));
  }
  witness.say('the end');
  await witness.heard(({ body }) => body === 'the end');
  expect(witness.lines.map(({ nick, body }) => [nick, body])).toEqual([
    ['alice', 'I am alice'],
    ['Tari', 'the end'],
  ]);
  expect(mallory.received()).toContain('Please come as alice.');
  await expect(enterRoom(stack, 'Bob Smith', { nick: 'bob smith' })).rejects.toThrow(Refused);
  for (const name of ['Bob Smith', "O'Neil", 'Пётр', 'ÄRGER']) (await enterRoom(stack, name)).leave();
  (await enterRoom(stack, 'guard', { secret: stack.bots.guard.password, nick: 'any name' })).leave();
  for (const person of [witness, mallory]) person.leave();
});
