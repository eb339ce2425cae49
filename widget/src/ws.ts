import type { Transport } from './conn.ts';
import { type El, parse, xml } from './xml.ts';

/** How long (ms) a socket that was opened in advance waits to be used; a tab that does not lead needs none. */
const UNUSED = 5000;

/**
 * XMPP over WebSocket (RFC 7395): every frame is one complete element. The first socket is opened at once: its three round
 * trips pass while the page is drawn, the tabs agree on who leads, and the site says who is there.
 */
export const webSocket = (url: string): Transport => {
  const dial = () => new WebSocket(url, 'xmpp');
  let early: WebSocket | undefined = dial();
  setTimeout(() => early?.close(), UNUSED);
  return (domain, on) => {
    // 2, 3: it has ended already.
    const socket = early && early.readyState < 2 ? early : dial();
    early = undefined;
    let isOpen = socket.readyState === 1;
    const send = (frame: string) => {
      if (socket.readyState === 1) socket.send(frame);
    };
    const ready = new Promise<void>((resolve) => {
      socket.onopen = () => {
        isOpen = true;
        resolve();
      };
      if (isOpen) resolve();
    });
    socket.onclose = () => on.down(isOpen ? 'closed' : 'unopened');
    socket.onmessage = ({ data }) => {
      let el: El | undefined;
      try {
        el = parse(data);
      } catch {
        // One unreadable frame is dropped alone: it may come again from the history with every reconnection.
      }
      if (el) on.receive(el);
    };
    return {
      isBurst: true,
      ready,
      send,
      open: () => send(xml`<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='${domain}' version='1.0'/>`),
      close(farewell) {
        if (farewell) send(`<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>`);
        socket.close();
      },
    };
  };
};
