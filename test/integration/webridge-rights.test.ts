import { spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Stack } from '../../src/edges/stack/types.ts';
import { isRoot } from '../helpers/namespace.ts';
import { type Observer, observe } from '../helpers/observer.ts';
import { PROGRAM, startTestStack } from '../helpers/stack.ts';
import { until } from '../helpers/until.ts';

const SAXSAY = fileURLToPath(new URL('../../php/saxsay.php', import.meta.url));
/** Numbers that nobody has here: the service, the web server, somebody else. */
const SERVICE = 61_001;
const WEB = 61_002;
const STRANGER = 61_003;

/** The others must be able to read the program where it lies. */
const readable = (path: string): boolean =>
  (statSync(path).mode & 0o005) !== 0 && (path === '/' || readable(dirname(path)));

// As installed: the service and the web server are two users, who meet in the socket's group and in the spool's directory.
describe.skipIf(!isRoot || !readable(PROGRAM))('service, web server and a stranger', () => {
  let stack: Stack;
  let observer: Observer;
  let directory: string;
  let socket: string;
  let spool: string;
  let env: Record<string, string>;
  const own = (name: string, uid: number, gid: number, mode: number): string => {
    const path = join(directory, name);
    mkdirSync(path);
    chownSync(path, uid, gid);
    chmodSync(path, mode);
    return path;
  };
  const as = (uid: number, groups: string, argv: readonly string[]) => {
    const child = spawn('setpriv', [`--reuid=${uid}`, `--regid=${uid}`, groups, ...argv], {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let out = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        out += text;
      });
    const ended = new Promise<number | null>((resolve) => {
      child.once('close', resolve);
    });
    return { child, out: () => out, ended };
  };
  const finished = async (uid: number, argv: readonly string[]): Promise<[number | null, string]> => {
    const { ended, out } = as(uid, '--clear-groups', argv);
    return [await ended, out()];
  };
  const php = (code: string): Promise<[number | null, string]> =>
    finished(WEB, [
      'php',
      '-r',
      `define('SAXSAY_SOCKET', '${socket}'); define('SAXSAY_SPOOL', '${spool}'); require '${directory}/saxsay.php'; ${code}`,
    ]);

  beforeAll(async () => {
    stack = await startTestStack({ parts: ['mariadb', 'ejabberd'] });
    observer = observe(stack);
    await until(() => observer.inside());
    directory = mkdtempSync(join(tmpdir(), 'sax-'));
    chmodSync(directory, 0o755);
    copyFileSync(SAXSAY, join(directory, 'saxsay.php'));
    socket = join(own('run', SERVICE, SERVICE, 0o755), 'say.sock');
    spool = own('spool', SERVICE, WEB, 0o2770);
    const config = join(directory, 'saxctl.toml');
    writeFileSync(config, readFileSync(stack.config), { mode: 0o600 });
    chownSync(config, SERVICE, SERVICE);
    env = {
      PATH: process.env['PATH'] ?? '',
      ...stack.env,
      SAXCTL_CONFIG: config,
      SAXCTL_STATE_DIR: own('state', SERVICE, SERVICE, 0o750),
      SAXCTL_WEBRIDGE_SOCKET: socket,
      SAXCTL_WEBRIDGE_SOCKET_MODE: '0660',
      SAXCTL_WEBRIDGE_SOCKET_GROUP: String(WEB),
      SAXCTL_WEBRIDGE_SPOOL: spool,
      SAXCTL_WEBRIDGE_SNAPSHOT: join(own('snapshot', SERVICE, SERVICE, 0o755), 'room.json'),
    };
  });
  afterAll(async () => {
    await observer?.stop();
    await stack?.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  test('the web server says by spool and socket and reads the snapshot, a stranger does not', async () => {
    expect(await php(`umask(0077); echo saxSay(SAX_PLAIN, '', 'by spool') ? 1 : 0;`)).toEqual([0, '1']);
    const bridge = as(SERVICE, `--groups=${WEB}`, [process.execPath, PROGRAM, 'webridge']);
    await until(
      () => observer.heard('by spool'),
      () => bridge.out(),
    );
    await until(() => readdirSync(spool).length === 0);
    const { mode, gid } = statSync(socket);
    expect([mode & 0o777, gid]).toEqual([0o660, WEB]);
    expect(
      await php(`echo saxSay(SAX_PLAIN, '', 'by socket') ? 1 : 0, is_file('${spool}/announcements') ? 1 : 0;`),
    ).toEqual([0, '10']);
    await until(() => observer.heard('by socket'));
    const say = [process.execPath, PROGRAM, 'say', '--socket', socket];
    // The configuration is the service's: others name the socket.
    env['SAXCTL_CONFIG'] = '';
    expect(await finished(WEB, [...say, '--wait', '20000', 'by command'])).toEqual([
      0,
      expect.stringMatching(/^\d+ \d+\n$/),
    ]);
    expect(await finished(STRANGER, [...say, 'by a stranger'])).toEqual([77, expect.stringContaining('not allowed')]);
    const read = `echo count(json_decode(file_get_contents('${env['SAXCTL_WEBRIDGE_SNAPSHOT']}'), true)['messages']);`;
    await until(async () => Number((await php(read))[1]) >= 3);
    bridge.child.kill('SIGTERM');
    expect([await bridge.ended, observer.heard('by a stranger')]).toEqual([0, false]);
  });
});
