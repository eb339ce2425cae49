<?php
/**
 * The site's half of the login: a short-lived signed token that the page hands to the chat widget, because the forum's
 * session cookie is HttpOnly and its row is gone after an hour without page views. `saxctl auth` verifies it.
 *
 * PHP 7.4 to 8.x, no dependency. License: MIT.
 */

if (!function_exists('saxToken')) {
    /**
     * A token for one member: "sax1." + base64url(JSON {"u":username,"e":unix seconds}) + "." + base64url(HMAC-SHA256 of
     * everything before this dot).
     *
     * @param string $username The name as the forum stores it, HTML-escaped: in phpBB $user->data['username']. Only that of
     *                         the member who asks, and only after the forum has found his session valid.
     * @param string $key      The bytes of [auth] token_key in saxctl.toml; at least 32 random characters.
     * @param int    $ttl      Seconds that the token is valid. It is needed at the moment of the login only, and again at
     *                         each reconnect (the page asks for a new one then): ten minutes are plenty.
     * @return string|false    The token, or false when there is nothing to sign or to sign with. Never throws.
     */
    function saxToken($username, $key, $ttl = 600)
    {
        if (!is_string($username) || $username === '' || !is_string($key) || $key === '' || (int) $ttl < 1) {
            return false;
        }
        // A latin1 board: what is not UTF-8 is cp1252, as saxctl reads it.
        if (!preg_match('//u', $username)) {
            $username = saxFromCp1252($username);
        }
        $json = json_encode(array('u' => $username, 'e' => time() + (int) $ttl));
        if ($json === false) {
            return false;
        }
        $body = 'sax1.' . saxBase64Url($json);
        return $body . '.' . saxBase64Url(hash_hmac('sha256', $body, $key, true));
    }

    /** Windows-1252 as UTF-8, without an extension of PHP. */
    function saxFromCp1252($bytes)
    {
        static $high = array(
            '€', "\xc2\x81", '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', "\xc2\x8d", 'Ž', "\xc2\x8f",
            "\xc2\x90", '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', "\xc2\x9d", 'ž', 'Ÿ',
        );
        $text = '';
        for ($at = 0, $length = strlen($bytes); $at < $length; $at++) {
            $byte = ord($bytes[$at]);
            if ($byte < 0x80) {
                $text .= $bytes[$at];
            } elseif ($byte < 0xa0) {
                $text .= $high[$byte - 0x80];
            } else {
                $text .= chr($byte < 0xc0 ? 0xc2 : 0xc3) . chr($byte < 0xc0 ? $byte : $byte - 0x40);
            }
        }
        return $text;
    }

    /** RFC 4648 section 5, without padding. */
    function saxBase64Url($bytes)
    {
        return rtrim(strtr(base64_encode($bytes), '+/', '-_'), '=');
    }
}
