import { afterEach, expect, test } from 'vitest';
import type { ChannelLine } from '../../../../src/app/ports/irc.ts';
import { alternative, connectIrc } from '../../../../src/edges/irc/connection.ts';
import { fakeLog } from '../../../helpers/fake-log.ts';
import { saslAnswers, startIrcPeer, usual } from '../../../helpers/irc-peer.ts';
import { until } from '../../../helpers/until.ts';

const open = new Set<{ close(): unknown }>();
afterEach(() => {
  for (const thing of open) thing.close();
  open.clear();
});
async function startPeer(answer: Parameters<typeof startIrcPeer>[0]) {
  const peer = await startIrcPeer(answer);
  open.add(peer);
  return peer;
}

const connect = (url: string, options: object = {}) =>
  connectIrc(url, { nick: 'bot', log: fakeLog(), random: () => 0.5, ...options }, AbortSignal.timeout(5000));

function events() {
  const lines: ChannelLine[] = [];
  const log: string[] = [];
  return {
    lines,
    log,
    line: (line: ChannelLine) => void lines.push(line),
    confirmed: (id: string) => void log.push(`confirmed ${id}`),
    refused: (id: string, reason: string) => void log.push(`refused ${id} ${reason}`),
    left: ({ reason }: { reason: string }) => void log.push(`left ${reason}`),
  };
}

test('SASL PLAIN is done before the registration ends', async () => {
  const peer = await startPeer(saslAnswers(':srv 903 bot :ok'));
  await connect(peer.url, { saslUser: 'acc', saslPassword: 'pass€' });
  const sent = peer.received.find((line) => /^AUTHENTICATE (?!PLAIN)/.test(line)) ?? '';
  expect(Buffer.from(sent.split(' ')[1] ?? '', 'base64').toString()).toBe('acc\0acc\0pass€');
});

test('a refused SASL login is permanent and says so', async () => {
  const peer = await startPeer(saslAnswers(':srv 904 bot :SASL authentication failed'));
  await expect(connect(peer.url, { saslPassword: 'wrong' })).rejects.toMatchObject({
    exit: 77,
    message: expect.stringContaining('SASL login refused: SASL authentication failed'),
  });
});

/** A server that keeps `history` (texts m1, m2 … one second apart) and gives at most `most` lines of it at a time. */
function historian(history: readonly string[], most: number, fails = false) {
  const base = 1_700_000_000_000;
  const time = (index: number) => new Date(base + index * 1000).toISOString();
  return (line: string): readonly string[] | undefined => {
    if (line === 'CAP LS 302') return [':srv CAP * LS :draft/chathistory batch message-tags server-time'];
    if (line.startsWith('CAP REQ')) return [`:srv CAP * ACK :${line.slice('CAP REQ :'.length)}`];
    if (line.startsWith('USER')) return [];
    if (line === 'CAP END') return usual('USER x');
    const asked = /^CHATHISTORY AFTER #c (timestamp|msgid)=(\S+) /.exec(line);
    if (asked === null) return undefined;
    if (fails) return [':srv FAIL CHATHISTORY MESSAGE_ERROR AFTER #c :The messages could not be retrieved'];
    const from =
      asked[1] === 'msgid'
        ? history.indexOf(asked[2] ?? '') + 1
        : history.findIndex((_text, index) => time(index) > (asked[2] ?? ''));
    const page = from === -1 ? [] : history.slice(from, from + most);
    return [
      // Said while the history is being asked for: the last one of it, too.
      `@msgid=live;time=${time(history.length)} :eve!u@h PRIVMSG #c :live`,
      ':srv BATCH +h chathistory #c',
      ...page.map((id) => `@batch=h;msgid=${id};time=${time(history.indexOf(id))} :eve!u@h PRIVMSG #c :${id}`),
      ':srv BATCH -h',
    ];
  };
}
const kept = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_value, index) => `m${from + index}`);

test.each([
  ['in pages, the server’s own limit being lower than ours', kept(1, 250), 'm1', 'complete', false],
  ['the server was restarted and has forgotten the line that we heard', kept(100, 120), 'm1', 'none', false],
  ['the server does not answer', [], 'm1', 'none', true],
  ['the server has nothing', [], 'm1', 'none', false],
] as const)('chathistory is asked for until nothing is left: %s', async (_case, history, last, expected, fails) => {
  const peer = await startPeer(historian(history, 100, fails));
  const session = await connect(peer.url);
  const recorder = events();
  const heardAt = { at: 1_700_000_000_000, msgid: last, until: 1_700_000_000_000 };
  const channel = await session.enter('#c', 'key', recorder, heardAt);
  expect(peer.received).toContain('JOIN #c key');
  expect(peer.received).toContain('CHATHISTORY AFTER #c timestamp=2023-11-14T22:13:19.000Z 200');
  expect(channel.replay).toBe(expected);
  expect(recorder.lines.filter(({ source }) => source === 'history').map(({ text }) => text)).toEqual(history);
  const order = recorder.lines.map(({ source }) => source);
  if (!fails) expect(order.lastIndexOf('history')).toBeLessThan(order.indexOf('live'));
});

test('nothing that is said can begin a second line, and no CTCP is answered', async () => {
  const peer = await startPeer(() => undefined);
  const session = await connect(peer.url);
  const recorder = events();
  const channel = await session.enter('#c', undefined, recorder);
  peer.send(':eve!u@h PRIVMSG bot :\x01VERSION\x01\r\n:eve!u@h PRIVMSG #c :\x01PING 1\x01\r\n');
  channel.say('1', 'x\r\nQUIT :pwned\0', 'action');
  channel.ask(() => recorder.log.push('answered'));
  await until(() => recorder.log.length > 1);
  expect(recorder.log).toEqual(['answered', 'confirmed 1']);
  expect(peer.received.filter((line) => /^(QUIT|NOTICE)/.test(line))).toEqual([]);
  expect(peer.received).toContain('PRIVMSG #c :\x01ACTION x  QUIT :pwned \x01');
  expect(recorder.lines).toEqual([]);
});

/** A server without echo that answers lines as told: `no` refuses, `mode` changes the channel's modes first. */
const bareServer = (line: string): readonly string[] | undefined => {
  if (!line.startsWith('PRIVMSG')) return undefined;
  const refusal = ':srv 404 bot #c :Cannot send to channel';
  if (line.endsWith(' :mode')) return [':op!u@h MODE #c +m', refusal];
  if (line.endsWith(' :lifted')) return [':op!u@h MODE #c -m'];
  if (line.endsWith(' :voice')) return [':op!u@h MODE #c +v eve', refusal];
  if (line.endsWith(' :kick')) return [':op!u@h KICK #c bot :out', refusal];
  return line.endsWith('no') ? [refusal] : [];
};

test.each([
  ['none refused', ['a', 'b', 'c'], ['confirmed 0', 'confirmed 1', 'confirmed 2'], false],
  ['all refused', ['no', 'no'], ['refused 0', 'refused 1'], false],
  ['the modes changed: the last ones', ['a', 'mode', 'no'], ['refused 1', 'refused 2', 'confirmed 0'], false],
  [
    'they changed and changed back: nobody knows which',
    ['a', 'mode', 'lifted'],
    'refused 0,refused 1,refused 2'.split(','),
    true,
  ],
  ['they changed for somebody else', ['voice', 'b'], ['refused 0', 'refused 1'], true],
  ['no reason to be seen: nobody knows which', ['a', 'no', 'c'], ['refused 0', 'refused 1', 'refused 2'], true],
])('one PING settles the lines before it: %s', async (_case, texts, expected, unsure) => {
  const peer = await startPeer(bareServer);
  const log = fakeLog();
  const session = await connect(peer.url, { log });
  const recorder = events();
  const channel = await session.enter('#c', undefined, recorder);
  expect(channel.confirms).toBe('asked');
  const pings = peer.received.filter((line) => line.startsWith('PING')).length;
  texts.forEach((text, index) => {
    channel.say(`${index}`, text, 'message');
  });
  channel.ask(() => recorder.log.push('answered'));
  await until(() => recorder.log.length > texts.length);
  expect(recorder.log.map((entry) => entry.replace(/^(\w+ \d).*/, '$1'))).toEqual(['answered', ...expected]);
  expect(peer.received.filter((line) => line.startsWith('PING'))).toHaveLength(pings + 1);
  expect(log.entries.some(({ event }) => event === 'unsure')).toBe(unsure);
});

test('who is kicked in the midst of a burst still hears which of its lines were taken', async () => {
  const peer = await startPeer(bareServer);
  const session = await connect(peer.url);
  const recorder = events();
  const channel = await session.enter('#c', undefined, recorder);
  for (const [id, text] of ['a', 'b', 'kick', 'no'].entries()) channel.say(`${id}`, text, 'message');
  await until(() => recorder.log.length > 4);
  expect(recorder.log.map((entry) => entry.replace(/^(\w+ \S+).*/, '$1'))).toEqual([
    'left kicked',
    ...['refused 2', 'refused 3', 'confirmed 0', 'confirmed 1'],
  ]);
  // In again, and nothing of the former stay is taken for an answer.
  const again = await session.enter('#c', undefined, recorder);
  again.say('5', 'e', 'message');
  again.ask(() => recorder.log.push('answered'));
  await until(() => recorder.log.length > 6);
  expect(recorder.log.slice(5)).toEqual(['answered', 'confirmed 5']);
});

test('an error that is no answer to a line refuses none', async () => {
  const peer = await startPeer(bareServer);
  const session = await connect(peer.url);
  const recorder = events();
  const channel = await session.enter('#c', undefined, recorder);
  peer.send(':srv 404 bot #c :No external messages\r\n');
  await session.ping();
  channel.say('1', 'a', 'message');
  peer.send(':srv 447 bot #c :Cannot change nickname\r\n');
  await session.ping();
  channel.say('2', 'b', 'message');
  channel.ask(() => recorder.log.push('answered'));
  await until(() => recorder.log.length > 2);
  expect(recorder.log).toEqual(['answered', 'confirmed 1', 'confirmed 2']);
});

test('an ERROR ends the session with the server’s words, a silent server ends the attempt', async () => {
  const peer = await startPeer(() => undefined);
  const session = await connect(peer.url);
  peer.send('ERROR :Closing link: (bot) [K-Lined: spam]\r\n');
  expect(await session.closed).toMatchObject({ kind: 'server', reason: expect.stringContaining('K-Lined: spam') });
  const silent = await startPeer(() => []);
  await expect(connectIrc(silent.url, { nick: 'bot', log: fakeLog() }, AbortSignal.timeout(200))).rejects.toMatchObject(
    { exit: 69 },
  );
});

test.each(['is cut off', 'goes on'])(
  'a burst is handed on in turns of 32, whole and in order, when the connection %s',
  async (end) => {
    const peer = await startPeer(() => undefined);
    const session = await connect(peer.url);
    const perTurn: number[] = [0];
    const recorder = events();
    const line = (heard: ChannelLine): void => {
      recorder.line(heard);
      perTurn.push((perTurn.pop() ?? 0) + 1);
    };
    await session.enter('#c', undefined, { ...recorder, line });
    const said = Array.from({ length: 500 }, (_, index) => `line ${index}`);
    let over = false;
    const newTurn = (): void => {
      perTurn.push(0);
      if (!over) setImmediate(newTurn);
    };
    newTurn();
    peer.send(said.map((text) => `:eve!u@h PRIVMSG #c :${text}\r\n`).join(''));
    if (end === 'is cut off') {
      await until(() => recorder.lines.length > 0);
      peer.close();
      await session.closed;
    } else await until(() => recorder.lines.length === said.length);
    over = true;
    expect(recorder.lines.map(({ text }) => text)).toEqual(said);
    if (end === 'goes on') expect(Math.max(...perTurn)).toBe(32);
  },
);

test('other nicknames are tried within nine characters', () => {
  expect([1, 2, 3, 4].map((tries) => alternative('saxophone', tries, () => 0.25))).toEqual([
    'saxophone_',
    'saxophone__',
    'saxoph250',
    'saxoph250',
  ]);
});

test('a server that finds an alternative too long gets a shorter one; one that refuses all of them is left', async () => {
  const takes = (accepted: RegExp) => (line: string) => {
    if (line.startsWith('USER')) return [];
    const nick = /^NICK (\S+)/.exec(line)?.[1];
    if (nick === undefined) return undefined;
    if (accepted.test(nick)) return usual('USER x');
    return [nick.length > 9 ? `:srv 432 * ${nick} :Nickname too long` : `:srv 433 * ${nick} :Nickname already in use`];
  };
  const peer = await startPeer(takes(/^saxoph500$/));
  await connect(peer.url, { nick: 'saxophone' });
  expect(peer.received.filter((line) => line.startsWith('NICK'))).toEqual(
    ['saxophone', 'saxophone_', 'saxophone__', 'saxoph500'].map((nick) => `NICK ${nick}`),
  );
  const full = await startPeer(takes(/^$/));
  await expect(connect(full.url, { nick: 'saxophone' })).rejects.toMatchObject({
    exit: 69,
    message: expect.stringContaining('no nickname is free'),
  });
});

test('a channel that forwards us to another one refuses us', async () => {
  const peer = await startPeer((line) =>
    line.startsWith('JOIN') ? [':srv 470 bot #c ##c :Forwarding to another channel', ':bot!u@h JOIN ##c'] : undefined,
  );
  const session = await connect(peer.url);
  await expect(session.enter('#c', undefined, events())).rejects.toMatchObject({ condition: '470' });
});
