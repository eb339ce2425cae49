import type { Transport } from './conn.ts';
import { type El, parse, xml } from './xml.ts';

/** XMPP over WebSocket (RFC 7395): every frame is one complete element. */
export const webSocket =
  (url: string): Transport =>
  (domain, on) => {
    const socket = new WebSocket(url, 'xmpp');
    let isOpen = false;
    const send = (frame: string) => {
      if (socket.readyState === 1) socket.send(frame);
    };
    const ready = new Promise<void>((resolve) => {
      socket.onopen = () => {
        isOpen = true;
        resolve();
      };
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
