import type {
  ArchivePage,
  ArchiveQuery,
  ChatSession,
  Disconnect,
  Occupant,
  Room,
  RoomEvents,
  Utterance,
} from '../../src/app/ports/chat.ts';
import { newDeferred } from '../../src/core/deferred.ts';

export type FakeRoom = Room & {
  readonly events: RoomEvents;
  readonly said: Utterance[];
  /** What the self-ping answers. */
  known: boolean | Error;
  /** The answer to a change of nickname; undefined: it works. */
  renameError: Error | undefined;
  nick: string;
};

export type FakeSession = ChatSession & {
  readonly rooms: FakeRoom[];
  /** Asked at each join: an error refuses it. */
  admit: (room: string, nick: string) => Error | undefined;
  /** Answers archive queries. */
  archived: (room: string, query: ArchiveQuery) => ArchivePage | Promise<ArchivePage>;
  end(why: Disconnect): void;
};

/** A session whose rooms the test plays. */
export function fakeSession(): FakeSession {
  const closed = newDeferred<Disconnect>();
  const session: FakeSession = {
    jid: 'bot@chat.test/saxctl-test',
    closed: closed.promise,
    rooms: [],
    admit: () => undefined,
    archived: () => ({ lines: [], complete: true, first: undefined, last: undefined, count: 0 }),
    async enter(address, nick, events) {
      const error = session.admit(address, nick);
      if (error !== undefined) throw error;
      const occupants: Occupant[] = [];
      const room: FakeRoom = {
        room: address,
        nick,
        events,
        said: [],
        known: true,
        renameError: undefined,
        occupants: () => occupants,
        say: (utterance) => void room.said.push(utterance),
        async ping() {
          if (room.known instanceof Error) throw room.known;
          return room.known;
        },
        async rename(wanted) {
          if (room.renameError !== undefined) throw room.renameError;
          room.nick = wanted;
        },
        async setRole() {},
        async setAffiliation() {},
        async leave() {},
      };
      session.rooms.push(room);
      return room;
    },
    archive: async (room, query) => await session.archived(room, query),
    features: async () => [],
    async ping() {},
    async close() {
      session.end({ kind: 'closed', reason: 'closed', permanent: false });
    },
    abandon: (why) => session.end(why),
    end(why) {
      for (const room of session.rooms) room.events.left(why);
      closed.resolve(why);
    },
  };
  return session;
}
