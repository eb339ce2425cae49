import { createLogin, type OpenConn } from './conn.ts';
import { type El, parse, xml } from './xml.ts';

/** XMPP over WebSocket (RFC 7395): every frame is one complete element. */
export const openWebSocket =
  (url: string): OpenConn =>
  (options, on) => {
    const socket = new WebSocket(url, 'xmpp');
    let isDead = false;
    let isOpen = false;
    let opened: () => void;
    const opening = new Promise<void>((resolve) => {
      opened = resolve;
    });
    const end = () => {
      isDead = true;
      socket.close();
    };
    const down: typeof on.down = (why) => {
      if (isDead) return;
      end();
      on.down(why);
    };
    const send = (frame: string) => {
      if (socket.readyState === 1) socket.send(frame);
    };
    const open = () =>
      send(xml`<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='${options.domain}' version='1.0'/>`);
    const login = createLogin({ isBurst: true, open, send }, options, { ...on, down });
    socket.onopen = () => {
      isOpen = true;
      opened();
    };
    socket.onclose = () => down(isOpen ? 'closed' : 'unopened');
    socket.onmessage = ({ data }) => {
      let el: El | undefined;
      try {
        el = parse(data);
      } catch {
        // One unreadable frame is dropped alone: it may come again from the history with every reconnection.
      }
      if (el && !isDead) login.receive(el);
    };
    options.login.then(
      (ready) => opening.then(() => isDead || login.start(ready)),
      () => down('closed'),
    );

    return {
      send,
      kill(resumable) {
        if (isDead) return undefined;
        const resume = resumable ? login.resumable() : undefined;
        if (!resume) {
          send(`<presence type='unavailable' xmlns='jabber:client'/>`);
          send(`<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>`);
        }
        end();
        return resume;
      },
    };
  };
