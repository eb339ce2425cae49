/** One datagram as the kernel gave it. */
export type Datagram = {
  /** Its bytes, at most 65,536 of them. */
  readonly bytes: Uint8Array;
  /** There were more bytes than that. */
  readonly truncated: boolean;
  /** The address that the sender bound (a path, or `@name`), for an answer. */
  readonly from: string | undefined;
  /** When the kernel queued it, to the nanosecond: with the bytes it tells a datagram from every other. Only with `peek`. */
  readonly stamp: string | undefined;
};

/** A socket for datagrams. One reader, one at a time. */
export interface DatagramSocket {
  /** The socket outlives this process (systemd keeps it), so what waits in it is not lost when we die. */
  readonly kept: boolean;
  /** Resolves with true when something waits, with false when the socket was closed. Wakes for nothing else. */
  readable(): Promise<boolean>;
  /** Takes what waits, in order, without blocking; [] when there is nothing more. */
  take(): Datagram[];
  /** Looks at what waits and leaves it in the kernel's queue. Only where `kept`. */
  peek(): Datagram[];
  /** Takes the first `count` of what the last `peek` showed. */
  drop(count: number): void;
  /** Sends without waiting. False when the receiver is gone or full: an answer is a courtesy. */
  answer(to: string, bytes: Uint8Array): boolean;
  /** Nobody can send any more; `last` may take what was sent until then. */
  close(last?: () => void): void;
}

/** What saxSay left in the spool directory, one file at a time. */
export interface Spool {
  /** The oldest file, out of the writers' hands; undefined when there is none. Rejects when the directory cannot be used, or at the signal. */
  take(signal: AbortSignal): Promise<SpoolFile | undefined>;
}

export type SpoolFile = {
  readonly bytes: Uint8Array;
  /** Everything in it is remembered: removes it. */
  finish(): Promise<void>;
  /** Lets go of it, to be taken again. */
  release(): void;
};
