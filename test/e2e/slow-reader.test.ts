import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, expect, it } from 'vitest';
import { PROGRAM } from '../helpers/stack.ts';
import { startXmppPeer } from '../helpers/xmpp-peer.ts';

const ROOM = 'sax@conference.chat.test';
let end: () => Promise<void> = async () => {};
afterEach(() => end());

it.each([
  ['SIGTERM', 75],
  ['SIGINT', 130],
] as const)('history whose reader does not read ends at one %s', async (signal, exit) => {
  const peer = await startXmppPeer();
  const child = spawn(process.execPath, [PROGRAM, 'history', '--since', '1d', '--json'], {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: {
      PATH: process.env['PATH'],
      HOME: '/nonexistent',
      SAXCTL_XMPP_SERVICE: `xmpp://127.0.0.1:${peer.port}`,
      SAXCTL_XMPP_DOMAIN: 'chat.test',
      SAXCTL_WEBRIDGE_JID: 'bot@chat.test',
      SAXCTL_WEBRIDGE_PASSWORD: 'secret',
    },
  });
  const ended = once(child, 'exit');
  end = async () => {
    child.kill('SIGKILL');
    await peer.close();
  };
  const server = await peer.accept(20_000);
  await server.login();
  const request = await server.expect(/<iq type="set" id="([^"]+)".*?queryid="([^"]+)".*?<\/iq>/, 20_000);
  const result = (id: number): string =>
    `<message from='${ROOM}'><result xmlns='urn:xmpp:mam:2' queryid='${request[2]}' id='${id}'><forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' stamp='${new Date().toISOString()}'/><message xmlns='jabber:client' type='groupchat' from='${ROOM}/alice'><body>${'x'.repeat(8000)}</body></message></forwarded></result></message>`;
  const fin = `<fin xmlns='urn:xmpp:mam:2'><set xmlns='http://jabber.org/protocol/rsm'><first>1</first><last>250</last></set></fin>`;
  for (let id = 1; id <= 250; id++) server.send(result(id));
  server.send(`<iq type='result' id='${request[1]}' from='${ROOM}'>${fin}</iq>`);
  // Something is there to be read, and nobody reads on.
  await once(child.stdout, 'readable');
  child.kill(signal);
  expect(await ended).toEqual([exit, null]);
});
