import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { splitJid } from '../core/jid.ts';
import { nodeprep } from '../core/stringprep.ts';

export type BotAccount = { readonly jid: string | undefined; readonly password: string | undefined };

/** The accounts of the bridges and the guard, which log in without the forum. */
export type Bots = {
  /** Whether this account is a bot's; then nobody else's secret opens it. */
  has(user: string, server: string): boolean;
  /** Whether this is its password; takes the same time whatever the secret is. */
  check(user: string, server: string, secret: Uint8Array): boolean;
};

export function createBots(accounts: readonly BotAccount[]): Bots {
  // Hashes of one length with a key that nobody knows: comparing them tells nothing about the passwords.
  const key = randomBytes(32);
  const digest = (secret: Uint8Array | string): Buffer => createHmac('sha256', key).update(secret).digest();
  const passwords = new Map<string, Buffer[]>();
  const locals = new Set<string>();
  for (const { jid, password } of accounts) {
    if (jid === undefined || password === undefined || password === '') continue;
    const { local, domain } = splitJid(jid);
    const name = nodeprep(local) ?? local;
    const account = accountOf(name, domain);
    locals.add(name);
    passwords.set(account, [...(passwords.get(account) ?? []), digest(password)]);
  }
  const nobody = [digest(randomBytes(32))];

  return {
    has: (user, server) => locals.has(user) && passwords.has(accountOf(user, server)),
    check(user, server, secret) {
      const given = digest(secret);
      let right = false;
      for (const wanted of passwords.get(accountOf(user, server)) ?? nobody) {
        if (timingSafeEqual(wanted, given)) right = true;
      }
      return right;
    },
  };
}

const accountOf = (local: string, domain: string): string => `${local}@${sameServer(domain)}`;

/** A domain as ejabberd compares it, near enough: letters in lower case, compatibility forms folded. */
export const sameServer = (domain: string): string => domain.normalize('NFKC').toLowerCase();
