import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterEach, describe, expect, it } from 'vitest';
import { processesOf } from '../../src/edges/stack/process-table.ts';
import { startStack } from '../../src/edges/stack/stack.ts';
import { PROGRAM } from '../helpers/stack.ts';
import { until } from '../helpers/until.ts';

type Demo = { child: ChildProcess; stdout: () => string; stderr: () => string; ended: Promise<number | string | null> };

const running: ChildProcess[] = [];

function demo(...argv: string[]): Demo {
  const child = spawn(process.execPath, [PROGRAM, 'demo', ...argv], {
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], LANG: 'C.UTF-8', NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.push(child);
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = new Promise<number | string | null>((resolve) => {
    child.once('close', (code, signal) => resolve(code ?? signal));
  });
  return { child, stdout: () => stdout, stderr: () => stderr, ended };
}

/** Waits for the page's lines; the throw-away directory and the page's address in them. */
async function shown(started: Demo): Promise<{ directory: string; page: string }> {
  await until(
    () => /stop {5}Ctrl-C/.test(started.stdout()) || started.child.exitCode !== null,
    () => started.stderr(),
    180_000,
  );
  const directory = /files {4}(\S+)/.exec(started.stdout())?.[1];
  const page = /page {5}(\S+)/.exec(started.stdout())?.[1];
  if (directory === undefined || page === undefined) throw new Error(started.stdout() + started.stderr());
  return { directory, page };
}

afterEach(() => {
  for (const child of running.splice(0)) child.kill('SIGKILL');
});

describe('saxctl demo --once', () => {
  it('sends a line through every hop and leaves nothing behind', async () => {
    const before = new Set(readdirSync(tmpdir()).filter((name) => name.startsWith('saxctl-stack-')));
    const once = demo('--once', '--json');
    const code = await once.ended;
    const report = JSON.parse(once.stdout()) as { ok: boolean; hops: { name: string; ok: boolean; detail: string }[] };
    expect(report.hops.filter(({ ok }) => !ok)).toEqual([]);
    expect(report.hops).toHaveLength(13);
    expect(code).toBe(0);
    const after = readdirSync(tmpdir()).filter((name) => name.startsWith('saxctl-stack-') && !before.has(name));
    expect(after.filter((name) => processesOf(`${tmpdir()}/${name}`).length === 0)).toEqual([]);
  });
});

describe('saxctl demo', () => {
  it('shows a page with two members and ends without a trace at Ctrl-C', async () => {
    const started = demo();
    const { directory, page } = await shown(started);
    const [both, member, session] = await Promise.all(
      ['', 'member', 'session'].map(async (path) => (await fetch(page + path)).text()),
    );
    expect(both?.match(/<iframe /g)).toHaveLength(2);
    expect(member).toMatch(/<script type="module" [^>]*integrity="sha384-[^"]+"/);
    expect(JSON.parse(session ?? '')).toMatchObject({ user: 'tari', password: expect.stringMatching(/^sax1\./) });
    started.child.kill('SIGINT');
    expect(await started.ended).toBe(130);
    expect(existsSync(directory)).toBe(false);
    expect(processesOf(directory)).toEqual([]);
  });

  it('does not survive a SIGKILL: its servers end, the next start removes its directory', async () => {
    const started = demo();
    const { directory } = await shown(started);
    expect(processesOf(directory).length).toBeGreaterThan(4);
    started.child.kill('SIGKILL');
    expect(await started.ended).toBe('SIGKILL');
    await until(
      () => processesOf(directory).length === 0,
      () => `still running: ${processesOf(directory).join(', ')}`,
    );
    const next = await startStack({ parts: ['irc1'] });
    expect(existsSync(directory)).toBe(false);
    await next.stop();
  });

  it('refuses --json without --once', async () => {
    const wrong = demo('--json');
    expect(await wrong.ended).toBe(64);
    expect(wrong.stderr()).toBe('saxctl: --json goes with --once\n');
  });
});
