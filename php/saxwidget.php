<?php
/**
 * saxwidget: the chat widget on a page of a phpBB site. PHP 7.4 to 8.x, no dependency but saxtoken.php beside it.
 *
 *   require 'saxwidget.php';
 *   echo sax_widget(array(
 *       'manifest'  => '/var/www/chat/widget/manifest.json',   // or 'script' and 'integrity', as `saxctl widget` prints them
 *       'url'       => '/chat/widget/',
 *       'domain'    => 'chat.example.org',
 *       'room'      => 'sax@conference.chat.example.org',
 *       'snapshot'  => '/var/lib/saxctl/snapshot/room.json',   // [webridge] snapshot; inlined: shown with the page itself
 *       'username'  => $user->data['is_registered'] ? $user->data['username'] : '',
 *       'token_key' => SAX_TOKEN_KEY,                          // [auth] token_key
 *   ));
 *
 * The token stands in the page, so the page must not be cached for others (phpBB's own pages are not). Where pages are
 * cached leave 'token_key' out and give 'session' alone: the widget then asks php/saxsession.php.
 */

require_once __DIR__ . '/saxtoken.php';

/** A text for an attribute or for HTML. */
function sax_escape($text)
{
    return htmlspecialchars((string) $text, ENT_QUOTES | ENT_SUBSTITUTE, 'UTF-8');
}

/**
 * What the widget calls "user": the member's name as people read it. phpBB stores names HTML-escaped, so that is undone once;
 * a backslash that would begin a code of XEP-0106 is escaped, because the widget decodes such codes.
 */
function sax_user($username)
{
    $name = html_entity_decode((string) $username, ENT_QUOTES, 'UTF-8');
    return preg_replace('/\\\\(?=20|22|26|27|2f|3a|3c|3e|40|5c)/', '\\\\5c', $name);
}

/** The snapshot as JSON that may stand inside <script>, or '' when there is none that can be read. */
function sax_snapshot($file)
{
    $text = $file === '' ? false : @file_get_contents($file, false, null, 0, 2000000);
    $data = is_string($text) ? json_decode($text) : null;
    if (!is_object($data)) {
        return '';
    }
    $json = json_encode($data, JSON_HEX_TAG | JSON_HEX_AMP | JSON_UNESCAPED_UNICODE | JSON_INVALID_UTF8_SUBSTITUTE);
    return is_string($json) ? $json : '';
}

/**
 * The HTML of the widget: script, element, token, inlined snapshot. Never warns, never throws; where something is missing
 * the widget has less (no token: read-only; no snapshot: empty until the chat answers).
 *
 * @param array $options domain (required); room, url, script, integrity, manifest, snapshot, snapshot_url, username,
 *                       token_key, token_ttl (600), session (/chat/session.php), ws (/ws), bosh (/bosh), title, bots, attributes
 * @return string HTML, UTF-8
 */
function sax_widget(array $options)
{
    $options += array(
        'domain' => '', 'room' => '', 'url' => '/chat/widget/', 'script' => '', 'integrity' => '', 'manifest' => '',
        'snapshot' => '', 'snapshot_url' => '', 'username' => '', 'token_key' => '', 'token_ttl' => 600,
        'session' => '/chat/session.php', 'ws' => '/ws', 'bosh' => '/bosh', 'title' => '', 'bots' => '', 'attributes' => array(),
    );
    if ($options['script'] === '' && $options['manifest'] !== '') {
        $manifest = json_decode((string) @file_get_contents($options['manifest']), true);
        if (isset($manifest['file'], $manifest['integrity'])) {
            $options['script'] = $options['url'] . $manifest['file'];
            $options['integrity'] = $manifest['integrity'];
        }
    }
    $attributes = array(
        'title' => $options['title'],
        'domain' => $options['domain'],
        'room' => $options['room'],
        'ws' => $options['ws'],
        'bosh' => $options['bosh'],
        'snapshot' => $options['snapshot_url'],
        'bots' => $options['bots'],
    );
    if ($options['username'] !== '') {
        $attributes['session'] = $options['session'];
        $token = $options['token_key'] === '' ? false : saxToken($options['username'], $options['token_key'], $options['token_ttl']);
        if ($token !== false) {
            $attributes['user'] = sax_user($options['username']);
            $attributes['password'] = $token;
        }
    }
    $tag = '';
    foreach ($options['attributes'] + $attributes as $name => $value) {
        if ($value !== '' && preg_match('/^[a-z-]+$/', $name)) {
            $tag .= ' ' . $name . '="' . sax_escape($value) . '"';
        }
    }
    $html = '';
    if ($options['script'] !== '') {
        $integrity = $options['integrity'] === '' ? '' : ' integrity="' . sax_escape($options['integrity']) . '" crossorigin="anonymous"';
        $html .= '<script type="module" src="' . sax_escape($options['script']) . '"' . $integrity . "></script>\n";
    }
    $snapshot = sax_snapshot($options['snapshot']);
    return $html . '<sax-chat' . $tag . '>'
        . ($snapshot === '' ? '' : '<script type="application/json">' . $snapshot . '</script>') . "</sax-chat>\n";
}

/** Where the request comes from (Fetch Metadata); older browsers do not say. On phpBB's pages $_SERVER cannot be read. */
function sax_fetch_site()
{
    if (is_array($_SERVER)) {
        return isset($_SERVER['HTTP_SEC_FETCH_SITE']) ? $_SERVER['HTTP_SEC_FETCH_SITE'] : 'same-origin';
    }
    global $request;
    return $request->header('Sec-Fetch-Site', 'same-origin');
}

/**
 * Answers the widget's question who is there: {"user","password"} with a fresh token, or 403 for guests. For
 * php/saxsession.php, after phpBB has checked its own session.
 *
 * @param string $username $user->data['username'], or '' for a guest
 */
function sax_session($username, $token_key, $ttl = 600)
{
    header('Content-Type: application/json; charset=utf-8');
    header('Cache-Control: no-store');
    header('X-Content-Type-Options: nosniff');
    // Only pages of this site may ask: what is answered logs in as this member.
    $token = $username === '' || sax_fetch_site() !== 'same-origin' ? false : saxToken($username, $token_key, $ttl);
    if ($token === false) {
        http_response_code(403);
        echo '{"user":null}';
        return;
    }
    echo json_encode(array('user' => sax_user($username), 'password' => $token), JSON_UNESCAPED_SLASHES);
}
