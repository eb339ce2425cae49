import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listenDatagrams } from '../../src/edges/dgram/listen.ts';
import { PROGRAM } from '../helpers/stack.ts';

const node = promisify(execFile);
let dir = '';
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'saxctl-launcher-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

describe('the launcher', () => {
  it.each(['18.20.4', '20.18.3', '12.22.12'])('says in one line that Node %s is too old', async (version) => {
    const preload = join(dir, 'old.cjs');
    writeFileSync(preload, `Object.defineProperty(process.versions, 'node', { value: '${version}' });`);
    const failed = await node(process.execPath, ['--require', preload, PROGRAM, '--version']).then(
      () => undefined,
      (error: { code: number; stdout: string; stderr: string }) => error,
    );
    expect(failed).toMatchObject({ code: 78, stdout: '' });
    expect(failed?.stderr).toMatch(new RegExp(`^saxctl needs Node 20\\.19 or newer, this is ${version} .*\\n$`));
  });

  it('starts the program, quietly when the reader goes away', async () => {
    const { stdout, stderr } = await node(process.execPath, [PROGRAM, '--version']);
    expect(stdout).toMatch(/^\S+ \(commit [0-9a-f]{12}, Node v/);
    expect(stderr).toBe('');
    const piped = await node('sh', ['-c', `"${process.execPath}" "${PROGRAM}" --help | head -n 1`]);
    expect(piped).toEqual({ stdout: 'Usage: saxctl [flags] COMMAND [arguments]\n', stderr: '' });
  });

  it.each([['--version'], ['config', 'show']])(
    'says in one line that its output could not be written: %s',
    async (...line) => {
      const failed = await node('sh', ['-c', `"${process.execPath}" "${PROGRAM}" ${line.join(' ')} > /dev/full`]).catch(
        (error: { code: number; stderr: string }) => error,
      );
      expect(failed).toMatchObject({ code: 73 });
      expect(failed.stderr).toBe(
        'saxctl: the result could not be written to standard output: ENOSPC: no space left on device, write; is the disk full?\n',
      );
    },
  );

  it('loads for one command only what that command needs', async () => {
    const socket = listenDatagrams({ path: join(dir, 'say.sock'), mode: 0o600 });
    try {
      await node(process.execPath, [PROGRAM, 'say', '--socket', join(dir, 'say.sock'), 'hello'], {
        env: { PATH: process.env['PATH'], HOME: dir, NODE_V8_COVERAGE: join(dir, 'coverage') },
      });
      expect(socket.take().map(({ bytes }) => new TextDecoder().decode(bytes))).toEqual(['hello']);
    } finally {
      socket.close();
    }
    const sources = sourcesLoaded(join(dir, 'coverage'));
    expect(sources.some((source) => source.endsWith('src/commands/say.ts'))).toBe(true);
    const heavy = /node_modules\/(@xmpp|mysql2|irc-framework|execa|yaml)\/|src\/edges\/(xmpp|irc|phpbb|stack)\//;
    expect(sources.filter((source) => heavy.test(source))).toEqual([]);
  });
});

/** The source files behind every module of ours that a process loaded, by its coverage report and the source maps. */
function sourcesLoaded(coverage: string): string[] {
  const urls = readdirSync(coverage).flatMap((file): string[] =>
    JSON.parse(readFileSync(join(coverage, file), 'utf8')).result.map(({ url }: { url: string }) => url),
  );
  return urls
    .filter((url) => url.includes('/dist/') && !url.endsWith('launch.cjs'))
    .flatMap((url): string[] => JSON.parse(readFileSync(`${fileURLToPath(url)}.map`, 'utf8')).sources);
}
