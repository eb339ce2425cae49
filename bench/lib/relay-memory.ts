import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PROGRAM } from '../../test/helpers/stack.ts';
import { until } from '../../test/helpers/until.ts';
import { startChannelDouble } from './channel-double.ts';
import { cpuMs } from './process.ts';
import { startReflector } from './reflector.ts';
import { printTable } from './table.ts';

/** Lines under way each way at any moment. */
const UNDER_WAY = 400;
const STEPS = 10;
/** The plateau: from here on the memory must not grow by more than this. */
const SETTLED_STEP = 2;
const GROWTH = 1.1;

/**
 * A million lines through one bridge, half of them each way, against doubles of the two servers in this process; what its memory
 * does, and that each line arrives once and in order. Sets the exit code when not.
 */
export async function measureMemory(lines: number): Promise<void> {
  const each = Math.ceil(lines / 2);
  const toIrc = follow(each);
  const toRoom = follow(each);
  const room = await startReflector((stanza) => toRoom.heard(stanza));
  const channel = await startChannelDouble('#sax', (text) => toIrc.heard(text));
  const state = mkdtempSync(join(tmpdir(), 'saxctl-bench-'));
  const child = spawn(
    process.execPath,
    [...(process.env['BENCH_NODE_ARGS']?.split(' ') ?? []), PROGRAM, '--log-format', 'json', 'ircbridge'],
    {
      env: {
        PATH: process.env['PATH'] ?? '',
        SAXCTL_CONFIG: '/dev/null',
        SAXCTL_STATE_DIR: state,
        SAXCTL_XMPP_SERVICE: `xmpp://127.0.0.1:${room.port}`,
        SAXCTL_XMPP_DOMAIN: 'bench.test',
        SAXCTL_XMPP_ROOM: 'sax@conference.bench.test',
        SAXCTL_IRCBRIDGE_JID: 'ircbridge@bench.test',
        SAXCTL_IRCBRIDGE_PASSWORD: 'x',
        SAXCTL_IRCBRIDGE_NICK: 'ircbridge',
        SAXCTL_IRC_SERVERS: `irc://127.0.0.1:${channel.port}`,
        SAXCTL_IRC_NICK: 'sax',
        SAXCTL_IRC_CHANNEL: '#sax',
        SAXCTL_IRC_FLOOD_INTERVAL_MS: '0',
      },
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  );
  let log = '';
  child.stderr.on('data', (chunk: Buffer) => {
    log = (log + chunk.toString()).slice(-20_000);
  });
  const gone = new Promise((resolve) => child.once('exit', resolve));
  try {
    await until(
      () => log.includes('"event":"ready"'),
      () => log,
      60_000,
    );
    const ways = [toIrc, toRoom];
    toIrc.start(room.say);
    toRoom.start(channel.say);
    const rows: (string | number)[][] = [
      ['lines so far', 'RSS, MiB', 'lines/s', 'CPU µs/line', 'disordered or doubled'],
    ];
    const memory: number[] = [];
    const done = (): number => ways.reduce((sum, way) => sum + way.arrived(), 0);
    for (let step = 1; step <= STEPS; step += 1) {
      const [before, cpu, started] = [done(), cpuMs(child.pid), performance.now()];
      const goal = Math.floor((2 * each * step) / STEPS);
      await until(
        () => done() >= goal,
        () => `${done()} of ${goal} arrived: ${log}`,
        600_000,
      );
      const count = done() - before;
      const rss = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
      memory.push(rss);
      const wrong = ways.reduce((sum, way) => sum + way.wrong(), 0);
      const rate = (count * 1000) / (performance.now() - started);
      rows.push([done().toLocaleString('en'), rss, rate, ((cpuMs(child.pid) - cpu) * 1000) / count, wrong]);
      console.log(`${done().toLocaleString('en')}: ${rss.toFixed(1)} MiB`);
    }
    printTable(`ircbridge: ${(2 * each).toLocaleString('en')} lines, half each way, doubles for both servers`, rows);
    const settled = memory.slice(SETTLED_STEP);
    const growth = (settled.at(-1) ?? 0) / (settled[0] ?? 1);
    const flat = growth <= GROWTH && ways.every((way) => way.wrong() === 0);
    console.log(
      `  RSS at the end is ${growth.toFixed(2)} × that at ${(SETTLED_STEP + 1) * 10} %: ${flat ? 'flat' : 'NOT FLAT'}`,
    );
    if (!flat) process.exitCode = 1;
  } finally {
    child.kill('SIGTERM');
    await gone;
    room.close();
    channel.close();
    rmSync(state, { recursive: true, force: true });
  }
}

/** Says `total` lines on one side, a few hundred at a time, and follows them on the other. */
function follow(total: number) {
  let say: (text: string) => void = () => undefined;
  let said = 0;
  let arrived = 0;
  let wrong = 0;
  const more = (): void => {
    for (; said < total && said - arrived < UNDER_WAY; said += 1)
      say(`line ${said} of somebody who has this and that to say`);
  };
  return {
    start(how: (text: string) => void) {
      say = how;
      more();
    },
    heard(text: string) {
      const number = Number(/line (\d+) of/.exec(text)?.[1] ?? Number.NaN);
      if (number !== arrived) wrong += 1;
      arrived += 1;
      more();
    },
    arrived: () => arrived,
    wrong: () => wrong,
  };
}
