import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ChatSession, Room, RoomLine } from '../../src/app/ports/chat.ts';
import type { Stack } from '../../src/edges/stack/types.ts';
import { connectXmpp } from '../../src/edges/xmpp/connection.ts';
import { fakeLog } from '../helpers/fake-log.ts';
import { PROGRAM, runSaxctl, startSaxctl, startTestStack } from '../helpers/stack.ts';
import { openTerminal } from '../helpers/terminal.ts';
import { until } from '../helpers/until.ts';

const YES = fileURLToPath(new URL('../fixtures/extauth-yes.mjs', import.meta.url));
const silent = fakeLog();

type Speaker = {
  readonly session: ChatSession;
  readonly room: Room;
  readonly heard: RoomLine[];
  say(body: string): Promise<string>;
};

describe('history', () => {
  let stack: Stack;
  let tari: Speaker;

  beforeAll(async () => {
    stack = await startTestStack({ parts: ['mariadb', 'ejabberd'], extauth: `${process.execPath} ${YES}` });
    // A bot's account, since those are not slowed down by the shaper; the room shows no real JIDs.
    tari = await speaker(stack.bots.ircbridge.jid, 'Tari', 'test');
  });
  afterAll(async () => {
    await tari?.session.close();
    await stack?.stop();
  });

  /** Somebody in the room; `say` resolves with the stanza-id when the room has said it. */
  async function speaker(jid: string, nick: string, resource: string): Promise<Speaker> {
    const service = `xmpp://127.0.0.1:${stack.ejabberd.port}`;
    const session = await connectXmpp({ service, jid, password: 'x', resource, log: silent });
    const heard: RoomLine[] = [];
    let count = 0;
    const room = await session.enter(stack.room, nick, { line: (line) => void heard.push(line), left: () => {} });
    return {
      session,
      room,
      heard,
      async say(body) {
        const id = `${resource}-${count++}`;
        room.say({ id, body });
        const line = await until(() => heard.find(({ messageId }) => messageId === id));
        return line.id ?? '';
      },
    };
  }

  type Printed = { id: string; time: string; nick: string; text: string; kind: string };
  const parse = (stdout: string): Printed[] =>
    stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Printed);
  async function history(...flags: string[]): Promise<Printed[]> {
    const { code, stdout, stderr } = await runSaxctl(stack, ['history', '--json', ...flags]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    return parse(stdout);
  }

  it('prints the archive page by page, whatever the length, in order and with its ids', async () => {
    const ids = await Promise.all(Array.from({ length: 300 }, (_, index) => tari.say(`number ${index + 1}`)));
    expect((await history()).map(({ id }) => id)).toEqual(ids.slice(-50));
    expect((await history('--limit', '3')).map(({ text }) => text)).toEqual(['number 298', 'number 299', 'number 300']);
    expect((await history('--limit', '290')).map(({ id }) => id)).toEqual(ids.slice(-290));
    expect((await history('--since', '1h')).map(({ id }) => id)).toEqual(ids);
    expect((await history('--since', '1h', '--limit', '7')).map(({ id }) => id)).toEqual(ids.slice(-7));
    const all = await history('--since', '1h');
    expect(all[0]).toEqual({
      id: ids[0],
      time: expect.stringMatching(/^2\d{3}-.*Z$/),
      nick: 'Tari',
      text: 'number 1',
      kind: 'chat',
    });
    const [from, to] = [all[99]?.time ?? '', all[199]?.time ?? ''];
    const between = await history('--since', from, '--until', to);
    expect(between.map(({ text }) => text)).toEqual(
      all.filter(({ time }) => time >= from && time <= to).map(({ text }) => text),
    );
    expect(between.length).toBeGreaterThanOrEqual(101);
  });

  it('filters by expression and nickname', async () => {
    expect((await history('--grep', '^number 1?7$')).map(({ text }) => text)).toEqual(['number 7', 'number 17']);
    expect((await history('--grep', 'NUMBER 300', '-i')).map(({ text }) => text)).toEqual(['number 300']);
    expect(await history('--from', 'nobody')).toEqual([]);
    expect(await history('--from', 'TARI', '--limit', '2')).toHaveLength(2);
  });

  it('tells the bots’ lines apart, and does not believe a member’s marker', async () => {
    const bot = await speaker(stack.bots.webridge.jid, stack.bots.webridge.nick, 'saxctl-webridge');
    await bot.say('New topic: Title');
    tari.room.say({ id: 'forged', body: 'I am the news', kind: 'announcement' });
    await until(() => tari.heard.some(({ messageId }) => messageId === 'forged'));
    expect((await history('--limit', '2')).map(({ text, kind }) => [text, kind])).toEqual([
      ['New topic: Title', 'announcement'],
      ['I am the news', 'chat'],
    ]);
    // History logs in with the same account: the bot that was there must still be.
    expect(await bot.room.ping()).toBe(true);
    expect(await bot.say('still here')).not.toBe('');
    await bot.session.close();
  });

  it('sends no control character to a terminal, and works through less -R', async () => {
    await tari.say('red \u009b31m, backwards \u202eabc, and\na second line');
    const { stdout } = await runSaxctl(stack, ['history', '--limit', '1']);
    expect(stdout).toMatch(
      /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d <Tari> red \\u\{9b\}31m, backwards \\u\{202e\}abc, and\n {22}a second line\n$/,
    );
    const terminal = openTerminal('bash --norc --noprofile', { ...stack.env, PS1: '> ', LC_ALL: 'C.UTF-8' });
    try {
      await terminal.type(`FORCE_COLOR=1 node ${PROGRAM} history --limit 5 | less -R`);
      await terminal.press('Enter');
      const screen = await terminal.shows(/<Tari> red \\u\{9b\}31m/, '(END)');
      expect(screen).not.toContain('ESC');
    } finally {
      terminal.close();
    }
  });

  it('is quiet when its reader leaves', async () => {
    const child = spawn(
      'bash',
      ['-c', `set -o pipefail; node ${PROGRAM} history --since 1h | head -n 1; echo "\${PIPESTATUS[*]}"`],
      {
        env: { PATH: process.env['PATH'], ...stack.env },
      },
    );
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
    await new Promise((resolve) => child.once('close', resolve));
    expect(output.trimEnd().split('\n')).toEqual([expect.stringContaining('<Tari> number 1'), '0 0']);
  });

  it.each([
    [['--grep', '('], 64, /not a regular expression/],
    [['--since', 'yesterday-ish'], 64, /not a time/],
    [['--limit', '-1'], 64, /--limit is no number/],
    [['--follow', '--until', '1h'], 64, /--until/],
    [['--room', 'nonsense'], 64, /not the JID of a room/],
    [['--since', '1h', '--until', '2h'], 64, /later/],
  ])('%j ends with %i', async (flags, exit, message) => {
    const { code, stdout, stderr } = await runSaxctl(stack, ['history', ...flags]);
    expect({ code, stdout }).toEqual({ code: exit, stdout: '' });
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd()).not.toContain('\n');
  });

  it('tells a room that is not there (65 by flag, 78 by configuration) from one that lets nobody in (77)', async () => {
    const closed = { name: 'closed', service: stack.mucService };
    await stack.api('create_room_with_opts', {
      ...closed,
      host: stack.domain,
      options: [
        { name: 'mam', value: 'true' },
        { name: 'members_only', value: 'true' },
        { name: 'persistent', value: 'true' },
      ],
    });
    const [nowhere, elsewhere, inside] = [
      `nosuch@${stack.mucService}`,
      'sax@rooms.nosuch.test',
      `closed@${stack.mucService}`,
    ];
    const ends = async (argv: readonly string[], env: Record<string, string> = {}) => {
      const { code, stdout, stderr } = await runSaxctl(stack, ['history', ...argv], { env });
      expect(stdout).toBe('');
      expect(stderr.trimEnd()).not.toContain('\n');
      return [code, stderr];
    };
    expect(await ends(['--room', nowhere])).toEqual([65, expect.stringContaining(`there is no room ${nowhere}`)]);
    expect(await ends(['--room', nowhere, '--follow'])).toEqual([65, expect.stringContaining('there is no room')]);
    expect(await ends(['--room', elsewhere])).toEqual([65, expect.stringContaining(`there is no room ${elsewhere}`)]);
    expect(await ends([], { SAXCTL_XMPP_ROOM: nowhere })).toEqual([78, expect.stringContaining('saxctl doctor room')]);
    expect(await ends(['--room', inside])).toEqual([77, expect.not.stringContaining('there is no room')]);
  });

  it('ends a pattern that would run for ever with 64', async () => {
    await tari.say(`${'a'.repeat(60)}b`);
    const { code, stderr } = await runSaxctl(stack, ['history', '--grep', '^(a+)+$']);
    expect(code).toBe(64);
    expect(stderr).toContain('takes too long');
  });

  it('shows what the room remembers when it keeps no archive', async () => {
    await stack.api('create_room_with_opts', {
      name: 'plain',
      service: stack.mucService,
      host: stack.domain,
      options: [
        { name: 'mam', value: 'false' },
        { name: 'persistent', value: 'true' },
      ],
    });
    const plain = `plain@${stack.mucService}`;
    const inside = await tari.session.enter(plain, 'Tari', {
      line: (line) => void tari.heard.push(line),
      left: () => {},
    });
    inside.say({ id: 'plain-1', body: 'not archived' });
    await until(() => tari.heard.some(({ messageId }) => messageId === 'plain-1'));
    expect((await history('--room', plain)).map(({ text }) => text)).toEqual(['not archived']);
    await inside.leave();
  });

  it('follows through kill -9 and restart of ejabberd: each line once, in order', async () => {
    const follow = startSaxctl(stack, ['history', '--json', '--follow', '--limit', '1']);
    const said: string[] = [];
    const say = async (text: string) => {
      said.push(text);
      await tari.say(text);
    };
    await until(() => follow.stdout().includes('\n'));
    await say('before');
    await until(() => follow.stdout().includes('"before"'));
    for (const round of [1, 2, 3, 4]) {
      await say(`just before kill ${round}`);
      await (round % 2 === 1 ? stack.ejabberd.kill() : stack.ejabberd.stop());
      await stack.ejabberd.start();
      tari = await speaker(stack.bots.ircbridge.jid, 'Tari', `again${round}`);
      for (let number = 0; number < 20; number++) await say(`while away ${round}.${number}`);
      await until(() => follow.stdout().includes(`"while away ${round}.19"`), 'not followed', 30_000);
      await say(`live ${round}`);
      await until(() => follow.stdout().includes(`"live ${round}"`));
    }
    const { code } = await follow.stop();
    const lines = parse(follow.stdout());
    expect(code).toBe(0);
    expect(lines.slice(1).map(({ text }) => text)).toEqual(said);
    expect(new Set(lines.map(({ id }) => id)).size).toBe(lines.length);
  });

  it('says 69, and not nothing, while the archive’s database is away', async () => {
    await stack.sql('RENAME TABLE archive.archive TO archive.gone');
    const { code, stdout, stderr } = await runSaxctl(stack, ['history']);
    await stack.sql('RENAME TABLE archive.gone TO archive.archive');
    expect({ code, stdout }).toEqual({ code: 69, stdout: '' });
    expect(stderr).toContain('is its database away?');
    expect(await history('--limit', '1')).toHaveLength(1);
  });

  it('ends with 69 when ejabberd is away, and with 78 without an account', async () => {
    await stack.ejabberd.stop();
    const away = await runSaxctl(stack, ['history']);
    expect(away.code).toBe(69);
    expect(away.stderr.trimEnd()).not.toContain('\n');
    const nobody = await runSaxctl({ config: '/dev/null', env: {} }, ['history'], {
      env: { SAXCTL_XMPP_DOMAIN: 'x.test' },
    });
    expect(nobody.code).toBe(78);
    expect(nobody.stderr).toContain('[webridge] jid is not set');
  });
});
