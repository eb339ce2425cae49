import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Stack } from '../../src/edges/stack/types.ts';
import { enterRoom, type Person } from '../helpers/person.ts';
import { type RunningSaxctl, startSaxctl, startTestStack } from '../helpers/stack.ts';
import { until } from '../helpers/until.ts';

// What happens to a bridge happens to the guard: afterwards members have voice and impostors are out.

const IMPOSTOR = 'Tаri';

let stack: Stack;
let guard: RunningSaxctl;

beforeAll(async () => {
  stack = await startTestStack({ parts: ['mariadb', 'ejabberd'], moderated: true, members: [{ name: 'Mallory' }] });
  guard = startSaxctl(stack, ['guard']);
  await guard.logged(/"event":"ready"/);
});
afterAll(async () => {
  await guard?.stop();
  await stack?.stop();
});

const affiliate = (jid: string, affiliation: string): Promise<unknown> =>
  stack.api('set_room_affiliation', { name: 'sax', service: stack.mucService, jid, affiliation });

/** As soon as ejabberd lets one in; who was thrown out tries again. */
async function enter(name: string, nick = name): Promise<Person> {
  let refused: unknown;
  return await until(
    () =>
      enterRoom(stack, name, { nick }).catch((error: unknown) => {
        refused = error;
        return undefined;
      }),
    () => `${name} cannot come in: ${refused}; the guard: ${guard.stderr().slice(-1500)}`,
  );
}

const hasVoice = (person: Person): Promise<unknown> =>
  until(
    () => {
      const word = `voice ${Math.random()}`;
      person.say(word);
      return until(() => person.lines.some(({ body }) => body === word), '', 1000).catch(() => false);
    },
    () => `${person.nick} has no voice: ${person.received().slice(-1500)}; the guard: ${guard.stderr().slice(-1500)}`,
    90_000,
  );

const isOut = (person: Person): Promise<unknown> =>
  until(
    () => /<status code='307'/.test(person.received()),
    () => `${person.nick} is still in: ${guard.stderr().slice(-1500)}`,
    90_000,
  );

/** A member is heard, and an impostor is not. */
async function guarded(): Promise<void> {
  const tari = await enter('Tari');
  await hasVoice(tari);
  const mallory = await enter('Mallory', IMPOSTOR);
  mallory.say('evil');
  await isOut(mallory);
  await hasVoice(tari);
  expect(tari.lines.filter(({ nick, body }) => nick === IMPOSTOR || body === 'evil')).toEqual([]);
  for (const person of [tari, mallory]) person.leave();
}

const lost = (after: number, detail = (): string => ''): Promise<unknown> =>
  until(
    () => /"event":"(disconnected|left)"/.test(guard.stderr().slice(after)),
    () => `the guard noticed nothing: ${guard.stderr().slice(-1500)} ${detail()}`,
  );

describe('the guard goes on after', () => {
  test.each<[string, () => Promise<void>]>([
    ['a restart of ejabberd', () => stack.ejabberd.restart()],
    [
      'a cut network',
      async () => {
        const before = guard.stderr().length;
        await stack.ejabberd.cut();
        await lost(before);
        await stack.ejabberd.mend();
      },
    ],
    [
      'a peer that fell silent',
      async () => {
        const before = guard.stderr().length;
        stack.ejabberd.stall();
        await lost(before);
        expect(guard.stderr().slice(before)).toContain('silent');
        await stack.ejabberd.mend();
      },
    ],
    [
      'the room was destroyed',
      async () => {
        const before = guard.stderr().length;
        await stack.api('destroy_room', { name: 'sax', service: stack.mucService });
        await lost(before);
      },
    ],
    [
      'it was frozen',
      async () => {
        guard.child.kill('SIGSTOP');
        const early = await enter('Mallory', IMPOSTOR).finally(() => guard.child.kill('SIGCONT'));
        early.say('evil');
        await isOut(early);
        early.leave();
      },
    ],
  ])('%s', async (_what, fault) => {
    await fault();
    await guarded();
  });
});

describe('where the guard is an owner of the room and no admin of the service, it goes on after', () => {
  beforeAll(async () => {
    const path = join(stack.directory, 'ejabberd/conf/ejabberd.yml');
    writeFileSync(path, readFileSync(path, 'utf8').replace(/^ *access_admin: muc_admin\n/m, ''));
    await stack.ejabberd.restart();
    await guarded();
  });

  test.each<[string, () => Promise<void>]>([
    [
      'it was kicked',
      async () => {
        // No owner can throw out another one.
        await affiliate(stack.bots.guard.jid, 'admin');
        await affiliate(stack.bots.webridge.jid, 'owner');
        const { jid, password } = stack.bots.webridge;
        const kicker = await enterRoom(stack, jid.slice(0, jid.indexOf('@')), { secret: password, nick: 'kicker' });
        const before = guard.stderr().length;
        const item = `<item nick='${stack.bots.guard.nick}' role='none'/>`;
        kicker.send(
          `<iq type='set' id='kick' to='${stack.room}'><query xmlns='http://jabber.org/protocol/muc#admin'>${item}</query></iq>`,
        );
        await lost(before, () => kicker.received().slice(-1500));
        kicker.leave();
      },
    ],
    [
      'it was banned, and pardoned',
      async () => {
        const before = guard.stderr().length;
        await affiliate(stack.bots.guard.jid, 'outcast');
        await lost(before);
        await affiliate(stack.bots.guard.jid, 'owner');
      },
    ],
  ])('%s', async (_what, fault) => {
    await fault();
    await guarded();
  });

  test('it was no owner any more: it says so, and those who came meanwhile are judged', async () => {
    await affiliate(stack.bots.guard.jid, 'member');
    const [tari, mallory] = [await enter('Tari'), await enter('Mallory', IMPOSTOR)];
    await guard.logged(/"event":"powerless"/);
    mallory.say('evil');
    await affiliate(stack.bots.guard.jid, 'owner');
    await isOut(mallory);
    await hasVoice(tari);
    expect(tari.lines.filter(({ nick, body }) => nick === IMPOSTOR || body === 'evil')).toEqual([]);
    for (const person of [tari, mallory]) person.leave();
    await guarded();
  });

  test('a twin came: the older one says so and ends with 75, the newer one guards', async () => {
    const older = guard;
    guard = startSaxctl(stack, ['guard']);
    const end = await older.finished;
    expect([end.code, end.stderr]).toEqual([75, expect.stringContaining('is another one running?')]);
    await guard.logged(/"event":"ready"/);
    await guarded();
  });
});
