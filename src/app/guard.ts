import { reasonOf } from '../core/errors.ts';
import { printable } from '../core/escape.ts';
import { type GuardPolicy, judge, type Removal, reasonFor } from '../core/guard-rules.ts';
import { splitJid, unescapeLocalpart } from '../core/jid.ts';
import type { MemberDirectory } from '../core/member-directory.ts';
import { localpartOf, nicknameOf } from '../core/member-name.ts';
import { Refusal } from '../core/refusal.ts';
import { watchVoices } from './guard-voices.ts';
import { keepRoom } from './keep-room.ts';
import type { ChatSession, Occupant, Room } from './ports/chat.ts';
import type { Clock } from './ports/clock.ts';
import type { Members, Standing } from './ports/forum.ts';
import type { Log } from './ports/log.ts';

export type GuardOptions = {
  readonly room: string;
  readonly nick: string;
  /** As configured now; a reload may change it. */
  readonly policy: () => GuardPolicy;
  /** Remove who logs out of the site. */
  readonly endWithSession: () => boolean;
  readonly members: Members;
  /** An empty directory. */
  readonly newDirectory: () => MemberDirectory;
  /** Keeps a connection for as long as `stop` is not aborted (app/keep-connected). */
  readonly connect: (
    connected: (session: ChatSession) => void,
    down: (reason: string) => void,
    stop: AbortSignal,
  ) => Promise<void>;
  readonly count: {
    removed(why: Removal): void;
    voiced(): void;
    /** From the presence to the decision. */
    decided(ms: number): void;
  };
  readonly inside: (status: string) => void;
  readonly outside: (reason: string) => void;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** How often bans and sessions of those in the room are looked up. */
  readonly sweepMs?: number;
  /** How often all members are read again. */
  readonly refreshMs?: number;
};

/** A session that the forum would have kept longer than this and that is gone was ended by its owner. */
const LOGOUT_MARGIN_MS = 90_000;
const RETRY_MS = 2000;
const STANDING_AT_ONCE = 200;

const isAdmin = ({ affiliation }: Occupant): boolean => affiliation === 'owner' || affiliation === 'admin';

/**
 * The guard (DESIGN 10). Its state is the room itself: whoever is there is judged when the guard comes in, whoever comes is
 * judged by his presence. In a moderated room people come without voice; the guard gives it to those who are what they are
 * called, and removes the others. Without the forum's database it decides by what it knows and gives no voice to strangers.
 */
export function makeGuard(options: GuardOptions) {
  const { members, clock, log, count, signal } = options;
  let directory: MemberDirectory | undefined;
  let current: Room | undefined;
  /** Members who logged out while they were here: they come back only with a session. */
  const ended = new Set<number>();
  /** Until when the forum would keep the session that we last saw, by member. */
  const keptUntil = new Map<number, number>();
  /** Nicknames with a removal or a look-up under way. */
  const busy = new Set<string>();
  /** Localparts that the forum said it does not know, lately. */
  const answered = new Set<string>();
  /** The room does not let us do anything. */
  let powerless = false;

  const voices = watchVoices({ policy: options.policy, isCurrent: (room) => room === current, log });

  const settle = (): void => {
    const room = current;
    if (room === undefined) return;
    const self = room.occupants().find(({ nick }) => nick === room.nick);
    const needed =
      self === undefined || isAdmin(self) ? undefined : `${self.affiliation} here and must be owner or admin`;
    if (needed !== undefined && !powerless) log.error('powerless', `${room.room}: the guard is ${needed}`);
    powerless = needed !== undefined;
    if (needed !== undefined) options.outside(`${room.room}: the guard is ${needed}`);
    else if (directory === undefined) options.outside('the members of the forum are not known yet');
    else options.inside(`guarding ${room.room} as ${room.nick}, ${directory.size()} members known`);
  };

  /** Removes or gives voice; an occupant who is gone meanwhile needs neither. */
  const act = async (room: Room, nick: string, role: 'none' | 'participant', reason?: string): Promise<boolean> => {
    try {
      await room.setRole(nick, role, reason);
      return true;
    } catch (error) {
      const gone = error instanceof Refusal && error.condition === 'item-not-found';
      if (gone || current !== room) return false;
      log.error(
        'not-obeyed',
        `cannot ${role === 'none' ? 'remove' : 'give voice to'} ${printable(nick)}: ${reasonOf(error)}`,
      );
      return false;
    }
  };

  const welcome = (room: Room, { nick, role }: Occupant): void => {
    if (role !== 'visitor') return;
    voices.waits();
    void act(room, nick, 'participant').then((done) => {
      if (done) count.voiced();
    });
  };

  const remove = async (room: Room, { nick, jid }: Occupant, why: Removal, rightNick?: string): Promise<void> => {
    if (!(await act(room, nick, 'none', reasonFor(why, rightNick)))) return;
    count.removed(why);
    log.info('removed', `removed ${printable(nick)} (${printable(jid ?? '?')}): ${why}`, {
      nick,
      jid: jid ?? null,
      why,
    });
  };

  /** Judges one occupant by what is known, and looks up what is not. */
  const review = (room: Room, occupant: Occupant): void => {
    voices.saw(occupant);
    if (directory === undefined || current !== room || occupant.nick === room.nick) return;
    const began = clock.monotonic();
    const verdict = judge(occupant, options.policy(), directory);
    const doubtful =
      verdict.is === 'unknown' ||
      // Without voice there is time to ask whether he was renamed, unbanned or logged in a moment ago.
      (verdict.is === 'removed' && verdict.id !== undefined && occupant.role === 'visitor') ||
      (verdict.is === 'welcome' && verdict.id !== undefined && ended.has(verdict.id));
    if (verdict.is === 'hidden') options.outside(`${room.room} does not show the guard who people are`);
    else if (doubtful) lookUp(room, occupant, began);
    else if (verdict.is === 'welcome') welcome(room, occupant);
    else if (verdict.is === 'removed') void remove(room, occupant, verdict.why, verdict.nick);
    if (!doubtful) count.decided(clock.monotonic() - began);
  };

  const lookUp = (room: Room, occupant: Occupant, began: number): void => {
    const { nick } = occupant;
    if (busy.has(nick)) return;
    busy.add(nick);
    void askForum(occupant)
      .catch((error: unknown) => log.warn('forum-away', `cannot look up ${printable(nick)}: ${reasonOf(error)}`))
      .then(() => {
        busy.delete(nick);
        const now = room.occupants().find((one) => one.nick === nick);
        if (now === undefined || directory === undefined || current !== room) return;
        const verdict = judge(now, options.policy(), directory);
        if (verdict.is === 'welcome' && !(verdict.id !== undefined && ended.has(verdict.id))) welcome(room, now);
        else if (verdict.is === 'welcome') void remove(room, now, 'logged-out');
        else if (verdict.is === 'removed') void remove(room, now, verdict.why, verdict.nick);
        else if (verdict.is === 'unknown' && answered.has(verdict.localpart)) void remove(room, now, 'not-a-member');
        else return;
        count.decided(clock.monotonic() - began);
      });
  };

  /** Brings the directory up to date about one occupant. */
  const askForum = async ({ jid, nick }: Occupant): Promise<void> => {
    if (directory === undefined || jid === undefined) return;
    const verdict = judge({ jid, nick }, options.policy(), directory);
    if (verdict.is === 'unknown') {
      const { localpart } = verdict;
      answered.delete(localpart);
      // Registered since the last reading, or renamed since then.
      for await (const page of members.pages({ afterId: directory.lastId() }))
        for (const one of page) directory.add(one);
      if (directory.find(localpart) !== undefined) return;
      for (const name of [nick, unescapeLocalpart(localpart)]) {
        const member = await members.named(name);
        if (member?.active && localpartOf(member.username) === localpart) {
          directory.update(localpart, member);
          return;
        }
      }
      answered.add(localpart);
      if (answered.size > 10_000) answered.clear();
      return;
    }
    if ('id' in verdict && verdict.id !== undefined) {
      const standing = await members.standing([verdict.id]);
      learn(jid, standing.get(verdict.id));
    }
  };

  /** Takes over what the forum says of a member now. */
  const learn = (jid: string, standing: Standing | undefined): void => {
    if (directory === undefined || standing === undefined) return;
    const localpart = jid.slice(0, jid.indexOf('@'));
    if (localpartOf(standing.username) === localpart) directory.update(localpart, standing);
    if (standing.loggedIn) ended.delete(standing.id);
  };

  const reviewAll = (): void => {
    const room = current;
    if (room === undefined) return;
    for (const occupant of room.occupants()) review(room, occupant);
  };

  /** Those in the room who were banned, deactivated, renamed or logged out since; and whoever still waits for a verdict. */
  const sweep = async (): Promise<void> => {
    const room = current;
    if (room === undefined || directory === undefined) return;
    const here = new Map<number, Occupant[]>();
    for (const occupant of room.occupants()) {
      if (occupant.nick === room.nick) continue;
      const verdict = judge(occupant, options.policy(), directory);
      const id = 'id' in verdict ? verdict.id : undefined;
      // The forum was away when he came, or ejabberd did not obey.
      if (id === undefined) review(room, occupant);
      else here.set(id, [...(here.get(id) ?? []), occupant]);
    }
    for (const id of keptUntil.keys()) if (!here.has(id)) keptUntil.delete(id);
    const ids = [...here.keys()];
    for (let at = 0; at < ids.length; at += STANDING_AT_ONCE) {
      const some = ids.slice(at, at + STANDING_AT_ONCE);
      const standing = await members.standing(some);
      for (const id of some) for (const occupant of here.get(id) ?? []) sweepOne(room, occupant, id, standing.get(id));
    }
    log.debug('swept', 'looked at the bans and sessions of who is here', { members: ids.length });
  };

  const sweepOne = (room: Room, occupant: Occupant, id: number, standing: Standing | undefined): void => {
    if (standing === undefined || !standing.active) {
      void remove(room, occupant, 'not-a-member');
      return;
    }
    const { local } = splitJid(occupant.jid ?? '');
    if (localpartOf(standing.username) !== local) {
      // His account in the chat has gone with the old name.
      void remove(room, occupant, 'wrong-name', nicknameOf(standing.username));
      return;
    }
    if (standing.loggedIn) keptUntil.set(id, standing.keptUntil);
    learn(occupant.jid ?? '', standing);
    const leftEarly = (keptUntil.get(id) ?? 0) > clock.now() + LOGOUT_MARGIN_MS;
    if (!standing.loggedIn && !standing.banned && leftEarly && options.endWithSession()) {
      ended.add(id);
      void remove(room, occupant, 'logged-out');
    } else review(room, occupant);
  };

  const refresh = async (): Promise<void> => {
    const next = options.newDirectory();
    for await (const page of members.pages({ signal })) {
      for (const one of page) next.add(one);
      // A page is tens of milliseconds of work; presences come in between.
      await clock.sleep(0, signal);
    }
    directory = next;
    settle();
    reviewAll();
  };

  /** Does `work` every so often; when it fails, says so once and tries again soon. */
  const every = async (ms: number, name: string, work: () => Promise<void>, firstAt: number): Promise<void> => {
    let failing = false;
    let wait = firstAt;
    while (!signal.aborted) {
      await clock.sleep(wait, signal).catch(() => {});
      if (signal.aborted) return;
      try {
        await work();
        if (failing) log.info('forum-back', `${name}: the forum answers again`);
        failing = false;
        wait = ms;
      } catch (error) {
        if (signal.aborted) return;
        if (!failing) log.warn('forum-away', `${name}: ${reasonOf(error)}; trying again`);
        failing = true;
        wait = directory === undefined ? RETRY_MS : Math.min(ms, 10 * RETRY_MS);
        if (directory === undefined) options.outside(`the members of the forum cannot be read: ${reasonOf(error)}`);
      }
    }
  };

  const connected = (session: ChatSession): void => {
    void keepRoom({
      session,
      room: options.room,
      nick: options.nick,
      events: {
        line() {},
        present(occupant, first) {
          const room = current;
          if (room === undefined) return;
          if (first) voices.came(room, occupant);
          if (occupant.nick !== room.nick) review(room, occupant);
          else {
            settle();
            // Made an admin again: others came meanwhile, and who they are the room tells only to whom it was an admin by then.
            const blind = !first && isAdmin(occupant) && room.occupants().some(({ jid }) => jid === undefined);
            if (blind) void room.leave();
            else reviewAll();
          }
        },
        absent(occupant, { newNick }) {
          if (current !== undefined && newNick === undefined) voices.takeBack(current, occupant);
        },
      },
      joined(room) {
        current = room;
        voices.clear();
        settle();
        reviewAll();
      },
      out(why) {
        current = undefined;
        options.outside(`not in ${options.room}: ${why.reason}`);
      },
      clock,
      random: options.random,
      log,
    });
  };

  return {
    /** Until `signal` is aborted; rejects like keepConnected. */
    async run(): Promise<void> {
      const loops = [
        every(options.refreshMs ?? 600_000, 'members', refresh, 0),
        every(options.sweepMs ?? 10_000, 'bans and sessions', sweep, options.sweepMs ?? 10_000),
      ];
      await options.connect(
        connected,
        (reason) => {
          current = undefined;
          options.outside(reason);
        },
        signal,
      );
      await Promise.all(loops);
    },
    /** After a reload: members are read again, and everybody is judged by the new rules. */
    refresh(): void {
      refresh().catch((error: unknown) => {
        if (!signal.aborted) log.warn('forum-away', `members: ${reasonOf(error)}; the old ones stay`);
        reviewAll();
      });
    },
    members: () => directory?.size() ?? 0,
  };
}
