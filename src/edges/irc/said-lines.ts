import type { ChannelEvents } from '../../app/ports/irc.ts';
import type { Log } from '../../app/ports/log.ts';

type Flying = { readonly id: string; readonly pieces: number; done: boolean };
/** Lines said since the last question, which one PONG settles. */
type Segment = {
  readonly lines: Flying[];
  readonly refusals: string[];
  /** Before the first refusal we were silenced (or thrown out): from there on everything is refused. */
  silenced: boolean;
  /** The channel's modes changed after a refusal: what was refused need not be the end. */
  unclear: boolean;
};

export type SaidLines = {
  /** A line was sent, in so many PRIVMSG. */
  add(id: string, pieces: number): void;
  /** A line of ours came back with this label or tag. */
  echoed(id: string, msgid: string | undefined): void;
  /** An error numeric about a line; without a label it does not say about which. */
  refused(label: string | undefined, reason: string): void;
  /** The channel's modes changed, or we are out of it. `silences`: nothing that we say is taken from now on. */
  modesChanged(silences: boolean): void;
  /** Asks for what was said since the last question. */
  ask(done: () => void): void;
  /** We are out of the channel and the connection lives: the server still answers for what was said before. */
  thrownOut(): void;
};

export type SaidWiring = {
  readonly channel: string;
  /** The server labels echo and errors: nothing needs to be asked. */
  readonly labelled: boolean;
  readonly events: Pick<ChannelEvents, 'confirmed' | 'refused'>;
  /** Sends a PING; the callback runs when its PONG came. */
  readonly barrier: (done: () => void) => void;
  readonly deliver: (what: () => void) => void;
  readonly log: Log;
};

/** The lines that we said and of which the server has not told yet whether it took them. */
export function newSaidLines({ channel, labelled, events, barrier, deliver, log }: SaidWiring): SaidLines {
  const byId = new Map<string, Flying>();
  let said = newSegment();
  const asked: Segment[] = [];

  const settle = (flying: Flying, what: () => void): void => {
    if (flying.done) return;
    flying.done = true;
    byId.delete(flying.id);
    deliver(what);
  };
  const confirm = (flying: Flying, msgid?: string): void => settle(flying, () => events.confirmed(flying.id, msgid));
  const refuse = (flying: Flying, reason: string): void => settle(flying, () => events.refused(flying.id, reason));

  /**
   * The PONG behind a segment came. A refusal does not say which line it is about: when not all were refused, it is the last ones if
   * we were silenced meanwhile; else nobody knows, and all are said again. Refusals first: nothing new may go out before them.
   */
  function settleSegment({ lines, refusals, silenced, unclear }: Segment): void {
    const changed = silenced && !unclear;
    const left = lines.filter(({ done }) => !done);
    const reason = refusals.at(-1);
    const total = left.reduce((sum, { pieces }) => sum + pieces, 0);
    if (reason !== undefined && refusals.length < total && !changed)
      log.warn(
        'unsure',
        `${channel}: some of the last ${left.length} lines were refused, all are said again: ${reason}`,
        {
          at_most: left.length,
        },
      );
    let taken = reason === undefined ? total : changed ? Math.max(0, total - refusals.length) : 0;
    const kept = left.filter(({ pieces }) => {
      taken -= pieces;
      return taken >= 0;
    });
    for (const flying of left.slice(kept.length)) refuse(flying, reason ?? '');
    for (const flying of kept) confirm(flying);
  }

  return {
    add(id, pieces) {
      const flying: Flying = { id, pieces, done: false };
      byId.set(id, flying);
      if (!labelled) said.lines.push(flying);
    },
    echoed(id, msgid) {
      const flying = byId.get(id);
      if (flying !== undefined) confirm(flying, msgid);
    },
    refused(label, reason) {
      const flying = label === undefined ? undefined : byId.get(label);
      if (flying !== undefined) refuse(flying, reason);
      // An error when nothing was said is about something else.
      else if (!labelled && current().lines.length > 0) current().refusals.push(reason);
    },
    modesChanged,
    ask,
    thrownOut() {
      modesChanged(true);
      if (said.lines.length > 0) ask(() => undefined);
    },
  };

  function modesChanged(silences: boolean): void {
    const segment = current();
    if (segment.refusals.length > 0) segment.unclear = true;
    else if (silences) segment.silenced = true;
  }

  function current(): Segment {
    return asked[0] ?? said;
  }

  function ask(done: () => void): void {
    const segment = said;
    said = newSegment();
    asked.push(segment);
    barrier(() => {
      asked.splice(asked.indexOf(segment), 1);
      deliver(done);
      settleSegment(segment);
    });
  }
}

function newSegment(): Segment {
  return { lines: [], refusals: [], silenced: false, unclear: false };
}
