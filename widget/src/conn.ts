import { child, type El, xml } from './xml.ts';

/** What a log-in needs; the localpart is escaped already. */
export type Login = { readonly local: string; readonly password: string };

/** XEP-0198: what is needed to take up a stream again. */
export type Resume = { readonly id: string; readonly h: number };

/** Why a connection ended: 'unopened' tries the other transport, 'auth' fresh credentials. */
export type Down = 'unopened' | 'auth' | 'closed';

export type ConnOptions = {
  readonly domain: string;
  /** May still be on its way: the socket is opened meanwhile. */
  readonly login: Promise<Login>;
  /** The stanzas that follow the log-in, sent in the same burst. */
  readonly first: () => readonly string[];
  readonly resume: Resume | undefined;
  /** False: one step after the other, as RFC 6120 tells it; for servers that answer a burst oddly. */
  readonly pipelined: boolean;
};

export type ConnEvents = {
  /** Logged in; `resumed` when the old session goes on. */
  up(resumed: boolean): void;
  /** A message, presence or iq. */
  stanza(el: El): void;
  /** The end; nothing follows. */
  down(why: Down): void;
};

/** One connection, used once. */
export type Conn = {
  send(stanza: string): void;
  /** Ends it without an event; answers what is needed to resume, also when it has ended by itself. Resumable: the server is not told, so that the session can go on within its time-out. */
  kill(resumable: boolean): Resume | undefined;
};

/** What a transport is to the log-in below. */
export type Framer = {
  /** Opens or restarts the stream; over BOSH the first payload travels with it. */
  open(payload?: string): void;
  send(stanza: string): void;
  /** Closes it; `farewell` tells the server that we leave for good. */
  close(farewell: boolean): void;
  /** True when everything may be sent before the first answer (WebSocket); BOSH must know its session first. */
  readonly isBurst: boolean;
  /** The moment when something can be sent; none: at once. */
  readonly ready?: Promise<unknown>;
};

/** What a transport tells the log-in. */
export type FramerEvents = { receive(el: El): void; down(why: Down): void };

export type Transport = (domain: string, on: FramerEvents) => Framer;

/**
 * One connection over a transport, with the client's side of RFC 6120 6 and 7 and XEP-0198:
 * open → auth (PLAIN) → open → resume, or bind + enable → up. Pipelined, the steps do not wait for each other's answers
 * (the idea of XEP-0305); the answers are the same and come in the same order.
 */
export function openConn(transport: Transport, options: ConnOptions, on: ConnEvents): Conn {
  const { pipelined } = options;
  let auth = '';
  let isAuthenticated = false;
  let isUp = false;
  let isDead = false;
  let sm: { id: string; h: number } | undefined;

  const down = (why: Down) => {
    if (isDead) return;
    isDead = true;
    close(false);
    on.down(why);
  };
  const framer = transport(options.domain, { receive, down });
  const { isBurst, open, send, close } = framer;
  let resuming = isBurst ? options.resume : undefined;

  function begin(): void {
    // Management first: the room's first answers are then counted, and replayed when this page is left at once.
    if (isBurst) send(`<enable xmlns='urn:xmpp:sm:3' resume='true'/>`);
    options.first().forEach(send);
  }

  function enter(): void {
    if (resuming) return send(xml`<resume xmlns='urn:xmpp:sm:3' previd='${resuming.id}' h='${resuming.h}'/>`);
    send(`<iq type='set' id='bind' xmlns='jabber:client'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>`);
    if (pipelined) begin();
  }

  Promise.all([options.login, framer.ready]).then(
    ([{ local, password }]) => {
      if (isDead) return;
      const plain = btoa(String.fromCharCode(...new TextEncoder().encode(`\0${local}\0${password}`)));
      auth = `<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>${plain}</auth>`;
      open(pipelined && !isBurst ? auth : '');
      if (!pipelined || !isBurst) return;
      send(auth);
      open();
      enter();
    },
    () => down('closed'),
  );

  function receive(el: El): void {
    const { name, attrs } = el;
    if (isDead) return;
    if (name === 'features' && !pipelined) {
      if (isAuthenticated) enter();
      else send(auth);
    } else if (name === 'success') {
      isAuthenticated = true;
      if (pipelined && isBurst) return;
      open();
      if (pipelined) enter();
    } else if (name === 'failure') down('auth');
    else if (name === 'resumed') {
      sm = resuming && { ...resuming };
      isUp = true;
      on.up(true);
    } else if (name === 'failed' && resuming) {
      // Too late to resume: log in anew on the same stream.
      resuming = undefined;
      enter();
    } else if (name === 'enabled') {
      if (attrs['id']) sm = { id: attrs['id'], h: 0 };
    } else if (name === 'r') send(xml`<a xmlns='urn:xmpp:sm:3' h='${sm?.h ?? 0}'/>`);
    else if (/iq|message|presence/.test(name)) {
      if (sm) sm.h++;
      if (isUp) on.stanza(el);
      else if (attrs['id'] === 'bind') {
        if (!child(el, 'bind')) return down('closed');
        isUp = true;
        on.up(false);
        if (!pipelined) begin();
      }
    } else if (/error|close/.test(name)) down('closed');
  }

  return {
    send,
    kill(resumable) {
      const resume = resumable ? (sm ?? resuming) : undefined;
      if (!isDead) {
        isDead = true;
        if (!resume) send(`<presence type='unavailable' xmlns='jabber:client'/>`);
        close(!resume);
      }
      return resume;
    },
  };
}
