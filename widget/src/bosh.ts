import { createLogin, type OpenConn } from './conn.ts';
import { type El, parse, xml } from './xml.ts';

/** The server holds a request this long (s); below nginx's default read time-out of 60 s. */
const WAIT = 55;

/** XMPP over BOSH (XEP-0124, XEP-0206) with at most two requests on their way: one held by the server, one that carries. */
export const openBosh =
  (url: string): OpenConn =>
  (options, on) => {
    const aborter = new AbortController();
    const answers = new Map<number, El>();
    let rid = Math.floor(Math.random() * 1e9) + 1e6;
    let next = rid;
    let sid = '';
    let waiting: string[] = [];
    let inFlight = 0;
    let isDead = false;

    const end = () => {
      isDead = true;
      aborter.abort();
    };
    const down: typeof on.down = (why) => {
      if (isDead) return;
      end();
      on.down(why);
    };
    const request = (number: number, attributes: string, payload: string, signal?: AbortSignal) =>
      fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'text/xml' },
        body: `<body xmlns='http://jabber.org/protocol/httpbind' rid='${number}'${sid && xml` sid='${sid}'`}${attributes}>${payload}</body>`,
        // Without a signal it is our farewell, which must also leave when the page is being left.
        ...(signal ? { signal } : { keepalive: true }),
      });

    async function post(attributes: string, payload: string): Promise<void> {
      const number = rid++;
      inFlight++;
      const timer = setTimeout(() => down('closed'), WAIT * 1300);
      try {
        const response = await request(number, attributes, payload, aborter.signal);
        answers.set(number, parse(await response.text()));
      } catch {
        down(sid ? 'closed' : 'unopened');
      }
      clearTimeout(timer);
      inFlight--;
      // Two answers may overtake each other; the requests' numbers are the order.
      for (let body = answers.get(next); body; body = answers.get(next)) {
        answers.delete(next++);
        sid ||= body.attrs['sid'] ?? '';
        for (const el of body.kids) if (!isDead) login.receive(el);
        if (body.name !== 'body' || body.attrs['type'] === 'terminate') down(sid ? 'closed' : 'unopened');
      }
      flush();
    }

    function flush(): void {
      if (isDead || !sid || inFlight > (waiting.length ? 1 : 0)) return;
      const payload = waiting.join('');
      waiting = [];
      void post('', payload);
    }

    const send = (stanza: string) => {
      if (waiting.push(stanza) === 1) queueMicrotask(flush);
    };
    const open = (payload = '') => {
      const kind = sid
        ? ` xmpp:restart='true'`
        : ` hold='1' wait='${WAIT}' ver='1.6' xmpp:version='1.0' content='text/xml; charset=utf-8'`;
      void post(`${xml` to='${options.domain}' xmlns:xmpp='urn:xmpp:xbosh'`}${kind}`, payload);
    };
    const login = createLogin({ isBurst: false, open, send }, options, { ...on, down });
    options.login.then(
      (ready) => isDead || login.start(ready),
      () => down('closed'),
    );

    return {
      send,
      kill() {
        if (isDead) return undefined;
        end();
        if (sid)
          request(rid++, ` type='terminate'`, `<presence type='unavailable' xmlns='jabber:client'/>`).catch(() => {});
        return undefined;
      },
    };
  };
