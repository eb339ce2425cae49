import { EXIT, reasonOf, SaxError } from '../core/errors.ts';
import { Refusal } from '../core/refusal.ts';
import type { ChatSession, Room, RoomLine } from './ports/chat.ts';
import type { Clock } from './ports/clock.ts';

/** One hop of the line's way through the whole system. `run` resolves with a few words for people, or throws. */
export type Hop = { readonly name: string; readonly run: (signal: AbortSignal) => Promise<string> };

export type HopResult = { readonly name: string; readonly ok: boolean; readonly ms: number; readonly detail: string };

/** A member who takes part, and what the demo knows of him. */
export type DemoMember = {
  readonly name: string;
  /** The nickname that sync-nicks registers for him. */
  readonly nick: string;
  readonly sessionId: string;
};

/** What `sync-nicks --json` says. */
export type SyncResult = {
  readonly registered: number;
  readonly unchanged: number;
  readonly conflicts: number;
  readonly failed: number;
};

/** The running system, as the check list touches it. */
export type DemoWorld = {
  readonly room: string;
  readonly tari: DemoMember;
  readonly alice: DemoMember;
  /** Reads the forum as saxctl does; what there is, in words. */
  readForum(): Promise<string>;
  /** Asks ejabberd about the room; what there is, in words. */
  askRoom(): Promise<string>;
  login(member: DemoMember, secret: string, signal: AbortSignal): Promise<ChatSession>;
  /** Runs `sync-nicks`: for one member by ejabberdctl, or for all over HTTP. */
  syncNicks(only?: DemoMember): Promise<SyncResult>;
  /** Resolves when the daemon says that it works. */
  ready(daemon: 'guard' | 'webridge' | 'ircbridge'): Promise<void>;
  /** One announcement to the webridge's socket. */
  announce(text: string): void;
  /** Somebody in the channel. */
  readonly channel: {
    readonly nick: string;
    say(text: string): void;
    heard(part: string, signal: AbortSignal): Promise<void>;
  };
  /** Runs `history`: the texts of the last lines, oldest first. */
  history(): Promise<readonly string[]>;
};

/**
 * The check list of `demo --once`: a member logs in, and one line each goes say → room, room → IRC, IRC → room; history
 * has all three in order. `tag` makes this run's lines unmistakable.
 */
export function demoHops(world: DemoWorld, tag: string): Hop[] {
  const { tari, alice } = world;
  const texts = { said: `announced ${tag}`, spoken: `spoken ${tag}`, typed: `typed ${tag}` };
  const heard = createEar();
  const lookAlike = tari.nick.toLowerCase();
  let session: ChatSession | undefined;
  let room: Room | undefined;
  const inRoom = (): Room => {
    if (room === undefined) throw new Error('nobody is in the room');
    return room;
  };
  return [
    { name: 'database', run: () => world.readForum() },
    { name: 'ejabberd', run: () => world.askRoom() },
    {
      name: 'login by session id',
      async run(signal) {
        session = await world.login(tari, tari.sessionId, signal);
        return `as ${session.jid}`;
      },
    },
    {
      name: 'wrong session id refused',
      async run(signal) {
        const wrong = [...tari.sessionId].reverse().join('');
        await mustBeRefused(world.login(tari, wrong, signal), (error) => error.exit === EXIT.refused);
        return 'not-authorized';
      },
    },
    {
      name: 'nicknames registered',
      async run() {
        // An Erlang VM is started for each call of ejabberdctl (half a second), so one member shows that way.
        const one = await world.syncNicks(tari);
        const all = await world.syncNicks();
        const problems = one.conflicts + one.failed + all.conflicts + all.failed;
        if (one.registered !== 1 || all.registered === 0 || problems > 0)
          throw new Error(`registered ${one.registered} and ${all.registered}, ${problems} conflicts or failures`);
        return `${one.registered} by ejabberdctl, ${all.registered} over HTTP`;
      },
    },
    {
      name: 'another member refused the nickname',
      async run(signal) {
        const other = await world.login(alice, alice.sessionId, signal);
        try {
          const refused = async (nick: string, condition: string): Promise<void> => {
            const attempt = other.enter(world.room, nick, { line: () => {}, left: () => {} }, { signal });
            await mustBeRefused(attempt, (error) => error instanceof Refusal && error.condition === condition);
          };
          await refused(tari.nick, 'conflict');
          // Not registered by anybody: that is mod_sax_nick's work.
          await refused(lookAlike, 'not-acceptable');
        } finally {
          await other.close();
        }
        return `${alice.name} as ${tari.nick}: conflict, as ${lookAlike}: not-acceptable`;
      },
    },
    {
      name: 'guard ready',
      run: async () => {
        await world.ready('guard');
        return 'gives voice in the moderated room';
      },
    },
    {
      name: 'webridge ready',
      run: async () => {
        await world.ready('webridge');
        return 'in the room, listening on its socket';
      },
    },
    {
      name: 'ircbridge ready',
      run: async () => {
        await world.ready('ircbridge');
        return 'in the room and in the channel';
      },
    },
    {
      name: 'say → room',
      async run(signal) {
        if (session === undefined) throw new Error('nobody is logged in');
        const events = { line: heard.line, present: heard.present, left: () => {} };
        room = await session.enter(world.room, tari.nick, events, { signal });
        world.announce(texts.said);
        const line = await heard.one(texts.said, signal);
        return `by ${line.nick}`;
      },
    },
    {
      name: 'room → IRC',
      async run(signal) {
        // In a moderated room the guard gives voice, a moment after we came.
        const isVisitor = (): boolean =>
          inRoom()
            .occupants()
            .some(({ nick, role }) => nick === tari.nick && role === 'visitor');
        await heard.until(() => !isVisitor(), signal);
        inRoom().say({ id: `demo-${tag}`, body: texts.spoken });
        await world.channel.heard(texts.spoken, signal);
        return `${tari.nick} to ${world.channel.nick}`;
      },
    },
    {
      name: 'IRC → room',
      async run(signal) {
        world.channel.say(texts.typed);
        const line = await heard.one(texts.typed, signal);
        return `${world.channel.nick} to ${tari.nick}, by ${line.nick}`;
      },
    },
    {
      name: 'history shows all three in order',
      async run() {
        const lines = await world.history();
        const places = Object.values(texts).map((text) => lines.findIndex((line) => line.includes(text)));
        const ordered = places.every((place, index) => place >= 0 && place > (places[index - 1] ?? -1));
        if (!ordered) throw new Error(`history has ${JSON.stringify(lines.slice(-6))}`);
        await session?.close();
        return `${lines.length} lines`;
      },
    },
  ];
}

/** How a check list is run. */
export type HopOptions = {
  readonly clock: Clock;
  /** Milliseconds that one hop may take. */
  readonly withinMs: number;
  readonly signal: AbortSignal;
  readonly onResult: (result: HopResult) => void;
};

/** Runs the hops in turn, each with its own deadline; a failed one does not keep the next from being tried. */
export async function runHops(hops: readonly Hop[], options: HopOptions): Promise<HopResult[]> {
  const results: HopResult[] = [];
  for (const hop of hops) {
    options.signal.throwIfAborted();
    const began = options.clock.monotonic();
    const late = new AbortController();
    const signal = AbortSignal.any([options.signal, late.signal]);
    const outcome = await Promise.race([
      hop.run(signal).then(
        (detail) => ({ ok: true, detail }),
        (error: unknown) => ({ ok: false, detail: reasonOf(error) }),
      ),
      options.clock.sleep(options.withinMs, signal).then(
        () => ({ ok: false, detail: `not within ${options.withinMs / 1000} s` }),
        () => ({ ok: false, detail: 'stopped' }),
      ),
    ]);
    late.abort();
    const result = { name: hop.name, ms: options.clock.monotonic() - began, ...outcome };
    results.push(result);
    options.onResult(result);
  }
  return results;
}

type Ear = {
  line(line: RoomLine): void;
  present(): void;
  /** Resolves with the line that holds a text, also when it came before it was asked for. */
  one(part: string, signal: AbortSignal): Promise<RoomLine>;
  /** Resolves when the condition holds, looking whenever something happened in the room. */
  until<T>(condition: () => T | undefined | false, signal: AbortSignal): Promise<T>;
};

/** Remembers the room's lines. */
function createEar(): Ear {
  const lines: RoomLine[] = [];
  const waiting = new Set<() => void>();
  const happened = (): void => {
    for (const look of [...waiting]) look();
  };
  const until: Ear['until'] = (condition, signal) =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const found = condition();
        if (found === undefined || found === false) return;
        waiting.delete(look);
        resolve(found);
      };
      waiting.add(look);
      signal.addEventListener('abort', () => {
        waiting.delete(look);
        reject(new Error('the room did not show it'));
      });
      look();
    });
  return {
    line(line) {
      lines.push(line);
      happened();
    },
    present: happened,
    one: (part, signal) => until(() => lines.find(({ body }) => body.includes(part)), signal),
    until,
  };
}

/** Resolves when the attempt fails in the expected way; throws when it succeeds or fails otherwise. */
async function mustBeRefused(attempt: Promise<unknown>, expected: (error: SaxError) => boolean): Promise<void> {
  try {
    await attempt;
  } catch (error) {
    if (error instanceof SaxError && expected(error)) return;
    throw error;
  }
  throw new Error('was let in');
}
