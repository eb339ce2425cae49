import { bind, check, closeDescriptor } from '../state/libc.ts';
import { makeWaiter } from './readiness.ts';
import { makeRing } from './ring.ts';
import { AF_UNIX, openSocket, sendFrom } from './send.ts';

export type Asker = {
  /** Sends a datagram that can be answered. Throws like sendDatagram. */
  send(path: string, bytes: Uint8Array): void;
  /** The next answer, undefined when none came within `ms`. */
  answer(ms: number): Promise<Uint8Array | undefined>;
  close(): void;
};

/** A socket with an address of its own, which the kernel makes up (autobind, unix(7)): abstract, so it leaves no file behind. */
export function openAsker(): Asker {
  const fd = openSocket();
  const family = Buffer.alloc(2);
  family.writeUInt16LE(AF_UNIX);
  check(bind(fd, family, family.length), 'bind');
  const ring = makeRing();
  const waiter = makeWaiter(fd);
  return {
    send: (path, bytes) => sendFrom(fd, path, bytes),
    async answer(ms) {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<false>((resolve) => {
        timer = setTimeout(() => resolve(false), ms);
      });
      const came = await Promise.race([waiter.wait(), late]);
      clearTimeout(timer);
      return came ? ring.receive(fd, false, 1)[0]?.bytes : undefined;
    },
    close: () => waiter.close(() => closeDescriptor(fd)),
  };
}
