// The floor of bench/ircbridge.ts: a relay of nothing but the two libraries. No memory, no order kept across faults, no limits.
// argv: c2s port, jid, password, room, irc port, channel.
import { client, xml } from '@xmpp/client';
import { Client } from 'irc-framework';

const [c2s, jid, password, room, port, channel] = process.argv.slice(2);
const [username, domain] = jid.split('@');
const xmpp = client({
  service: `xmpp://127.0.0.1:${c2s}`,
  domain,
  credentials: (authenticate) => authenticate({ username, password }, 'PLAIN'),
});
const irc = new Client();
let ready = 0;
const inside = () => {
  ready += 1;
  if (ready === 2) process.stderr.write('"event":"ready"\n');
};
xmpp.on('error', () => {});
xmpp.on('connect', () => xmpp.socket.setNoDelay(true));
xmpp.on('online', () => {
  const x = xml('x', { xmlns: 'http://jabber.org/protocol/muc' }, xml('history', { maxstanzas: '0' }));
  xmpp.send(xml('presence', { to: `${room}/bare` }, x)).then(inside);
});
xmpp.on('stanza', (stanza) => {
  if (!stanza.is('message') || stanza.attrs.type !== 'groupchat' || stanza.attrs.from === `${room}/bare`) return;
  const body = stanza.getChildText('body');
  if (body !== null) irc.say(channel, `<${stanza.attrs.from.split('/')[1]}> ${body}`);
});
irc.on('registered', () => irc.join(channel));
irc.on('join', ({ nick }) => nick === irc.user.nick && inside());
irc.on('privmsg', ({ nick, message }) => {
  xmpp.send(xml('message', { type: 'groupchat', to: room }, xml('body', {}, `<${nick}> ${message}`)));
});
irc.on('raw socket connected', (socket) => socket.setNoDelay(true));
irc.connect({ host: '127.0.0.1', port: Number(port), nick: 'bare' });
xmpp.start().catch(() => {});
