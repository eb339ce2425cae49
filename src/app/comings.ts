import { type Bucket, fullBucket, take } from '../core/flood.ts';
import type { Clock } from './ports/clock.ts';

/** How a nickname is written on the other side. */
export type Wording = (nick: string) => string;

export type ComingsOptions = {
  /** `the room`, `#sax`. */
  readonly where: string;
  /** Says it on the other side. */
  readonly tell: (words: (name: Wording) => string) => void;
  readonly clock: Clock;
};

/** Who comes and goes on one side. */
export type Comings = {
  came(nick: string): void;
  went(nick: string, reason: string, how?: string): void;
  /** We are not there any more: what was not told yet is not told. */
  forget(): void;
};

/** Told one by one as long as there are no more than these: a few at once, then one in ten seconds. */
const ONE_BY_ONE: Bucket = { burst: 6, everyMs: 10_000 };
/** More are told together when nobody came or went for so long, at the latest after so long. */
const QUIET_MS = 2000;
const LONGEST_MS = 10_000;
const NAMED = 4;
const REMEMBERED = 10_000;
/** What IRC servers give as the reason of a quit when they lose each other: two names of servers. People's reasons begin otherwise. */
const SPLIT = /^[^\s.:]+(\.[^\s.:]+)+ [^\s.:]+(\.[^\s.:]+)+$/;

type Kind = 'came' | 'went' | 'lost' | 'back';

/**
 * People come and go by hundreds when a server restarts or a network splits. The first few are told one by one, a crowd in one line,
 * a split and its end as what they are; who went and came back meanwhile is not told at all.
 */
export function newComings({ where, tell, clock }: ComingsOptions): Comings {
  let level = fullBucket(ONE_BY_ONE, clock.monotonic());
  let crowd = new Map<string, Kind>();
  let changes = 0;
  let split = '';
  let era = 0;
  /** Lost in a split, and told so. */
  const away = new Set<string>();

  const alone = (): boolean => {
    if (crowd.size > 0) return false;
    const taken = take(level, ONE_BY_ONE, clock.monotonic());
    level = taken.level;
    return taken.waitMs === 0;
  };

  function gather(nick: string, kind: Kind): void {
    const opposite = { came: 'went', went: 'came', lost: 'back', back: 'lost' } as const;
    if (crowd.size === 0) void tellSoon(era);
    changes += 1;
    if (crowd.get(nick) === opposite[kind]) crowd.delete(nick);
    else crowd.set(nick, kind);
  }

  async function tellSoon(mine: number): Promise<void> {
    const began = clock.monotonic();
    for (let seen = -1; seen !== changes && clock.monotonic() - began < LONGEST_MS; ) {
      seen = changes;
      await clock.sleep(QUIET_MS);
      if (mine !== era) return;
    }
    const told = crowd;
    crowd = new Map();
    const of = (kind: Kind): string[] => [...told].filter(([, one]) => one === kind).map(([nick]) => nick);
    const say = (nicks: readonly string[], what: (who: string) => string): void => {
      if (nicks.length > 0) tell((name) => what(people(nicks, name)));
    };
    for (const nick of of('lost')) if (away.size < REMEMBERED) away.add(nick);
    say(of('lost'), (who) => `netsplit (${split}): ${who} lost from ${where}`);
    say(of('back'), (who) => `netsplit over: ${who} back in ${where}`);
    say(of('went'), (who) => `${who} left ${where}`);
    say(of('came'), (who) => `${who} joined ${where}`);
  }

  return {
    came(nick) {
      if (away.delete(nick) || crowd.get(nick) === 'lost') gather(nick, 'back');
      else if (alone()) tell((name) => `${name(nick)} joined ${where}`);
      else gather(nick, 'came');
    },
    went(nick, reason, how = 'left') {
      if (SPLIT.test(reason)) {
        split = reason;
        gather(nick, 'lost');
      } else if (alone()) tell((name) => `${name(nick)} ${how} ${where}${reason === '' ? '' : ` (${reason})`}`);
      else gather(nick, 'went');
    },
    forget() {
      era += 1;
      crowd = new Map();
      away.clear();
    },
  };
}

function people(nicks: readonly string[], name: Wording): string {
  const named = nicks.length <= NAMED + 1 ? nicks : nicks.slice(0, NAMED);
  const others = nicks.length - named.length;
  return `${named.map(name).join(', ')}${others === 0 ? '' : ` and ${others} others`}`;
}
