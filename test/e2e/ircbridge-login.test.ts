import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type Answer, type IrcPeer, saslAnswers, startIrcPeer, usual } from '../helpers/irc-peer.ts';
import { type RunningSaxctl, startSaxctl } from '../helpers/stack.ts';
import { until } from '../helpers/until.ts';

/** How the program logs in on IRC, from its configuration to the wire. A room is not needed for that: nobody answers there. */
let directory: string;
const pem = (name: string) => join(directory, `${name}.pem`);

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'saxctl-login-'));
  for (const name of ['server', 'client']) {
    const [key, certificate] = [join(directory, `${name}.key`), join(directory, `${name}.crt`)];
    await promisify(execFile)('openssl', [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
      ...['-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', certificate],
    ]);
    await writeFile(pem(name), (await readFile(certificate, 'utf8')) + (await readFile(key, 'utf8')), { mode: 0o600 });
  }
});
afterAll(() => rm(directory, { recursive: true, force: true }));

let peer: IrcPeer | undefined;
let bridge: RunningSaxctl | undefined;
afterEach(async () => {
  await bridge?.kill();
  peer?.close();
});

let runs = 0;
async function start(answer: Answer, env: Record<string, string>, secure = true): Promise<IrcPeer> {
  const server = await readFile(pem('server'));
  const security = { cert: server, key: server, requestCert: true, rejectUnauthorized: false };
  peer = await startIrcPeer(answer, secure ? security : undefined);
  runs += 1;
  bridge = startSaxctl({ config: '/dev/null', env: {} }, ['ircbridge'], {
    env: {
      SAXCTL_STATE_DIR: join(directory, `state-${runs}`),
      SAXCTL_XMPP_SERVICE: 'xmpp://127.0.0.1:1',
      SAXCTL_XMPP_DOMAIN: 'chat.test',
      SAXCTL_XMPP_ROOM: 'sax@conference.chat.test',
      SAXCTL_IRCBRIDGE_JID: 'bot@chat.test',
      SAXCTL_IRCBRIDGE_PASSWORD: 'x',
      SAXCTL_IRCBRIDGE_NICK: 'irc',
      SAXCTL_IRC_SERVERS: peer.url,
      SAXCTL_IRC_NICK: 'bot',
      SAXCTL_IRC_CHANNEL: '#c',
      SAXCTL_IRC_TLS_CA: join(directory, 'server.crt'),
      ...env,
    },
  });
  return peer;
}

/** The lines of a login in the order in which they came, without what every login has. */
async function login({ received }: IrcPeer): Promise<readonly string[]> {
  await until(
    () => received.some((line) => line.startsWith('JOIN')),
    () => `${received.join(' | ')}\n${bridge?.stderr()}`,
    30_000,
  );
  return received.filter((line) => /^(AUTHENTICATE|CAP END|JOIN|PRIVMSG)/.test(line));
}

test('SASL PLAIN: account and password, before the registration ends', async () => {
  const got = await login(
    await start(saslAnswers(':srv 903 bot :ok'), { SAXCTL_IRC_SASL_USER: 'acc', SAXCTL_IRC_SASL_PASSWORD: 'pass€' }),
  );
  const secret = Buffer.from('acc\0acc\0pass€').toString('base64');
  expect(got).toEqual(['AUTHENTICATE PLAIN', `AUTHENTICATE ${secret}`, 'CAP END', 'JOIN #c']);
  expect(bridge?.stderr()).not.toMatch(new RegExp(`pass€|${secret}`));
});

test('SASL EXTERNAL: the certificate of client_cert is shown and asked for by name', async () => {
  const server = await start(saslAnswers(':srv 903 bot :ok'), { SAXCTL_IRC_CLIENT_CERT: pem('client') });
  expect(await login(server)).toEqual(['AUTHENTICATE EXTERNAL', 'AUTHENTICATE +', 'CAP END', 'JOIN #c']);
  expect(server.certificates).toEqual(['client']);
});

test.each([
  ['SASL PLAIN', { SAXCTL_IRC_SASL_PASSWORD: 'wrong' }],
  ['SASL EXTERNAL', {}],
])('a refused %s login says so and is exit 77', async (_name, env) => {
  const external = Object.keys(env).length === 0;
  await start(saslAnswers(':srv 904 bot :SASL authentication failed'), {
    ...env,
    ...(external ? { SAXCTL_IRC_CLIENT_CERT: pem('client') } : {}),
  });
  const { code, stderr } = (await bridge?.finished) ?? {};
  expect(code).toBe(77);
  expect(stderr).toContain('SASL login refused: SASL authentication failed');
});

test('NickServ: identified before the join, by account when the nickname is taken, and the ghost is sent away', async () => {
  const services: Answer = (line) =>
    line.startsWith('PRIVMSG NickServ :IDENTIFY')
      ? [':NickServ!services@services NOTICE bot :You are now identified']
      : undefined;
  const first = await start(services, { SAXCTL_IRC_NICKSERV_PASSWORD: 'secret' });
  expect(await login(first)).toEqual(['PRIVMSG NickServ :IDENTIFY secret', 'JOIN #c']);
  await bridge?.kill();
  first.close();

  let taken = true;
  const second = await start(
    (line) => {
      if (line === 'NICK bot' && taken) return [':srv 433 * bot :Nickname is already in use'];
      if (line.startsWith('USER')) return [];
      if (line === 'NICK bot_') return usual('USER x').map((reply) => reply.replace(' bot ', ' bot_ '));
      if (line.includes(':GHOST bot')) {
        taken = false;
        return [':bot!u@host QUIT :ghosted'];
      }
      if (line === 'NICK bot') return [':bot_!u@host NICK bot'];
      return services(line);
    },
    { SAXCTL_IRC_NICKSERV_PASSWORD: 'secret' },
  );
  const got = await login(second);
  expect(got).toEqual(['PRIVMSG NickServ :IDENTIFY bot secret', 'PRIVMSG NickServ :GHOST bot secret', 'JOIN #c']);
  await bridge?.logged(/"event":"nick-regained"/, 30_000);
  expect(bridge?.stderr()).not.toContain('secret');
});

test('services that never answer hold the join up for seconds only', async () => {
  const server = await start(() => undefined, { SAXCTL_IRC_NICKSERV_PASSWORD: 'secret' });
  expect(await login(server)).toEqual(['PRIVMSG NickServ :IDENTIFY secret', 'JOIN #c']);
});

test('the channel key goes with the join, and the join behind the registration', async () => {
  const server = await start(() => undefined, { SAXCTL_IRC_CHANNEL: '#c', SAXCTL_IRC_CHANNEL_KEY: 'key' }, false);
  await until(() => server.received.includes('JOIN #c key'));
  expect(server.received.findIndex((line) => line.startsWith('USER'))).toBeLessThan(
    server.received.indexOf('JOIN #c key'),
  );
});
