<?php
/**
 * The widget's session URL on a phpBB 3.3 site: who is logged in, with a token. Put it (or a link to it) where the web server
 * runs PHP, for example as /chat/session.php, and set in the web server's or PHP's configuration:
 *
 *   SAX_PHPBB_ROOT   the forum's directory, with a slash at its end
 *   SAX_TOKEN_FILE   a file with the bytes of [auth] token_key, readable by PHP alone
 */

// Before phpBB is loaded: it then takes $_SERVER away.
$saxServer = static function ($name) {
    return getenv($name) ?: (isset($_SERVER[$name]) ? $_SERVER[$name] : '');
};
$saxTokenFile = $saxServer('SAX_TOKEN_FILE');

define('IN_PHPBB', true);
$phpbb_root_path = $saxServer('SAX_PHPBB_ROOT') ?: './';
$phpEx = 'php';
require_once $phpbb_root_path . 'common.' . $phpEx;
require_once __DIR__ . '/saxwidget.php';

// phpBB's own check: cookie, age, address, browser, bans. `false`: asking for a token is not a page view.
$user->session_begin(false);

$saxKey = $saxTokenFile === '' ? '' : rtrim((string) @file_get_contents($saxTokenFile), "\r\n");
// 0 normal, 3 founder: the two kinds of people that `saxctl auth` lets in.
$saxIsMember = !empty($user->data['is_registered']) && empty($user->data['is_bot']) && in_array((int) $user->data['user_type'], array(0, 3), true);
sax_session($saxIsMember ? $user->data['username'] : '', $saxKey);
