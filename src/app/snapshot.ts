import { reasonOf } from '../core/errors.ts';
import { addLine, EMPTY_SNAPSHOT, renderSnapshot } from '../core/snapshot.ts';
import type { ChatSession, RoomLine } from './ports/chat.ts';
import type { Clock } from './ports/clock.ts';
import type { Log } from './ports/log.ts';

/** The file is written at most this often. */
const EVERY_MS = 250;
/** An archive that does not answer is asked again after this long, and then after twice as long each time. */
const ASK_MS = 2000;
const ASK_MAX_MS = 60_000;

export type SnapshotWriter = {
  heard(line: RoomLine): void;
  /** In the room (again): what was said meanwhile comes from the archive. */
  joined(session: ChatSession): void;
  /** Everything heard is in the file. */
  flush(): Promise<void>;
};

/** Keeps the snapshot file of a room. Failures are logged and tried again with the next line: the room matters more. */
export function keepSnapshot(options: {
  readonly room: string;
  readonly lines: number;
  readonly write: (text: string) => Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
}): SnapshotWriter {
  const { room, clock, log } = options;
  let snapshot = EMPTY_SNAPSHOT;
  /** Lines heard since the join, while the archive is being read. */
  let meanwhile: RoomLine[] | undefined;
  let dirty = false;
  let writing = false;
  let told = false;
  /** Writes come one after the other: the last one is the newest. */
  let last = Promise.resolve();

  const write = async (): Promise<void> => {
    if (!dirty) return;
    dirty = false;
    try {
      await options.write(renderSnapshot(room, snapshot));
      told = false;
    } catch (error) {
      if (!told) log.warn('snapshot-failed', `the snapshot was not written: ${reasonOf(error)}`);
      told = true;
    }
  };
  const writeNext = (): Promise<void> => {
    last = last.then(write);
    return last;
  };
  const writeSlowly = async (): Promise<void> => {
    while (dirty) {
      await writeNext();
      await clock.sleep(EVERY_MS);
    }
    writing = false;
  };
  const touch = (): void => {
    dirty = true;
    if (writing) return;
    writing = true;
    void writeSlowly();
  };

  /** The archive's last lines and what was heard since they were asked for; asks until there is an answer or the session is over. */
  const readArchive = async (session: ChatSession, since: RoomLine[]): Promise<void> => {
    const over = new AbortController();
    void session.closed.then(() => over.abort());
    for (let wait = ASK_MS; meanwhile === since && !over.signal.aborted; wait = Math.min(ASK_MAX_MS, wait * 2)) {
      try {
        const page = await session.archive(room, { before: '', max: options.lines });
        if (meanwhile !== since) return;
        snapshot = [...page.lines, ...since].reduce((all, line) => addLine(all, line, options.lines), EMPTY_SNAPSHOT);
        meanwhile = undefined;
        touch();
      } catch (error) {
        log.debug('snapshot-archive', `the archive was not read for the snapshot: ${reasonOf(error)}`);
        await clock.sleep(wait, over.signal).catch(() => undefined);
      }
    }
    if (meanwhile === since) meanwhile = undefined;
  };

  return {
    heard(line) {
      meanwhile?.push(line);
      // Corrections and retractions of what is in the archive count too; but an archive may be away for days.
      if (meanwhile !== undefined && meanwhile.length > options.lines * 10) meanwhile.shift();
      snapshot = addLine(snapshot, line, options.lines);
      touch();
    },
    joined(session) {
      const since: RoomLine[] = [];
      meanwhile = since;
      void readArchive(session, since);
    },
    flush: writeNext,
  };
}
