import { keepConnected } from '../../src/app/keep-connected.ts';
import { keepRoom } from '../../src/app/keep-room.ts';
import type { ChatSession, RoomLine } from '../../src/app/ports/chat.ts';
import type { Log } from '../../src/app/ports/log.ts';
import { systemClock } from '../../src/clock.ts';
import type { Stack } from '../../src/edges/stack/types.ts';
import { connectXmpp } from '../../src/edges/xmpp/connection.ts';

const silent: Log = { error() {}, warn() {}, info() {}, debug() {}, child: () => silent };

export type Observer = {
  /** Every line, once, in the room's order (by stanza-id): what was heard, and from the archive what was missed meanwhile. */
  lines(): RoomLine[];
  /** Whether a line with this text is among them. */
  heard(body: string): boolean;
  /** Lines that came live twice or more under different ids, by message id: none, if all is well. */
  inside(): boolean;
  session(): ChatSession | undefined;
  stop(): Promise<void>;
};

/** An independent occupant of the room: a member with his session id. */
export function observe(stack: Stack, name = 'alice', service?: string): Observer {
  const member = stack.member(name);
  const heard = new Map<string, RoomLine>();
  const bodies = new Set<string>();
  const stop = new AbortController();
  let current: ChatSession | undefined;
  let inside = false;
  let last: string | undefined;
  /** The newest line when we were last sure to have missed nothing. */
  let resumeAt: string | undefined;
  const note = (line: RoomLine): void => {
    // Said but not archived (the database was away): it stands behind what came before.
    const id = line.id ?? String(BigInt(last ?? 0) + 1n);
    heard.set(id, { ...line, id });
    bodies.add(line.body);
    if (last === undefined || BigInt(id) > BigInt(last)) last = id;
  };
  const catchUp = async (session: ChatSession, after: string | undefined): Promise<void> => {
    for (let position = after; ; ) {
      const page = await session.archive(stack.room, { after: position, max: 500 });
      if (page.lines.length === 0 && !page.complete) throw new Error('the archive is away');
      for (const line of page.lines) note(line);
      if (page.complete || page.last === undefined) return;
      position = page.last;
    }
  };
  const catchUpSurely = async (session: ChatSession, after: string): Promise<void> => {
    for (let tries = 0; tries < 50 && session === current; tries += 1) {
      const worked = await catchUp(session, after).then(
        () => true,
        () => false,
      );
      if (worked) return;
      await systemClock.sleep(200);
    }
  };
  const done = keepConnected({
    name: 'observer',
    targets: [service ?? 'direct'],
    describe: String,
    attempt: (_target, signal) =>
      connectXmpp(
        {
          service: service ?? directService(stack),
          jid: `${name}@${stack.domain}`,
          password: member.session?.sid ?? '',
          resource: 'observer',
          log: silent,
        },
        signal,
      ),
    connected(session) {
      current = session;
      void keepRoom({
        session,
        room: stack.room,
        nick: name,
        events: { line: note },
        joined() {
          inside = true;
          if (resumeAt !== undefined) void catchUpSurely(session, resumeAt);
        },
        out: () => {
          if (inside) resumeAt = last;
          inside = false;
        },
        clock: systemClock,
        random: Math.random,
        log: silent,
      });
    },
    clock: systemClock,
    random: () => 0,
    log: silent,
    signal: stop.signal,
    backoff: { minMs: 200, maxMs: 1000, jitter: 0 },
  });
  return {
    lines: () => [...heard.values()].sort((a, b) => (BigInt(a.id ?? 0) < BigInt(b.id ?? 0) ? -1 : 1)),
    heard: (body) => bodies.has(body),
    inside: () => inside,
    session: () => current,
    async stop() {
      stop.abort();
      await done;
    },
  };
}

/** Past the proxy: what the webridge's network suffers, the observer does not. */
function directService(stack: Stack): string {
  return `xmpp://127.0.0.1:${stack.ejabberd.directPort}`;
}
