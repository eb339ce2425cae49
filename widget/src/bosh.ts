import type { Transport } from './conn.ts';
import { type El, parse, xml } from './xml.ts';

/** The server holds a request this long (s); below nginx's default read time-out of 60 s. */
const WAIT = 55;

/** XMPP over BOSH (XEP-0124, XEP-0206) with at most two requests on their way: one held by the server, one that carries. */
export const bosh =
  (url: string): Transport =>
  (domain, on) => {
    const aborter = new AbortController();
    const answers = new Map<number, El>();
    let rid = Math.floor(Math.random() * 1e15);
    let next = rid;
    let sid = '';
    let waiting: string[] = [];
    let inFlight = 0;

    const request = (attributes: string, payload: string, options: RequestInit) =>
      fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'text/xml' },
        body: `<body xmlns='http://jabber.org/protocol/httpbind' rid='${rid++}'${sid && xml` sid='${sid}'`}${attributes}>${payload}</body>`,
        ...options,
      });

    async function post(attributes: string, payload: string): Promise<void> {
      const number = rid;
      inFlight++;
      try {
        const response = await request(attributes, payload, { signal: aborter.signal });
        answers.set(number, parse(await response.text()));
      } catch {
        fail();
      }
      inFlight--;
      // Two answers may overtake each other; the requests' numbers are the order.
      for (let body = answers.get(next); body; body = answers.get(next)) {
        answers.delete(next++);
        sid ||= body.attrs['sid'] ?? '';
        body.kids.forEach(on.receive);
        if (body.name !== 'body' || body.attrs['type'] === 'terminate') fail();
      }
      flush();
    }

    const fail = () => on.down(sid ? 'closed' : 'unopened');

    function flush(): void {
      if (aborter.signal.aborted || !sid || inFlight > (waiting.length ? 1 : 0)) return;
      const payload = waiting.join('');
      waiting = [];
      void post('', payload);
    }

    return {
      isBurst: false,
      send(stanza) {
        if (waiting.push(stanza) === 1) queueMicrotask(flush);
      },
      open(payload = '') {
        const kind = sid ? ` xmpp:restart='true'` : ` hold='1' wait='${WAIT}' ver='1.6' xmpp:version='1.0'`;
        void post(`${xml` to='${domain}' xmlns:xmpp='urn:xmpp:xbosh'`}${kind}`, payload);
      },
      close(farewell) {
        aborter.abort();
        // keepalive: it must also leave when the page is being left.
        if (farewell && sid) request(` type='terminate'`, waiting.join(''), { keepalive: true }).catch(() => {});
      },
    };
  };
