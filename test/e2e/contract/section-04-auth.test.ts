/**
 * `saxctl auth` (section 4) by the environment alone, over tables that somebody else made under his own prefix, with tokens
 * of an HMAC that knows nothing of ours.
 */
import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Stack } from '../../../src/edges/stack/types.ts';
import { PROGRAM, startTestStack } from '../../helpers/stack.ts';
import { stranger } from './stranger.ts';

const KEY = 'töken key: 1';
const SID = 'c0ffee'.padEnd(32, '0');
let stack: Stack;
let env: Record<string, string>;

beforeAll(async () => {
  stack = await startTestStack({ parts: ['mariadb'] });
  const latin = 'ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_bin';
  for (const statement of [
    'CREATE DATABASE elsewhere',
    "CREATE USER 'reader'@'%' IDENTIFIED BY 'r:e/ad'",
    "GRANT SELECT ON elsewhere.* TO 'reader'@'%'",
    `CREATE TABLE elsewhere.brd_users (user_id INT UNSIGNED PRIMARY KEY, user_type TINYINT NOT NULL DEFAULT 0,
      username VARCHAR(255) NOT NULL, username_clean VARCHAR(255) NOT NULL UNIQUE, user_email VARCHAR(100) NOT NULL DEFAULT '') ${latin}`,
    `CREATE TABLE elsewhere.brd_sessions (session_id CHAR(32) PRIMARY KEY, session_user_id INT UNSIGNED NOT NULL,
      session_time INT UNSIGNED NOT NULL, session_ip VARCHAR(40) NOT NULL DEFAULT '', session_autologin TINYINT NOT NULL DEFAULT 0) ${latin}`,
    `CREATE TABLE elsewhere.brd_config (config_name VARCHAR(255) PRIMARY KEY, config_value VARCHAR(255) NOT NULL) ${latin}`,
    `CREATE TABLE elsewhere.brd_banlist (ban_id INT UNSIGNED AUTO_INCREMENT PRIMARY KEY, ban_userid INT UNSIGNED NOT NULL DEFAULT 0,
      ban_ip VARCHAR(40) NOT NULL DEFAULT '', ban_email VARCHAR(100) NOT NULL DEFAULT '', ban_end INT UNSIGNED NOT NULL DEFAULT 0,
      ban_exclude TINYINT NOT NULL DEFAULT 0, KEY ban_user (ban_userid, ban_exclude)) ${latin}`,
    "INSERT INTO elsewhere.brd_config VALUES ('session_length','3600'),('allow_autologin','1'),('max_autologin_time','0')",
    "INSERT INTO elsewhere.brd_users VALUES (1,2,'Anonymous','anonymous',''),(7,0,'Tom &amp; Jerry','tom & jerry',''),(8,0,'Out','out','')",
    'INSERT INTO elsewhere.brd_banlist (ban_userid) VALUES (8)',
    `INSERT INTO elsewhere.brd_sessions (session_id,session_user_id,session_time) VALUES ('${SID}',7,UNIX_TIMESTAMP())`,
  ])
    await stack.sql(statement);
  env = {
    SAXCTL_DATABASE_SOCKET: stack.databaseSocket,
    SAXCTL_DATABASE_USER: 'reader',
    SAXCTL_DATABASE_PASSWORD: 'r:e/ad',
    SAXCTL_DATABASE_NAME: 'elsewhere',
    SAXCTL_DATABASE_TABLE_PREFIX: 'brd_',
    SAXCTL_XMPP_DOMAIN: 'talk.example',
    SAXCTL_AUTH_TOKEN_KEY: KEY,
    SAXCTL_GUARD_JID: 'warden@talk.example',
    SAXCTL_GUARD_PASSWORD: 'pass:word',
    HOME: stack.directory,
  };
});
afterAll(() => stack.stop());

function token(user: string, expires: number, key = KEY): string {
  const head = `sax1.${Buffer.from(JSON.stringify({ u: user, e: expires })).toString('base64url')}`;
  return `${head}.${createHmac('sha256', Buffer.from(key)).update(head).digest('base64url')}`;
}

function packet(question: string): Uint8Array {
  const bytes = Buffer.from(question);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

test('every packet of one write gets its answer, in order, then exit 0', async () => {
  const soon = Math.floor(Date.now() / 1000) + 60;
  const tom = 'tom\\20\\26\\20jerry:talk.example';
  const questions: readonly (readonly [string, 0 | 1])[] = [
    [`auth:${tom}:${SID}`, 1],
    [`auth:${tom}:${SID} `, 0],
    [`auth:${tom}:${SID.toUpperCase()}`, 0],
    [`auth:tom & jerry:talk.example:${SID}`, 0],
    [`auth:out:talk.example:${SID}`, 0],
    [`auth:tom\\20\\26\\20jerry:other.example:${SID}`, 0],
    [`auth:${tom}:${token('Tom & Jerry', soon)}`, 1],
    [`auth:${tom}:${token('Tom & Jerry', soon - 61)}`, 0],
    [`auth:${tom}:${token('Tom & Jerry', soon, 'another')}`, 0],
    [`auth:out:talk.example:${token('Out', soon)}`, 0],
    ['auth:warden:talk.example:pass:word', 1],
    ['auth:warden:talk.example:pass', 0],
    [`isuser:${tom}`, 1],
    ['isuser:warden:talk.example', 1],
    ['isuser:anonymous:talk.example', 0],
    [`setpass:${tom}:x`, 0],
    ['tryregister:new:talk.example:x', 0],
    [`removeuser:${tom}`, 0],
    [`auth:${tom}:x\n\0\u0011isuser:${tom}`, 0],
    ['', 0],
    ['x'.repeat(65_535), 0],
    [`isuser:${tom}`, 1],
  ];
  const run = await stranger(
    process.execPath,
    [PROGRAM, 'auth'],
    env,
    Buffer.concat(questions.map(([question]) => packet(question))),
  );
  expect(run.code).toBe(0);
  expect(run.stdout).toBe(questions.map(([, answer]) => `\0\x02\0${String.fromCharCode(answer)}`).join(''));
  expect(run.stderr).not.toContain(SID);
});

test('--check says which refusal it is by its exit code, without a stack trace when the database refuses us', async () => {
  const check = (more: Record<string, string> = {}) =>
    stranger(process.execPath, [PROGRAM, 'auth', '--check', 'Tom & Jerry'], { ...env, ...more }, `${SID}\n`);
  const allowed = await check();
  expect([allowed.code, allowed.stdout]).toEqual([0, expect.stringMatching(/^allowed \(session, /m)]);
  const refused = await check({ SAXCTL_DATABASE_PASSWORD: 'wrong' });
  expect([refused.code, refused.stdout, refused.stderr.trim().split('\n').length]).toEqual([77, '', 1]);
  const away = await check({ SAXCTL_DATABASE_SOCKET: '/nonexistent/sock' });
  expect([away.code, away.stdout]).toEqual([69, '']);
});
