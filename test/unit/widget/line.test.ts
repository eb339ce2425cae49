import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lineOf, readEntries } from '../../../widget/src/line.ts';
import { parse } from '../../../widget/src/xml.ts';

const ROOM = 'sax@conference.chat.test';
const NOW = 1_795_336_100_000;
const read = (source: string) => lineOf(parse(source), ROOM, NOW);
const live = (inside: string, from = `${ROOM}/Tari`) =>
  `<message from='${from}' type='groupchat' id='m1'>${inside}</message>`;

describe('lineOf', () => {
  it('dates a live line by the room’s stanza-id', () => {
    expect(read(live(`<body>hi</body><stanza-id xmlns='urn:xmpp:sid:0' by='${ROOM}' id='1795336008242247'/>`))).toEqual(
      { id: '1795336008242247', m: 'm1', n: 'Tari', t: 'hi', ts: 1_795_336_008_242, k: undefined },
    );
  });

  it('believes the room’s clock where the browser’s is an hour behind', () => {
    const message = parse(live(`<body>hi</body><stanza-id by='${ROOM}' id='1795336008242247'/>`));
    expect(lineOf(message, ROOM, 1_795_336_008_242 - 3_600_000)?.ts).toBe(1_795_336_008_242);
  });

  it('does not believe a stanza-id that the room did not give', () => {
    expect(
      read(live(`<body>hi</body><stanza-id xmlns='urn:xmpp:sid:0' by='evil@x' id='1795336008242247'/>`)),
    ).toMatchObject({ id: undefined, ts: NOW });
  });

  it('takes the time of history from its delay, but never from the future', () => {
    const delayed = (stamp: string) => live(`<body>hi</body><delay xmlns='urn:xmpp:delay' stamp='${stamp}'/>`);
    expect(read(delayed('2026-01-02T03:04:05.678Z'))?.ts).toBe(Date.parse('2026-01-02T03:04:05.678Z'));
    expect(read(delayed('2099-01-02T03:04:05Z'))?.ts).toBe(NOW);
    expect(read(delayed('nonsense'))?.ts).toBe(NOW);
  });

  it('reads an archive result of the room', () => {
    const result = (from: string) =>
      `<message from='${from}' to='me'><result xmlns='urn:xmpp:mam:2' id='1795336008242247'><forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' stamp='2026-11-22T08:26:48.242247Z'/><message xmlns='jabber:client' from='${ROOM}/Victim' type='groupchat' id='x'><body>said</body></message></forwarded></result></message>`;
    expect(read(result(ROOM))).toMatchObject({ id: '1795336008242247', n: 'Victim', t: 'said', ts: 1_795_336_008_242 });
    // An occupant has no archive: else he could put words into Victim's mouth.
    expect(read(result(`${ROOM}/Evil`))).toBeUndefined();
    expect(read(result('evil@chat.test'))).toBeUndefined();
  });

  it('carries the kind, and knows what is no line', () => {
    expect(read(live(`<body>x</body><sax xmlns='urn:saxctl:line:0' kind='irc'/>`))?.k).toBe('irc');
    expect(read(live('<subject>topic</subject>'))).toBeUndefined();
    expect(read(live('<body>hi</body>', 'other@conference.chat.test/x'))).toBeUndefined();
    expect(read(`<message from='${ROOM}/Tari' type='chat'><body>private</body></message>`)).toBeUndefined();
  });
});

describe('readEntries', () => {
  it('reads what webridge writes', () => {
    const messages = [{ id: '1', n: 'Tari', t: 'hi', ts: 1, k: 'announcement' }];
    expect(readEntries({ v: 1, room: ROOM.toUpperCase(), messages }, ROOM)).toEqual([
      { id: '1', m: undefined, n: 'Tari', t: 'hi', ts: 1, k: 'announcement' },
    ]);
  });

  it('is not for another room', () => {
    expect(readEntries({ v: 1, room: 'other', messages: [{ n: 'a', t: 'b', ts: 1 }] }, ROOM)).toEqual([]);
  });

  it('makes lines of anything, or leaves it out', () => {
    fc.assert(
      fc.property(fc.anything(), fc.array(fc.anything()), (top, messages) => {
        for (const json of [
          top,
          { v: 1, room: ROOM, messages },
          { room: ROOM, messages: [{ t: 'x', ts: 1, n: top, k: top }] },
        ])
          for (const line of readEntries(JSON.parse(JSON.stringify(json) ?? 'null'), ROOM)) {
            expect(typeof line.t).toBe('string');
            expect(typeof line.n).toBe('string');
            expect(Number.isNaN(new Date(line.ts).getTime())).toBe(false);
          }
      }),
    );
  });
});
