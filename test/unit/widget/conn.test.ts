import { describe, expect, it } from 'vitest';
import { type ConnOptions, type FramerEvents, openConn } from '../../../widget/src/conn.ts';
import { parse } from '../../../widget/src/xml.ts';

async function setUp(more: Partial<ConnOptions> = {}, isBurst = true) {
  const sent: string[] = [];
  const unseen: string[] = [];
  const note = (text: string) => {
    sent.push(text);
    unseen.push(text);
  };
  const told: unknown[][] = [];
  let events: FramerEvents | undefined;
  const conn = openConn(
    (_, on) => {
      events = on;
      return {
        isBurst,
        ready: Promise.resolve(),
        open: (payload = '') => note(`open ${payload}`),
        send: (stanza) => note(stanza),
        close: (farewell) => note(`close ${farewell}`),
      };
    },
    {
      domain: 'chat.test',
      login: Promise.resolve({ local: 'tari', password: 'pässword' }),
      first: () => ['<presence/>'],
      resume: undefined,
      pipelined: true,
      ...more,
    },
    {
      up: (resumed) => void told.push(['up', resumed]),
      stanza: ({ name }) => void told.push(['stanza', name]),
      down: (why) => void told.push(['down', why]),
    },
  );
  await new Promise((resolve) => setTimeout(resolve));
  /** What was sent since the last call: the element's name, or the word. */
  const names = () => unseen.splice(0).map((text) => /^<?([a-z]+)/.exec(text)?.[1]);
  return { conn, sent, told, names, receive: (source: string) => events?.receive(parse(source)), events: () => events };
}

const BOUND = `<iq type='result' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>a@b/c</jid></bind></iq>`;
const ENABLED = `<enabled xmlns='urn:xmpp:sm:3' id='s1' resume='true'/>`;
const RESUME = { id: 's0', h: 7 };

describe('a connection', () => {
  it('sends the whole log-in in one burst where the transport can', async () => {
    const { sent, names, told, receive } = await setUp();
    expect(sent[1]).toContain(btoa(String.fromCharCode(...new TextEncoder().encode('\0tari\0pässword'))));
    expect(names()).toEqual(['open', 'auth', 'open', 'iq', 'enable', 'presence']);
    for (const answer of [
      '<open/>',
      '<features/>',
      '<success/>',
      '<open/>',
      '<features/>',
      BOUND,
      ENABLED,
      '<message/>',
    ])
      receive(answer);
    expect(told).toEqual([
      ['up', false],
      ['stanza', 'message'],
    ]);
    expect(names()).toEqual([]);
  });

  it('goes step by step where a burst is not understood', async () => {
    const { names, told, receive } = await setUp({ pipelined: false });
    expect(names()).toEqual(['open']);
    receive('<features/>');
    expect(names()).toEqual(['auth']);
    receive('<success/>');
    expect(names()).toEqual(['open']);
    receive('<features/>');
    expect(names()).toEqual(['iq']);
    receive(BOUND);
    expect(names()).toEqual(['enable', 'presence']);
    expect(told).toEqual([['up', false]]);
  });

  it('carries the credentials in the first body over BOSH, and enters after the restart', async () => {
    const { sent, names, receive } = await setUp({ resume: RESUME }, false);
    expect(sent[0]).toContain('open <auth');
    names();
    receive('<success/>');
    expect(names()).toEqual(['open', 'iq', 'presence']);
  });

  it('resumes, counting what it hears, and logs in anew on the same stream when it is too late', async () => {
    const resumed = await setUp({ resume: RESUME });
    expect(resumed.names()).toEqual(['open', 'auth', 'open', 'resume']);
    resumed.receive(`<resumed xmlns='urn:xmpp:sm:3' h='1' previd='s0'/>`);
    resumed.receive('<message/>');
    resumed.receive(`<r xmlns='urn:xmpp:sm:3'/>`);
    expect(resumed.sent.at(-1)).toContain(`h='8'`);
    expect(resumed.told[0]).toEqual(['up', true]);

    const failed = await setUp({ resume: RESUME });
    failed.names();
    failed.receive(`<failed xmlns='urn:xmpp:sm:3'/>`);
    expect(failed.names()).toEqual(['iq', 'enable', 'presence']);
  });

  it('can be resumed however it ended, also before it was resumed itself', async () => {
    const lost = await setUp();
    for (const answer of [BOUND, ENABLED, '<message/>']) lost.receive(answer);
    lost.events()?.down('closed');
    expect(lost.told.at(-1)).toEqual(['down', 'closed']);
    expect(lost.conn.kill(true)).toEqual({ id: 's1', h: 1 });

    const early = await setUp({ resume: RESUME });
    early.events()?.down('closed');
    expect(early.conn.kill(true)).toEqual(RESUME);
  });

  it('says good-bye only when it leaves for good, and hears nothing afterwards', async () => {
    const { conn, names, told, receive } = await setUp();
    for (const answer of [BOUND, ENABLED]) receive(answer);
    names();
    expect(conn.kill(false)).toBeUndefined();
    expect(names()).toEqual(['presence', 'close']);
    receive('<message/>');
    expect(told).toEqual([['up', false]]);

    const kept = await setUp();
    for (const answer of [BOUND, ENABLED]) kept.receive(answer);
    kept.names();
    kept.conn.kill(true);
    expect(kept.sent.at(-1)).toBe('close false');
    expect(kept.names()).toEqual(['close']);
  });

  it.each([
    ['<failure/>', 'auth'],
    ['<error/>', 'closed'],
    ['<close/>', 'closed'],
    [`<iq type='error' id='bind'><error/></iq>`, 'closed'],
  ])('ends at %s: %s', async (answer, why) => {
    const { told, receive } = await setUp();
    receive(answer);
    receive(answer);
    expect(told).toEqual([['down', why]]);
  });
});
