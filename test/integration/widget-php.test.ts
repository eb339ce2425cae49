/** php/saxwidget.php with the real PHP: hostile names and snapshots, tokens that saxctl accepts, the session endpoint of a phpBB. */
import { execFile } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseToken } from '../../src/core/token.ts';
import { memberOf } from '../../widget/src/jid.ts';

const run = promisify(execFile);
const KEY = 'k'.repeat(40);

/** Runs a piece of PHP; every notice and warning fails it. */
async function php(code: string, env: Record<string, string> = {}): Promise<string> {
  const strict = `error_reporting(E_ALL); set_error_handler(function ($n, $text) { if (error_reporting() & $n) { fwrite(STDERR, $text); exit(9); } });`;
  const { stdout } = await run('php', ['-d', 'display_errors=stderr', '-r', `${strict}${code}`], {
    env: { PATH: process.env['PATH'] ?? '', ...env },
  });
  return stdout;
}
const quoted = (text: string) => `'${text.replace(/[\\']/g, '\\$&')}'`;

function expectToken(token: string, username: string): void {
  const parsed = parseToken(token);
  expect(parsed?.username).toBe(username);
  expect(parsed?.signature).toBe(
    createHmac('sha256', KEY)
      .update(parsed?.signed ?? '')
      .digest('base64url'),
  );
  expect(parsed?.expires).toBeGreaterThan(Date.now() / 1000);
}

describe('saxwidget.php', () => {
  let directory: string;
  const file = resolve('php/saxwidget.php');

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'saxctl-php-'));
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  it('prints script, element, token and snapshot, and escapes all of it', async () => {
    const manifest = join(directory, 'manifest.json');
    await writeFile(manifest, JSON.stringify({ file: 'sax-chat.0.js', integrity: 'sha384-x' }));
    const snapshot = join(directory, 'room.json');
    await writeFile(
      snapshot,
      JSON.stringify({ v: 1, room: 'r', messages: [{ n: 'x', t: '</script><script>alert(1)</script><!--', ts: 1 }] }),
    );
    const html = await php(
      `require ${quoted(file)}; echo sax_widget(array('manifest' => ${quoted(manifest)}, 'domain' => '"><script>', 'snapshot' => ${quoted(snapshot)}, 'username' => 'Tom &amp; &quot;Jerry&quot;', 'token_key' => ${quoted(KEY)}));`,
    );
    expect(html).toContain(
      '<script type="module" src="/chat/widget/sax-chat.0.js" integrity="sha384-x" crossorigin="anonymous"></script>',
    );
    expect(html).toContain('domain="&quot;&gt;&lt;script&gt;"');
    expect(html).toContain('user="Tom &amp; &quot;Jerry&quot;"');
    expect(html.match(/<\/script>/g)).toHaveLength(2);
    const inlined = /json">(.*)<\/script>/.exec(html)?.[1] ?? '';
    expect(JSON.parse(inlined).messages[0].t).toBe('</script><script>alert(1)</script><!--');
    expectToken(/password="([^"]+)"/.exec(html)?.[1] ?? '', 'Tom &amp; &quot;Jerry&quot;');
  });

  it('has less where something is missing, and never warns', async () => {
    const html = await php(
      `require ${quoted(file)}; echo sax_widget(array('domain' => 'd', 'snapshot' => '/none', 'manifest' => '/none'));`,
    );
    expect(html).toBe('<sax-chat domain="d" ws="/ws" bosh="/bosh"></sax-chat>\n');
  });

  it.each([['Bob Smith'], ['back\\20slash'], ['a:b/c'], ["O'Neil"], ['<b>Bold</b>'], ['Пётр']])(
    'names %s so that the widget enters under that name',
    async (name) => {
      const stored = name.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
      const user = await php(`require ${quoted(file)}; echo sax_user(${quoted(stored)});`);
      expect(memberOf(user).nick).toBe(name);
    },
  );

  it('answers the session URL by phpBB’s own session', async () => {
    await writeFile(
      join(directory, 'common.php'),
      // What of phpBB 3.3 our file touches: it insists on IN_PHPBB, takes the request's variables away ($_SERVER becomes an object
      // that may be asked but not read), and knows its visitors only after session_begin().
      `<?php if (!defined('IN_PHPBB')) exit;
        class Deactivated implements ArrayAccess {
          function offsetExists($name): bool { global $request; return isset($request->server[$name]); }
          #[ReturnTypeWillChange] function offsetGet($name) { trigger_error('Illegal use of $_SERVER', E_USER_ERROR); }
          function offsetSet($name, $value): void { $this->offsetGet($name); }
          function offsetUnset($name): void { $this->offsetGet($name); }
        }
        class FakeRequest {
          public $server;
          function __construct() { $this->server = $GLOBALS['_SERVER']; foreach (array('_GET', '_POST', '_COOKIE', '_REQUEST', '_SERVER', '_FILES') as $name) $GLOBALS[$name] = new Deactivated; }
          function header($name, $default = '') { $key = 'HTTP_' . str_replace('-', '_', strtoupper($name)); return isset($this->server[$key]) ? $this->server[$key] : $default; }
        }
        class FakeUser { public $data = array(); function session_begin($update = true) {
          $this->data = getenv('WHO') === '' ? array('user_id' => 1, 'is_registered' => false, 'is_bot' => false, 'user_type' => 2, 'username' => 'Anonymous')
            : array('user_id' => 2, 'is_registered' => true, 'is_bot' => false, 'user_type' => (int) getenv('TYPE'), 'username' => getenv('WHO')); } }
        $request = new FakeRequest;
        $user = new FakeUser;
        $file = $key = 'a variable of the forum';`,
    );
    await writeFile(join(directory, 'key'), `${KEY}\n`);
    const ask = async (who: string, type = '0', site = 'same-origin') =>
      JSON.parse(
        await php(
          `$_SERVER['HTTP_SEC_FETCH_SITE'] = ${quoted(site)}; require ${quoted(resolve('php/saxsession.php'))};`,
          {
            SAX_PHPBB_ROOT: `${directory}/`,
            SAX_TOKEN_FILE: join(directory, 'key'),
            WHO: who,
            TYPE: type,
          },
        ),
      ) as { user: string | null; password?: string };
    const tari = await ask('Tari');
    expect(tari.user).toBe('Tari');
    expectToken(tari.password ?? '', 'Tari');
    expect(await ask('')).toEqual({ user: null });
    expect(await ask('Inactive', '1')).toEqual({ user: null });
    expect(await ask('Tari', '0', 'cross-site')).toEqual({ user: null });
  });
});
