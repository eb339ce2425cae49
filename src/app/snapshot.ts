import { reasonOf } from '../core/errors.ts';
import { addLine, EMPTY_SNAPSHOT, renderSnapshot } from '../core/snapshot.ts';
import type { ChatSession, RoomLine } from './ports/chat.ts';
import type { Clock } from './ports/clock.ts';
import type { Log } from './ports/log.ts';

/** The file is written at most this often. */
const EVERY_MS = 250;

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

  const write = async (): Promise<void> => {
    while (dirty) {
      dirty = false;
      try {
        await options.write(renderSnapshot(room, snapshot));
        told = false;
      } catch (error) {
        if (!told) log.warn('snapshot-failed', `the snapshot was not written: ${reasonOf(error)}`);
        told = true;
      }
      await clock.sleep(EVERY_MS);
    }
    writing = false;
  };
  const touch = (): void => {
    dirty = true;
    if (writing) return;
    writing = true;
    void write();
  };

  return {
    heard(line) {
      meanwhile?.push(line);
      snapshot = addLine(snapshot, line, options.lines);
      touch();
    },
    joined(session) {
      const since: RoomLine[] = [];
      meanwhile = since;
      session.archive(room, { before: '', max: options.lines }).then(
        (page) => {
          if (meanwhile !== since) return;
          snapshot = [...page.lines, ...since].reduce((all, line) => addLine(all, line, options.lines), EMPTY_SNAPSHOT);
          meanwhile = undefined;
          touch();
        },
        (error: unknown) => {
          if (meanwhile === since) meanwhile = undefined;
          log.debug('snapshot-archive', `the archive was not read for the snapshot: ${reasonOf(error)}`);
        },
      );
    },
    async flush() {
      if (dirty) await options.write(renderSnapshot(room, snapshot)).catch(() => undefined);
      dirty = false;
    },
  };
}
