import { signToken } from '../../app/auth-token.ts';
import { systemClock } from '../../clock.ts';
import { need } from '../../config/load.ts';
import { parseDuration } from '../../config/schema.ts';
import { EXIT, type ExitCode, SaxError } from '../../core/errors.ts';
import { printable } from '../../core/escape.ts';
import { localpartOf } from '../../core/member-name.ts';
import { openMembers } from '../../edges/phpbb/members.ts';
import type { Context } from '../command.ts';

const DEFAULT_TTL = '10m';

/** `auth --token USER`: prints a token for a member, who must exist; whether he may log in is seen when he does. */
export async function token(context: Context, user: string, ttl: string | undefined, json: boolean): Promise<ExitCode> {
  const life = timeToLive(ttl ?? DEFAULT_TTL);
  const loaded = await context.loadConfig();
  const key = need(loaded, 'auth', 'token_key');
  need(loaded, 'database', 'name');
  const members = openMembers(loaded.config.database);
  try {
    const member = await members.named(user);
    if (member === undefined)
      throw new SaxError(EXIT.data, `auth --token: no member is called ${printable(user)}`, {
        hint: 'give the name as the forum shows it',
      });
    const expires = Math.floor(systemClock.now() / 1000) + life;
    const signed = signToken(key, member.username, expires);
    if (!member.active || member.banned)
      context.log.warn(
        'refused',
        `${printable(user)} is ${member.active ? 'banned' : 'not active'}: the token will be refused`,
      );
    context.io.stdout.write(
      json
        ? `${JSON.stringify({ token: signed, user: member.username, localpart: localpartOf(member.username), expires })}\n`
        : `${signed}\n`,
    );
    return EXIT.done;
  } finally {
    await members.close();
  }
}

/** Seconds. */
function timeToLive(text: string): number {
  let ms: number;
  try {
    ms = parseDuration(text);
  } catch (error) {
    throw new SaxError(EXIT.usage, `auth: --ttl ${printable(text)} is wrong: must be ${(error as Error).message}`);
  }
  if (ms < 1000) throw new SaxError(EXIT.usage, `auth: --ttl ${printable(text)} is too short: at least 1s`);
  return Math.floor(ms / 1000);
}
