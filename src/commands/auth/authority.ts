import { randomBytes } from 'node:crypto';
import { type OpenAuthority, openAuthority } from '../../app/authority.ts';
import type { Clock } from '../../app/ports/clock.ts';
import type { Log } from '../../app/ports/log.ts';
import type { Outage } from '../../app/steady-forum.ts';
import { type Config, need } from '../../config/load.ts';
import { openForum } from '../../edges/phpbb/forum.ts';

/** The parts of the configuration that `auth` obeys: when one changes, it is judged by the new ones. */
const relevant = ({ database, xmpp, auth, webridge, ircbridge, guard }: Config): unknown => [
  database,
  xmpp.domain,
  { ...auth, sid_pattern: auth.sid_pattern.source },
  [webridge, ircbridge, guard].map(({ jid, password }) => [jid, password]),
];

/** A text that changes when something changes that matters here. Holds secrets: never shown. */
export const fingerprint = (config: Config): string => JSON.stringify(relevant(config));

/** @throws SaxError (78) when the configuration has no database, or an impossible one. */
export function authorityOf(
  loaded: { readonly config: Config; readonly file?: string | undefined },
  { clock, log, outage }: { clock: Clock; log: Log; outage?: (outage: Outage | undefined) => void },
): OpenAuthority {
  const { config } = loaded;
  need(loaded, 'database', 'name');
  const { auth, xmpp, webridge, ircbridge, guard } = config;
  return openAuthority({
    domain: xmpp.domain,
    sidPattern: auth.sid_pattern,
    tokenKeys: [auth.token_key, auth.token_key_previous].filter(
      (key): key is string => key !== undefined && key !== '',
    ),
    bots: [webridge, ircbridge, guard],
    forum: openForum(config.database),
    clock,
    log,
    seed: randomBytes(4).readInt32LE(),
    ...(outage === undefined ? {} : { outage }),
  });
}

/** For a question of a person’s: what is worth a word is in the answer. */
export const silent: Log = { error() {}, warn() {}, info() {}, debug() {}, child: () => silent };
