import { expect, test } from 'vitest';
import { keepRoom } from '../../../src/app/keep-room.ts';
import type { Disconnect } from '../../../src/app/ports/chat.ts';
import { EXIT } from '../../../src/core/errors.ts';
import { Refusal } from '../../../src/core/refusal.ts';
import { fakeClock } from '../../helpers/fake-clock.ts';
import { fakeLog } from '../../helpers/fake-log.ts';
import { fakeSession } from '../../helpers/fake-session.ts';

const CLOSED: Disconnect = { kind: 'network', reason: 'lost', permanent: false };
const refused = (condition: string) => new Refusal(EXIT.refused, condition, `refused: ${condition}`);

function start(prepare: (session: ReturnType<typeof fakeSession>) => void = () => {}) {
  const clock = fakeClock();
  const session = fakeSession();
  const log = fakeLog();
  prepare(session);
  const events: string[] = [];
  const done = keepRoom({
    session,
    room: 'sax@conference.chat.test',
    nick: 'relay',
    events: { line: () => {} },
    joined: ({ nick }) => void events.push(`joined ${nick} ${clock.monotonic()}`),
    out: ({ reason }) => void events.push(`out ${reason}`),
    clock,
    random: () => 0,
    log,
  });
  return { clock, session, log, events, done };
}

test('joins, and ends with the session', async () => {
  const { clock, session, events, done } = start();
  await clock.advance(0);
  session.end(CLOSED);
  await done;
  expect(events).toEqual(['joined relay 0', 'out lost']);
  expect(clock.sleepers()).toBe(0);
});

test('a kick is answered by a join with growing patience, and one line each', async () => {
  const { clock, session, events, log, done } = start();
  const kick: Disconnect = { kind: 'refused', reason: 'kicked from the room by "op"', permanent: false };
  await clock.advance(0);
  session.rooms.at(-1)?.events.left(kick);
  await clock.advance(2000);
  session.rooms.at(-1)?.events.left(kick);
  await clock.advance(70_000);
  session.rooms.at(-1)?.events.left(kick);
  await clock.advance(2000);
  expect(events.filter((event) => event.startsWith('joined'))).toEqual([
    'joined relay 0',
    'joined relay 2000',
    'joined relay 5000',
    'joined relay 74000',
  ]);
  expect(log.entries.filter(({ event }) => event === 'left')).toHaveLength(3);
  expect(log.entries.find(({ event }) => event === 'left')?.message).toContain('kicked from the room by "op"');
  session.end(CLOSED);
  await done;
});

test('a taken nickname: another one at once, the reason in the log, and back when it is free', async () => {
  const { clock, session, events, log, done } = start((fake) => {
    fake.admit = (_room, nick) => (nick === 'relay' ? refused('conflict') : undefined);
  });
  await clock.advance(0);
  const room = session.rooms[0];
  expect(events).toEqual(['joined relay_ 0']);
  expect(log.entries[0]).toMatchObject({ level: 'warn', event: 'nick-taken' });
  if (room === undefined) throw new Error('no room');
  room.renameError = refused('conflict');
  await clock.advance(30_000);
  expect(room.nick).toBe('relay_');
  room.renameError = undefined;
  room.events.absent?.({ nick: 'relay', jid: undefined, affiliation: 'none', role: 'none', show: '' }, { codes: [] });
  await clock.advance(0);
  expect(room.nick).toBe('relay');
  session.end(CLOSED);
  await done;
  expect(clock.sleepers()).toBe(0);
});

test('a ban is tried again for ever, and said once', async () => {
  const { clock, session, events, log, done } = start((fake) => {
    fake.admit = () => refused('forbidden');
  });
  await clock.advance(600_000);
  expect(events.length).toBeGreaterThan(8);
  expect(log.entries.filter(({ event }) => event === 'left')).toHaveLength(1);
  session.admit = () => undefined;
  await clock.advance(60_000);
  expect(events.at(-1)).toMatch(/^joined/);
  session.end(CLOSED);
  await done;
});

test('a room that forgot us in silence is joined again; a ping without an answer is not its fault', async () => {
  const { clock, session, events, done } = start();
  await clock.advance(0);
  const [room] = session.rooms;
  if (room === undefined) throw new Error('no room');
  room.known = new Error('no answer');
  await clock.advance(20_000);
  expect(session.rooms).toHaveLength(1);
  room.known = false;
  await clock.advance(22_000);
  expect(session.rooms).toHaveLength(2);
  expect(events).toContain('out the room does not know us any more (self-ping)');
  session.end(CLOSED);
  await done;
});
