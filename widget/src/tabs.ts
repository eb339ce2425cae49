/**
 * One XMPP session per browser: the tab that holds the Web Lock leads and has the connection, the others follow over a
 * BroadcastChannel. A leader that does not answer (frozen, blocked) is deposed by stealing the lock.
 */

/** A leader that answers nothing for this long (ms) is deposed; it ignores orders older than half of it when it wakes. */
export const PATIENCE = 2000;

export type Tabs<Message> = {
  post(message: Message): void;
  /** Makes sure that somebody leads: asks, and takes over when nobody answers. */
  check(): void;
  close(): void;
};

export type TabEvents<Message> = {
  lead(): void;
  /** We were deposed: end the connection, another tab has one. */
  depose(): void;
  message(message: Message): void;
};

export const canShareTabs = (): boolean => 'locks' in navigator && 'BroadcastChannel' in globalThis;

export function createTabs<Message>(name: string, on: TabEvents<Message>): Tabs<Message> {
  const channel = new BroadcastChannel(name);
  let round = 0;
  let isLeader = false;
  let aborter = new AbortController();
  let release = () => {};
  let deadline: ReturnType<typeof setTimeout> | undefined;

  function compete(steal: boolean): void {
    const mine = ++round;
    aborter.abort();
    aborter = new AbortController();
    const held = () => {
      if (mine !== round) return;
      isLeader = true;
      clearTimeout(deadline);
      deadline = undefined;
      on.lead();
      return new Promise<void>((resolve) => {
        release = resolve;
      });
    };
    navigator.locks.request(name, steal ? { steal } : { signal: aborter.signal }, held).catch(() => {
      if (mine !== round) return;
      if (isLeader) {
        isLeader = false;
        on.depose();
      }
      compete(false);
    });
  }

  channel.onmessage = ({ data }: MessageEvent<Message | 'who' | 'I'>) => {
    if (data === 'who') {
      if (isLeader) channel.postMessage('I');
    } else if (data === 'I') {
      clearTimeout(deadline);
      deadline = undefined;
    } else on.message(data);
  };
  compete(false);

  return {
    post: (message) => channel.postMessage(message),
    check() {
      if (isLeader || deadline) return;
      channel.postMessage('who');
      deadline = setTimeout(() => {
        deadline = undefined;
        if (!isLeader) compete(true);
      }, PATIENCE);
    },
    close() {
      round++;
      clearTimeout(deadline);
      aborter.abort();
      release();
      isLeader = false;
      channel.close();
    },
  };
}
