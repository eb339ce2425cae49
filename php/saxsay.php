<?php
/**
 * saxSay: the site's half of the announcements (saxctl webridge is the other). PHP 7.4 to 8.x, no extension beyond the
 * standard ones, one file to include.
 *
 *   define('SAXSAY_SOCKET', '/run/saxctl/say.sock');       // [webridge] socket of saxctl.toml; this is the default
 *   define('SAXSAY_SPOOL', '/var/spool/saxctl');           // [webridge] spool; without it there is none
 *   require 'saxsay.php';
 *   saxSay(SAX_NEW_TOPIC, $username, $subject, $forum, $url);
 *
 * It never waits, never warns, never throws. It returns true when the announcement was taken over (by the socket or the spool) and
 * false when it was dropped. Texts go out as they are: nothing is decoded, nothing is escaped; the webridge expects UTF-8 or
 * Windows-1252 and undoes phpBB's HTML entities itself.
 */

const SAX_CHAT = 'chat';
const SAX_ACTION = 'action';
const SAX_NEW_TOPIC = 'new-topic';
const SAX_REPLY = 'reply';
const SAX_EDIT = 'edit';
const SAX_DELETE = 'delete';
const SAX_RESTORE = 'restore';
const SAX_LOCK = 'lock';
const SAX_UNLOCK = 'unlock';
const SAX_MOVE = 'move';
const SAX_MERGE = 'merge';
const SAX_SPLIT = 'split';
const SAX_APPROVE = 'approve';
const SAX_NEW_USER = 'new-user';
const SAX_RENAME = 'rename';
const SAX_UPLOAD = 'upload';
const SAX_UPDATE = 'update';
const SAX_NEWS = 'news';
const SAX_POLL = 'poll';
const SAX_REPORT = 'report';
const SAX_SYSTEM = 'system';

/** A line as it is, without a type: $what alone is said. */
const SAX_PLAIN = '';

/** A spool that the webridge does not empty is not filled beyond this. */
const SAXSAY_SPOOL_BYTES = 67108864;

/**
 * Announces something in the chat room.
 *
 * $type is one of the constants above, or a number of the site's own that SAXSAY_TYPES names:
 *   define('SAXSAY_TYPES', [1 => SAX_NEW_TOPIC, 2 => SAX_REPLY]);
 */
function saxSay($type, $who = '', $what = '', $where = '', $url = '', $id = 0): bool
{
    // Silence also for a site whose own error handler ignores "@".
    set_error_handler(static function () {
        return true;
    });
    try {
        $bytes = saxSayDatagram($type, $who, $what, $where, $url, $id);
        return $bytes !== '' && saxSayDeliver($bytes);
    } catch (\Throwable $error) {
        return false;
    } finally {
        restore_error_handler();
    }
}

/** The datagram (DESIGN section 6), '' when there is nothing to say. */
function saxSayDatagram($type, $who, $what, $where, $url, $id): string
{
    if (is_int($type) || (is_string($type) && ctype_digit($type))) {
        $types = defined('SAXSAY_TYPES') ? constant('SAXSAY_TYPES') : [];
        $type = $types[(int) $type] ?? 'type-' . (int) $type;
    }
    $type = (string) $type;
    $what = (string) $what;
    if ($type === SAX_PLAIN) {
        // What looks like a structure would be taken for one.
        return saxSayCut(strncmp($what, '{"sax":', 7) === 0 ? ' ' . $what : $what, 8192);
    }
    if (preg_match('/^[a-z][a-z0-9-]{0,31}$/D', $type) !== 1) {
        return '';
    }
    $json = sprintf('{"sax":1,"type":"%s"', $type);
    // Longer ones are cut by the webridge anyway; this keeps the whole within its 8,192 bytes.
    foreach (['who' => [$who, 256], 'what' => [$what, 2000], 'where' => [$where, 400]] as $name => $value) {
        $text = saxSayCut((string) $value[0], $value[1]);
        if ($text !== '') {
            $json .= sprintf(',"%s":"%s"', $name, saxSayQuote($text));
        }
    }
    $url = (string) $url;
    if ($url !== '' && strlen($url) <= 2000) {
        $json .= sprintf(',"url":"%s"', saxSayQuote($url));
    }
    if ((int) $id > 0) {
        $json .= sprintf(',"id":%d', $id);
    }
    return $json . sprintf(',"ts":%d}', time());
}

/** The inside of a JSON string. Bytes that are not UTF-8 stay: the webridge reads them as Windows-1252. */
function saxSayQuote(string $text): string
{
    static $map = null;
    if ($map === null) {
        $map = ['"' => '\\"', '\\' => '\\\\'];
        for ($code = 0; $code < 32; $code++) {
            $map[chr($code)] = sprintf('\\u%04x', $code);
        }
    }
    return strtr($text, $map);
}

/** At most so many bytes, and no half character at the end. */
function saxSayCut(string $text, int $bytes): string
{
    if (strlen($text) <= $bytes) {
        return $text;
    }
    for ($end = $bytes; $end > $bytes - 4 && (ord($text[$end]) & 0xC0) === 0x80; $end--) {
    }
    return substr($text, 0, $end);
}

/** To the socket, else to the spool. What follows something in the spool goes there too, so that the order stays. */
function saxSayDeliver(string $bytes): bool
{
    $spool = defined('SAXSAY_SPOOL') ? (string) constant('SAXSAY_SPOOL') : '';
    if ($spool === '') {
        return saxSaySend($bytes);
    }
    $current = $spool . '/announcements';
    clearstatcache(false, $current);
    if (!is_file($current) && !is_file($current . '.sweeping') && saxSaySend($bytes)) {
        return true;
    }
    return saxSaySpool($current, $bytes);
}

/** One datagram, without waiting. The socket stays open for the rest of the page. */
function saxSaySend(string $bytes): bool
{
    static $socket = null;
    $path = defined('SAXSAY_SOCKET') ? (string) constant('SAXSAY_SOCKET') : '/run/saxctl/say.sock';
    // The second attempt is for a webridge that was started again and made its socket anew.
    for ($attempt = 0; $attempt < 2; $attempt++) {
        $old = $socket !== null;
        if (!$old) {
            $socket = @stream_socket_client('udg://' . $path, $code, $reason, 0, STREAM_CLIENT_CONNECT) ?: null;
            if ($socket === null) {
                return false;
            }
            stream_set_blocking($socket, false);
            stream_set_write_buffer($socket, 0);
        }
        $written = @fwrite($socket, $bytes);
        if ($written === strlen($bytes)) {
            return true;
        }
        // 0: the queue is full. false: nobody listens on this one any more.
        if ($written === 0) {
            return false;
        }
        fclose($socket);
        $socket = null;
        if (!$old) {
            return false;
        }
    }
    return false;
}

/** Appends to the spool. The shared lock keeps the webridge from removing the file under our hands; writers do not wait for each other. */
function saxSaySpool(string $current, string $bytes): bool
{
    static $count = 0;
    for ($attempt = 0; $attempt < 4; $attempt++) {
        $file = @fopen($current, 'ab');
        if ($file === false) {
            return false;
        }
        // Refused, or a file without a name: the webridge has it already and a new one is to be made.
        if (!@flock($file, LOCK_SH | LOCK_NB) || ($stat = fstat($file))['nlink'] === 0) {
            fclose($file);
            continue;
        }
        // Whatever the umask: the webridge must read it, a cron job of the group write it. Who may at all is the directory's matter.
        if ($stat['size'] === 0) {
            @chmod($current, 0664);
        }
        if ($stat['size'] > SAXSAY_SPOOL_BYTES) {
            fclose($file);
            return false;
        }
        stream_set_write_buffer($file, 0);
        list($fraction, $seconds) = explode(' ', microtime());
        $id = sprintf('%d.%06d-%d-%d', $seconds, $fraction * 1000000, getmypid(), ++$count);
        // One write, so that records of several processes do not mix. A cut one (disk full) is known by length and checksum,
        // and does not hide this one, which begins a line of its own.
        $record = sprintf("\n%s %d %s\n%s\n", $id, strlen($bytes), hash('fnv1a32', $bytes), $bytes);
        $written = @fwrite($file, $record);
        fclose($file);
        return $written === strlen($record);
    }
    return false;
}
