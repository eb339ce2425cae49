import { randomBytes } from 'node:crypto';
import { xml } from '@xmpp/client';
import { EXIT, SaxError } from '../../core/errors.ts';
import { readError, refusal } from './errors.ts';
import type { Element } from './library.ts';

export type Iq = {
  /** Sends a request; resolves with the result stanza, rejects with a Refusal, or after `deadlineMs` with a SaxError. */
  request(
    type: 'get' | 'set',
    to: string | undefined,
    child: Element,
    what: string,
    deadlineMs?: number,
  ): Promise<Element>;
  /** True when the stanza answered one of our requests. */
  answer(stanza: Element): boolean;
  /** The stream is gone: everything that waits is rejected. */
  fail(reason: Error): void;
};

type Waiting = {
  readonly to: string | undefined;
  readonly done: (stanza: Element) => void;
  readonly fail: (error: Error) => void;
};

/** Requests and answers of one stream (RFC 6120 section 8.2.3). An answer counts only when it comes from whom we asked. */
export function newIq(send: (stanza: Element) => void): Iq {
  const waiting = new Map<string, Waiting>();
  let dead: Error | undefined;
  return {
    request(type, to, child, what, deadlineMs = 15_000) {
      return new Promise((resolve, reject) => {
        if (dead !== undefined) {
          reject(dead);
          return;
        }
        const id = randomBytes(9).toString('base64url');
        const timer = setTimeout(() => {
          waiting.delete(id);
          reject(new SaxError(EXIT.unavailable, `${what}: no answer within ${deadlineMs / 1000} s`));
        }, deadlineMs);
        const settle = (): void => {
          clearTimeout(timer);
          waiting.delete(id);
        };
        waiting.set(id, {
          to,
          done(stanza) {
            settle();
            if (stanza.attrs['type'] === 'error') reject(refusal(what, readError(stanza)));
            else resolve(stanza);
          },
          fail(error) {
            settle();
            reject(error);
          },
        });
        send(xml('iq', { type, id, ...(to === undefined ? {} : { to }) }, child));
      });
    },
    answer(stanza) {
      const { id, type, from } = stanza.attrs;
      const request = type === 'result' || type === 'error' ? waiting.get(id) : undefined;
      // Without `to` the server answers for our own account: from nothing, our JID or the domain.
      if (request === undefined || (request.to !== undefined && from !== request.to)) return false;
      request.done(stanza);
      return true;
    },
    fail(reason) {
      dead = reason;
      for (const request of [...waiting.values()]) request.fail(reason);
    },
  };
}
