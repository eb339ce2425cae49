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
  /** Takes the lead from whoever has it. */
  take(): void;
  close(): void;
};

export type TabEvents<Message> = {
  lead(): void;
  /** We were deposed: end the connection, another tab has one. */
  depose(): void;
  message(message: Message): void;
};

export const canShareTabs = (): boolean => 'locks' in navigator;

const WHO_LEADS = 0;
const I_LEAD = 1;

export function createTabs<Message>(name: string, on: TabEvents<Message>): Tabs<Message> {
  const channel = new BroadcastChannel(name);
  /** Requests of an earlier round that are granted late are given back at once. */
  let round = 0;
  let isLeader = false;
  let release = () => {};
  let deadline: ReturnType<typeof setTimeout> | undefined;
  const calm = () => {
    clearTimeout(deadline);
    deadline = undefined;
  };

  function compete(steal: boolean): void {
    const mine = ++round;
    const hold = () => {
      if (mine !== round) return;
      calm();
      on.lead();
      isLeader = true;
      return new Promise<void>((resolve) => {
        release = resolve;
      });
    };
    navigator.locks.request(name, { steal }, hold).catch(() => {
      if (mine !== round) return;
      // Locks are forbidden where storage is: then this tab is on its own.
      if (!isLeader) return void hold();
      isLeader = false;
      on.depose();
      compete(false);
    });
  }

  channel.onmessage = ({ data }: MessageEvent<Message | number>) => {
    if (data === WHO_LEADS) {
      if (isLeader) channel.postMessage(I_LEAD);
    } else if (data === I_LEAD) calm();
    else on.message(data as Message);
  };
  compete(false);

  return {
    post: (message) => channel.postMessage(message),
    check() {
      if (isLeader || deadline) return;
      channel.postMessage(WHO_LEADS);
      deadline = setTimeout(() => {
        deadline = undefined;
        compete(true);
      }, PATIENCE);
    },
    take: () => compete(true),
    close() {
      round++;
      calm();
      release();
      channel.close();
    },
  };
}
