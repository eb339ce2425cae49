import { memberOf } from './jid.ts';
import type { Account } from './link-port.ts';

/** A fetch that hangs on a connection which died in sleep must end (ms). */
const TIMEOUT = 5000;

const accountOf = (user: unknown, password: unknown): Account | undefined =>
  user && password ? { ...memberOf(`${user}`), password: `${password}` } : undefined;

function cookie(name: string | undefined): string | undefined {
  const pair = name && document.cookie.split('; ').find((entry) => entry.startsWith(`${name}=`));
  return pair && decodeURIComponent(pair.slice(name.length + 1));
}

/**
 * Who is on this page: what the page itself says, else its cookies, else what the session URL answers. `fresh`: the
 * password that we had was refused, so the session URL is asked first. Undefined for a guest; rejects when the site does not answer.
 */
export async function findAccount(
  attribute: (name: string) => string | undefined,
  fresh: boolean,
): Promise<Account | undefined> {
  const session = attribute('session');
  const given =
    accountOf(attribute('user'), attribute('password')) ??
    accountOf(cookie(attribute('user-cookie')), cookie(attribute('sid-cookie')));
  if (!session || (given && !fresh)) return given;
  const response = await fetch(session, { signal: AbortSignal.timeout(TIMEOUT), cache: 'no-store' });
  // 401, 403, 404: nobody is logged in. Anything else that is not an answer is a site in trouble.
  if (/40[134]/.test(`${response.status}`)) return undefined;
  const answer = await response.json();
  return accountOf(answer.user, answer.password);
}
