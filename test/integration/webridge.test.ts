import { spawn } from 'node:child_process';
import { appendFileSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { sendDatagram } from '../../src/edges/dgram/send.ts';
import type { Stack } from '../../src/edges/stack/types.ts';
import { ownNamespace } from '../helpers/namespace.ts';
import { type Observer, observe } from '../helpers/observer.ts';
import { type Bridge, spoolOf, startBridge, startSite } from '../helpers/site.ts';
import { PROGRAM, runSaxctl, startTestStack } from '../helpers/stack.ts';
import { until } from '../helpers/until.ts';

const LONG = process.env['SAXCTL_LONG'] === '1';

let stack: Stack;
let observer: Observer;
let bridge: Bridge;
const start = async (env: Record<string, string> = {}): Promise<Bridge> => {
  const fresh = startBridge(stack, { env: { SAXCTL_WEBRIDGE_SPOOL: spoolOf(stack), ...env } });
  await fresh.ready();
  return fresh;
};
beforeAll(async () => {
  stack = await startTestStack({ parts: ['mariadb', 'ejabberd'] });
  observer = observe(stack);
  await until(() => observer.inside());
  bridge = await start();
});
afterAll(async () => {
  await bridge?.end('SIGTERM');
  await observer?.stop();
  await stack?.stop();
});

const send = (bytes: string | Uint8Array): void =>
  sendDatagram(stack.saySocket, typeof bytes === 'string' ? new TextEncoder().encode(bytes) : bytes);
/** As a patient sender does: a full queue is tried again. */
const sendSurely = async (bytes: string | Uint8Array): Promise<void> => {
  for (;;)
    try {
      return send(bytes);
    } catch (error) {
      if ((error as { code?: string }).code === 'EMSGSIZE') return;
      if ((error as { code?: string }).code !== 'EAGAIN') throw error;
      await new Promise((resolve) => setImmediate(resolve));
    }
};
const bodies = (prefix: string): string[] =>
  observer
    .lines()
    .map(({ body }) => body)
    .filter((body) => body.startsWith(prefix));
const saidUpTo = (last: string, prefix: string): Promise<unknown> =>
  until(
    () => observer.heard(last),
    () => `${last} was not said (${bodies(prefix).length} lines): ${bridge.log().slice(-2000)}`,
    LONG ? 900_000 : 50_000,
  );

describe('say', () => {
  test('--wait prints the stanza id and the milliseconds; the line is told apart as an announcement', async () => {
    const { code, stdout } = await runSaxctl(stack, ['say', '--wait', '20000', 'waited for']);
    const [id, ms] = stdout.trim().split(' ');
    const line = await until(() => observer.lines().find(({ body }) => body === 'waited for'));
    expect({ code, id, ms: Number(ms) >= 0 }).toEqual({ code: 0, id: line.id, ms: true });
    expect(line).toMatchObject({ kind: 'announcement', nick: stack.bots.webridge.nick });
    const page = await observer.session()?.archive(stack.room, { before: '', max: 1 });
    expect(page?.lines.at(-1)).toMatchObject({ id, body: 'waited for', kind: 'announcement' });
  });

  test('--type is worded, --stdin says every line, both in order', async () => {
    const words = ['--who', 'Tari', '--what', 'Q&amp;A', '--where', 'News', '--url', 'https://x.test/1'];
    expect((await runSaxctl(stack, ['say', '--type', 'new-topic', ...words])).code).toBe(0);
    const many = Array.from({ length: 100 }, (_, n) => `stdin ${n}`);
    expect((await runSaxctl(stack, ['say', '--stdin'], { stdin: `${many.join('\n')}\n` })).code).toBe(0);
    await saidUpTo('stdin 99', 'stdin ');
    expect(bodies('stdin ')).toEqual(many);
    expect(bodies('* Tari opened')).toEqual(['* Tari opened a topic in News: Q&A – https://x.test/1']);
  });

  test('the snapshot holds the last lines', async () => {
    await runSaxctl(stack, ['say', '--wait', '20000', 'in the snapshot']);
    const snapshot = await until(() => {
      const read = JSON.parse(readFileSync(stack.snapshot, 'utf8'));
      return read.messages.at(-1)?.t === 'in the snapshot' ? read : undefined;
    });
    const line = observer.lines().find(({ body }) => body === 'in the snapshot');
    expect(snapshot).toMatchObject({ v: 1, room: stack.room });
    expect(snapshot.messages.at(-1)).toMatchObject({ id: line?.id, n: 'webridge', k: 'announcement' });
    expect(statSync(stack.snapshot).mode & 0o777).toBe(0o644);
  });
});

test('a wording of the operator is taken over on SIGHUP; an unusable one is told and the old one stays', async () => {
  const before = readFileSync(stack.config, 'utf8');
  const announce = async (what: string): Promise<string> => {
    await sendSurely(JSON.stringify({ sax: 1, type: 'new-topic', who: 'Tari', what, where: 'News' }));
    return (await until(() => observer.lines().find(({ body }) => body.includes(what)))).body;
  };
  const reload = async (text: string, event: string): Promise<void> => {
    const from = bridge.log().length;
    writeFileSync(stack.config, text);
    process.kill(bridge.pid, 'SIGHUP');
    await until(
      () => bridge.log().slice(from).includes(`"event":"${event}"`),
      () => bridge.log().slice(from),
    );
  };
  await reload(`${before}\n[wording]\nnew-topic = "{what}, says {who}[ ({where})][ see {url}]"\n`, 'reloaded');
  expect(await announce('first')).toBe('first, says Tari (News)');
  await reload(`${before}\n[wording]\nnew-topic = 7\n`, 'reload-failed');
  expect(await announce('second')).toBe('second, says Tari (News)');
  await reload(before, 'reloaded');
  expect(await announce('third')).toBe('* Tari opened a topic in News: third');
});

describe('the process', () => {
  test('a second one of the same socket ends with 73, of the same state with 75, and the first goes on', async () => {
    const second = await runSaxctl(stack, ['webridge'], {
      env: { SAXCTL_WEBRIDGE_SOCKET: join(stack.directory, 'second.sock') },
    });
    expect([second.code, second.stderr]).toEqual([
      75,
      expect.stringContaining(`already running as process ${bridge.pid}`),
    ]);
    for (const state of [stack.stateDir, join(stack.directory, 'other-state')]) {
      const other = await runSaxctl(stack, ['webridge'], { env: { SAXCTL_STATE_DIR: state } });
      expect([other.code, other.stderr]).toEqual([73, expect.stringContaining('somebody listens on')]);
    }
    expect((await runSaxctl(stack, ['say', '--wait', '20000', 'still there'])).code).toBe(0);
  });

  test('a twin elsewhere with the same account: the loser ends with 75 and does not fight', async () => {
    const twin = startBridge(stack, {
      env: {
        SAXCTL_STATE_DIR: join(stack.directory, 'twin'),
        SAXCTL_WEBRIDGE_SOCKET: join(stack.directory, 'twin.sock'),
        SAXCTL_WEBRIDGE_SNAPSHOT: join(stack.directory, 'twin.json'),
      },
    });
    expect(await bridge.ended).toBe(75);
    await twin.ready();
    expect(await twin.end('SIGTERM')).toBe(0);
    bridge = await start();
  });

  test('SIGTERM: what was taken is said, the socket file goes, exit 0; with a wrong password 77', async () => {
    for (let n = 0; n < 30; n += 1) await sendSurely(`before the end ${n}`);
    expect(await bridge.end('SIGTERM')).toBe(0);
    expect(statSync(stack.saySocket, { throwIfNoEntry: false })).toBeUndefined();
    expect((await runSaxctl(stack, ['say', 'nobody'])).code).toBe(69);
    const wrong = await runSaxctl(stack, ['webridge'], { env: { SAXCTL_WEBRIDGE_PASSWORD: 'wrong' } });
    expect(wrong.code).toBe(77);
    bridge = await start();
    await saidUpTo('before the end 29', 'before the end ');
    expect(bodies('before the end ')).toEqual(Array.from({ length: 30 }, (_, n) => `before the end ${n}`));
  });
});

/** What XML 1.0 forbids or advises against, non-characters of all planes, what turns text around or breaks lines. */
const FORBIDDEN = [
  ...range(0, 8),
  0xb,
  0xc,
  ...range(0xe, 0x1f),
  ...range(0x7f, 0x9f),
  ...range(0x2028, 0x202e),
  ...range(0x2066, 0x2069),
  ...range(0xfdd0, 0xfdef),
  ...range(0, 16).flatMap((plane) => [plane * 0x10000 + 0xfffe, plane * 0x10000 + 0xffff]),
];
const SURROGATES = range(0xd800, 0xdfff);

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}
/** Half a pair as some programs write it in UTF-8, which no reader should take. */
function surrogateBytes(unit: number): number[] {
  return [0xe0 | (unit >> 12), 0x80 | ((unit >> 6) & 0x3f), 0x80 | (unit & 0x3f)];
}
function escaped(codePoint: number): string {
  return [...String.fromCodePoint(codePoint)]
    .flatMap((text) => text.split(''))
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('');
}

test(
  'hostile datagrams: the stream lives, and every valid one in between is said',
  async () => {
    const rounds = LONG ? 10_000 : 600;
    const connectedBefore = bridge.log().split('"event":"connected"').length;
    const valid: string[] = [];
    const random = (size: number): Uint8Array => crypto.getRandomValues(new Uint8Array(Math.min(size, 65_536)));
    /** The part of a list that is the turn's, so that all turns together have every item. */
    const part = <T>(list: readonly T[], turn: number): T[] => {
      const size = Math.ceil(list.length / turns);
      return Array.from({ length: size }, (_, index) => list[(turn * size + index) % list.length] as T);
    };
    const hostile: ((turn: number) => string | Uint8Array)[] = [
      (turn) => random((turn * 12) % 300),
      () => String.fromCodePoint(...FORBIDDEN),
      (turn) => `a${String.fromCodePoint(...part(FORBIDDEN, turn))}b`,
      (turn) => new Uint8Array(part(SURROGATES, turn).flatMap((unit) => [0x61, ...surrogateBytes(unit)])),
      (turn) => `{"sax":1,"type":"chat","what":"${part(SURROGATES, turn).map(escaped).join('-')}"}`,
      (turn) => `{"sax":1,"type":"edit","who":"${part(FORBIDDEN, turn).map(escaped).join('')}","where":"\\u0000"}`,
      (turn) => `{"sax":1,"type":"chat","what":${'['.repeat((turn * 97) % 8000)}`,
      (turn) => `{"sax":1,"type":"chat",${'"a":{'.repeat((turn * 31) % 1300)}`,
      (turn) => new Uint8Array((turn * 94_951) % 200_001).fill(60),
      (turn) => random((turn * 7919) % 65_536),
      () => '{"sax":1,"type":"__proto__","who":{"toString":1},"what":"</body></message></stream:stream>"}',
      (turn) => `{"sax":${turn},"type":1e${turn}}`,
      () => ']]>&#0;&#xFFFF;&lt;!DOCTYPE x [&lt;!ENTITY y "z">]>&y;',
      (turn) => `a${'\u0301'.repeat((turn * 61) % 3000)}`,
      () => new Uint8Array(0),
    ];
    const turns = Math.ceil(rounds / hostile.length);
    for (let n = 0; n < rounds; n += 1) {
      await sendSurely(hostile[n % hostile.length]?.(Math.floor(n / hostile.length)) ?? '');
      if (n % 10 === 0) {
        valid.push(`hostile-valid ${n}`);
        await sendSurely(`hostile-valid ${n}`);
      }
    }
    await saidUpTo(valid.at(-1) ?? '', 'hostile-valid ');
    expect(bodies('hostile-valid ')).toEqual(valid);
    expect(bridge.log().split('"event":"connected"')).toHaveLength(connectedBefore);
    if (LONG) process.stderr.write(`hostile: ${rounds} sent, ${valid.length} valid ones in between, all said\n`);
  },
  LONG ? 1_800_000 : 150_000,
);

describe('the site in a hurry: ten back to back every 300 µs', () => {
  const count = LONG ? 100_000 : 1500;
  const hurry = { burst: 10, everyUs: 300 };

  test(
    'without a spool: whatever saxSay returned true for is said',
    async () => {
      const { accepted, sent, max, maxWaited, p50, p99, refused } = await startSite({
        socket: stack.saySocket,
        prefix: 'hurry ',
        count,
        ...hurry,
      }).finished;
      await saidUpTo(accepted.at(-1) ?? '', 'hurry ');
      expect(bodies('hurry ')).toEqual(accepted);
      process.stderr.write(
        `hurry: ${sent} sent, ${refused} refused, saxSay p50 ${p50} p99 ${p99} max ${max} ms, of those that waited ${maxWaited} ms\n`,
      );
    },
    LONG ? 1_800_000 : 150_000,
  );

  test(
    'with a spool: every one, also while the webridge is down',
    async () => {
      const site = startSite({ socket: stack.saySocket, spool: spoolOf(stack), prefix: 'spooled ', count, ...hurry });
      await bridge.end(LONG ? 'SIGTERM' : 'SIGKILL');
      await new Promise((resolve) => setTimeout(resolve, LONG ? 10_000 : 300));
      bridge = await start();
      const { accepted, sent, max, maxWaited, p50, p99 } = await site.finished;
      expect(accepted).toHaveLength(sent);
      await saidUpTo(accepted.at(-1) ?? '', 'spooled ');
      // A kill takes with it what waits in a socket of our own (DESIGN 7); a stop takes nothing.
      const said = bodies('spooled ');
      if (LONG) expect(said).toEqual(accepted);
      else
        expect([said.length > accepted.length - 30, said]).toEqual([
          true,
          accepted.filter((line) => said.includes(line)),
        ]);
      process.stderr.write(
        `spooled: ${sent} sent, saxSay p50 ${p50} p99 ${p99} max ${max} ms, of those that waited ${maxWaited} ms\n`,
      );
    },
    LONG ? 1_800_000 : 150_000,
  );
});

test('a full disk: senders that ask are told, the process lives, and what was taken is said when there is room', async () => {
  await bridge.end('SIGTERM');
  const small = join(stack.directory, 'small');
  mkdirSync(small, { recursive: true });
  // A file system of its own, 128 kB, seen by this process only; we reach it through /proc.
  const inside = `mount -t tmpfs -o size=128k tmpfs "$0" && exec "$@"`;
  const [unshare, flags] = ownNamespace('mount');
  const child = spawn(
    unshare,
    [flags, 'sh', '-c', inside, small, process.execPath, PROGRAM, '-c', stack.config, 'webridge'],
    {
      env: { PATH: process.env['PATH'] ?? '', ...stack.env, SAXCTL_STATE_DIR: small },
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  );
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log += text;
  });
  try {
    await until(
      () => log.includes('"event":"ready"'),
      () => log,
      20_000,
    );
    const filler = join(`/proc/${child.pid}/root`, small, 'filler');
    const fill = (): void => expect(() => appendFileSync(filler, new Uint8Array(256 * 1024))).toThrow('ENOSPC');
    fill();
    await sendSurely('said later');
    // The journal may just have given room back that it had reserved, and what is left of its last page (4 kB) takes one or two.
    const long = ['say', '--wait', '20000', 'x'.repeat(2900)];
    let told = await runSaxctl(stack, long);
    for (let tries = 0; told.code === 0 && tries < 5; tries++) {
      fill();
      told = await runSaxctl(stack, long);
    }
    expect([told.code, told.stderr]).toEqual([75, expect.stringContaining('ENOSPC')]);
    rmSync(filler);
    await saidUpTo('said later', 'said later');
    // Until it has tried again (twice a second) whoever asks is told to come back.
    await vi.waitFor(
      async () => expect((await runSaxctl(stack, ['say', '--wait', '20000', 'room again'])).code).toBe(0),
      { timeout: 30_000, interval: 200 },
    );
  } finally {
    child.kill('SIGTERM');
    await new Promise((resolve) => child.once('close', resolve));
    bridge = await start();
  }
});

/** Changes the server's configuration, and starts server and webridge again. */
const withEjabberd = async (change: (yml: string) => string): Promise<void> => {
  const yml = join(stack.directory, 'ejabberd', 'conf', 'ejabberd.yml');
  const before = readFileSync(yml, 'utf8');
  const after = change(before);
  expect(after).not.toBe(before);
  writeFileSync(yml, after);
  await bridge.end('SIGTERM');
  await stack.ejabberd.restart();
  await until(() => observer.inside());
  bridge = await start();
};

test('a server that reads 3 kB a second from us: nothing is lost or doubled, and the connection is kept', async () => {
  await withEjabberd((yml) => yml.replace('    none: saxbots\n', '').replace('burst_size: 20000', 'burst_size: 3000'));
  const connected = bridge.log().split('"event":"connected"').length;
  const lines = Array.from({ length: 30 }, (_, n) => `shaped ${n} ${'x'.repeat(400)}`);
  const began = performance.now();
  for (const line of lines) await sendSurely(line);
  await saidUpTo(lines.at(-1) ?? '', 'shaped ');
  expect(bodies('shaped ')).toEqual(lines);
  // 15 kB: it was really slowed down.
  expect(performance.now() - began).toBeGreaterThan(1500);
  expect(bridge.log().split('"event":"connected"')).toHaveLength(connected);
}, 120_000);

test('a room that allows one line every 300 ms: order and count hold, also when killed while the room holds one back', async () => {
  await withEjabberd((yml) => yml.replace(/^( +)mod_muc:\n/m, '$1mod_muc:\n$1  min_message_interval: 0.3\n'));
  const lines = Array.from({ length: 16 }, (_, n) => `slowly ${n}`);
  for (const line of lines.slice(0, 10)) await sendSurely(line);
  await saidUpTo('slowly 5', 'slowly ');
  expect(bridge.log()).toContain('Traffic rate limit is exceeded');
  await bridge.end('SIGKILL');
  bridge = await start();
  for (const line of lines.slice(10)) await sendSurely(line);
  await saidUpTo('slowly 15', 'slowly ');
  expect(bodies('slowly ')).toEqual(lines);
}, 120_000);
