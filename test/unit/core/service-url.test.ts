import { expect, test } from 'vitest';
import { IRC, parseService, XMPP } from '../../../src/core/service-url.ts';

test.each([
  ['irc://irc.example.net', IRC, { secure: false, host: 'irc.example.net', port: 6667 }],
  ['IRCS://irc.example.net/', IRC, { secure: true, host: 'irc.example.net', port: 6697 }],
  ['ircs://[2001:db8::1]:7000', IRC, { secure: true, host: '2001:db8::1', port: 7000 }],
  ['xmpp://127.0.0.1', XMPP, { secure: false, host: '127.0.0.1', port: 5222 }],
  ['xmpps://chat.example.org:443', XMPP, { secure: true, host: 'chat.example.org', port: 443 }],
])('%s', (url, scheme, service) => {
  expect(parseService(url, scheme)).toEqual(service);
});

test.each([
  ['http://x', IRC],
  ['irc://x', XMPP],
  ['ircss://x', IRC],
  ['irc://x:0', IRC],
  ['irc://x:70000', IRC],
  ['irc://', IRC],
  ['irc://x y', IRC],
  ['irc://x/path', IRC],
  ['2001:db8::1', XMPP],
  ['', XMPP],
])('%j is no address', (url, scheme) => {
  expect(() => parseService(url, scheme)).toThrow(
    expect.objectContaining({ exit: 78, message: expect.stringContaining(`${scheme.key}: not an address`) }),
  );
});
