import type { Authority } from './auth.ts';
import { type BotAccount, createBots } from './auth-bots.ts';
import type { TokenKeys } from './auth-token.ts';
import { openDirectory } from './directory.ts';
import { createFlood } from './flood.ts';
import type { Clock } from './ports/clock.ts';
import type { Forum, ForumRules } from './ports/forum.ts';
import type { Log } from './ports/log.ts';
import { type Outage, steadyForum } from './steady-forum.ts';

/** The forum's settings and address bans are read again this often, milliseconds. */
const RULES_EVERY = 60_000;
/** Older ones judge nobody, milliseconds. */
const RULES_AT_MOST = 120_000;
/** A difference between the database's clock and ours that is worth a word, milliseconds. */
const CLOCK_OFF = 30_000;

export type AuthorityOptions = {
  readonly domain: string | undefined;
  readonly sidPattern: RegExp;
  readonly tokenKeys: TokenKeys;
  readonly bots: readonly BotAccount[];
  readonly forum: Forum;
  readonly clock: Clock;
  readonly log: Log;
  /** Random. */
  readonly seed: number;
  /** The database was lost, is lost for another reason, or is back (undefined). */
  readonly outage?: (outage: Outage | undefined) => void;
};

export type OpenAuthority = Authority & {
  /** Settles when the forum answered for the first time: the logins of members work. */
  readonly working: Promise<unknown>;
  /** Ends the work in the background at once, and the connections after `grace` milliseconds: for the question in hand. */
  close(grace?: number): void;
};

/** Everything that a login is judged by, with what keeps it fresh. Runs until it is closed. */
export function openAuthority(options: AuthorityOptions): OpenAuthority {
  const { clock, log, domain, sidPattern, tokenKeys } = options;
  const stop = new AbortController();
  const forum = steadyForum(options.forum, {
    clock,
    log,
    signal: stop.signal,
    changed: options.outage ?? ((): void => {}),
  });
  const rules = keepRules(forum, clock, log);
  const directory = openDirectory({
    forum,
    log,
    seed: options.seed,
    now: clock.monotonic,
    sleep: clock.sleep,
    signal: stop.signal,
  });
  return {
    domain,
    sidPattern,
    tokenKeys,
    bots: createBots(options.bots),
    forum,
    directory,
    flood: createFlood(clock.monotonic),
    rules,
    monotonic: clock.monotonic,
    now: () => Math.floor(clock.now() / 1000),
    working: Promise.resolve(rules(10_000)),
    close(grace = 0) {
      stop.abort();
      if (grace === 0) forum.close();
      else setTimeout(() => forum.close(), grace).unref();
    },
  };
}

/**
 * The forum's settings: read when first needed, then again in the background whenever they are a minute old. After a quiet hour
 * the first login waits for them: by the old ones somebody would get in who was banned since.
 */
function keepRules(forum: Forum, clock: Clock, log: Log): (within: number) => ForumRules | Promise<ForumRules> {
  let known: ForumRules | undefined;
  let at = 0;
  let reading: Promise<ForumRules> | undefined;
  let warned = false;

  const read = (within: number): Promise<ForumRules> => {
    reading ??= forum
      .rules(within)
      .then((rules) => {
        known = rules;
        at = clock.monotonic();
        if (Math.abs(rules.clockOffset) > CLOCK_OFF && !warned)
          log.warn(
            'clock',
            'the database’s clock and ours differ: sessions and tokens are judged by ours; set both by NTP',
            {
              seconds: Math.round(rules.clockOffset / 1000),
            },
          );
        warned = Math.abs(rules.clockOffset) > CLOCK_OFF;
        return rules;
      })
      .finally(() => {
        reading = undefined;
      });
    // Whoever waits hears of it; the steady forum has said it already.
    reading.catch(() => {});
    return reading;
  };

  return (within) => {
    if (known === undefined) return read(within);
    const age = clock.monotonic() - at;
    if (age > RULES_AT_MOST) return read(within);
    if (age > RULES_EVERY && reading === undefined) void read(10_000);
    return known;
  };
}
