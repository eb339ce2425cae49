import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { DatagramSocket } from '../../../src/app/ports/datagram.ts';
import { decodeDatagram } from '../../../src/core/datagram.ts';
import { parseSpool } from '../../../src/core/spool.ts';
import { SAY_TYPES } from '../../../src/core/wording.ts';
import { listenDatagrams } from '../../../src/edges/dgram/listen.ts';

const SAXSAY = fileURLToPath(new URL('../../../php/saxsay.php', import.meta.url));
let directory: string;
let socket: DatagramSocket;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sax-'));
  socket = listenDatagrams({ path: join(directory, 's'), mode: 0o600 });
});
afterEach(() => {
  socket.close();
  rmSync(directory, { recursive: true });
});

/** Runs PHP code with saxSay; a site's strict error handler and exceptions included. Gives what it printed. */
const php = (code: string, defines = ''): Promise<string> =>
  new Promise((resolve) => {
    const strict = `error_reporting(E_ALL); set_error_handler(function ($c, $m) { echo "warning: $m"; throw new ErrorException($m); });`;
    const child = spawn(
      'php',
      ['-r', `define('SAXSAY_SOCKET', '${directory}/s'); ${defines} ${strict} require '${SAXSAY}'; ${code}`],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    let out = '';
    child.stdout.on('data', (chunk) => {
      out += chunk;
    });
    child.once('close', () => resolve(out));
  });
const taken = (): string[] =>
  socket.take().map(({ bytes, truncated }) => {
    const decoded = decodeDatagram(bytes, truncated, { entities: 'decode', wording: {} });
    return decoded.ok ? decoded.announcement.text : `refused: ${decoded.reason}`;
  });

test('the constants are the types of the contract', async () => {
  const constants = readFileSync(SAXSAY, 'utf8').match(/(?<=^const SAX_\w+ = ')[a-z-]+(?=')/gm);
  expect(constants).toEqual([...SAY_TYPES]);
});

test.each<[string, string]>([
  [
    `saxSay(SAX_NEW_TOPIC, 'Tari', 'Q&amp;A "quoted" \\\\ é', 'News', 'https://x.test/?a=1&amp;b=2', 7)`,
    '* Tari opened a topic in News: Q&A "quoted" \\ é – https://x.test/?a=1&b=2',
  ],
  [`saxSay(SAX_PLAIN, '', 'as it is')`, 'as it is'],
  [`saxSay(SAX_PLAIN, '', '{"sax":1}')`, ' {"sax":1}'],
  [`saxSay(SAX_CHAT, "J\\xfcrgen", "Gr\\xfc\\xdfe \\x80")`, '* Jürgen: Grüße €'],
  [`saxSay(SAX_CHAT, 'T', "a\\0b\\nc\\x1fd")`, '* T: ab cd'],
  [`saxSay(2, 'T', 'x')`, '* T replied to x'],
  [`saxSay(9, 'T', 'x')`, '* T (type-9): x'],
  [`saxSay(SAX_CHAT, 'T', str_repeat('é', 5000))`, `* T: ${'é'.repeat(499)}…`],
])('%s says it', async (call, text) => {
  expect(await php(`var_dump(${call});`, `define('SAXSAY_TYPES', [1 => 'new-topic', 2 => 'reply']);`)).toBe(
    'bool(true)\n',
  );
  expect(taken()).toEqual([text]);
});

test('what cannot be said is false, without a word', async () => {
  expect(
    await php(
      `var_dump(saxSay('No Type', 'x'), saxSay(SAX_PLAIN, '', ''), saxSay([], 'x'), saxSay(SAX_CHAT, new stdClass));`,
    ),
  ).toBe('bool(false)\n'.repeat(4));
  socket.close();
  expect(await php(`var_dump(saxSay(SAX_CHAT, 'T', 'x'));`)).toBe('bool(false)\n');
});

test('a full queue is false at once; the site’s error handler is its own again afterwards', async () => {
  const code = `$n = 0; while (saxSay(SAX_PLAIN, '', 'x') && $n < 1000) $n++; echo $n < 1000 ? 'full' : 'endless'; try { echo $undefined; } catch (ErrorException $e) { echo ' caught'; }`;
  expect(await php(code)).toMatch(/^fullwarning: .* caught$/);
});

test('a webridge that was started again is found by the same page', async () => {
  socket.close();
  const code = `
    $open = function () { return stream_socket_server("udg://${directory}/s", $c, $m, STREAM_SERVER_BIND); };
    $first = $open();
    echo saxSay(SAX_PLAIN, '', 'one') ? 1 : 0, fread($first, 100);
    fclose($first);
    unlink('${directory}/s');
    $second = $open();
    echo saxSay(SAX_PLAIN, '', 'two') ? 1 : 0, fread($second, 100);`;
  expect(await php(code)).toBe('1one1two');
});

test('what the socket does not take goes to the spool, and what follows it too', async () => {
  socket.close();
  const spool = `define('SAXSAY_SPOOL', '${directory}');`;
  expect(await php(`for ($i = 0; $i < 3; $i++) echo saxSay(SAX_PLAIN, '', "line\\n$i") ? 1 : 0;`, spool)).toBe('111');
  socket = listenDatagrams({ path: join(directory, 's'), mode: 0o600 });
  expect(await php(`echo saxSay(SAX_PLAIN, '', 'after') ? 1 : 0;`, spool)).toBe('1');
  expect(taken()).toEqual([]);
  const { records, damaged } = parseSpool(readFileSync(join(directory, 'announcements')));
  expect(records.map(({ bytes }) => new TextDecoder().decode(bytes))).toEqual([
    'line\n0',
    'line\n1',
    'line\n2',
    'after',
  ]);
  expect([damaged, new Set(records.map(({ id }) => id)).size]).toEqual([0, 4]);
});

test('whatever the umask, the webridge may read the spool and the site’s group write it', async () => {
  socket.close();
  const spool = `define('SAXSAY_SPOOL', '${directory}');`;
  expect(await php(`umask(0077); echo saxSay(SAX_PLAIN, '', 'x') ? 1 : 0;`, spool)).toBe('1');
  expect(statSync(join(directory, 'announcements')).mode & 0o777).toBe(0o664);
});
