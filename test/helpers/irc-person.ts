/**
 * A person on IRC for tests: raw lines over a socket, no code of src, no library.
 *
 *   const eve = await enterChannel(stack.irc1.port, 'eve', stack.channel);
 *   eve.say('hi'); await eve.heard((line) => line.text === 'hello'); eve.quit();
 */
import { connect, type Socket } from 'node:net';
import { until } from './until.ts';

export type IrcLine = {
  readonly nick: string;
  readonly command: string;
  readonly target: string;
  readonly text: string;
  readonly tags: string;
};

export type IrcPerson = {
  readonly nick: string;
  /** PRIVMSG and NOTICE to the channel, in order of arrival. */
  readonly lines: readonly IrcLine[];
  /** Every raw line. */
  readonly raw: readonly string[];
  say(text: string): void;
  /** A raw line, for what no person should send. */
  send(line: string): void;
  heard(match: (line: IrcLine) => boolean, deadline?: number): Promise<IrcLine>;
  quit(): void;
  readonly socket: Socket;
};

/** Registers and joins. The encoding of what is heard is UTF-8; `socket.write` takes any bytes. */
export async function enterChannel(port: number, nick: string, channel: string): Promise<IrcPerson> {
  const socket = connect(port, '127.0.0.1');
  socket.setNoDelay(true);
  const lines: IrcLine[] = [];
  const raw: string[] = [];
  let pending = Buffer.alloc(0);
  socket.on('error', () => undefined);
  socket.on('data', (chunk) => {
    pending = Buffer.concat([pending, chunk]);
    for (let end = pending.indexOf(10); end >= 0; end = pending.indexOf(10)) {
      take(pending.subarray(0, end).toString('utf8').replace(/\r$/, ''));
      pending = pending.subarray(end + 1);
    }
  });
  function take(line: string): void {
    raw.push(line);
    if (line.startsWith('PING ')) socket.write(`PONG ${line.slice(5)}\r\n`);
    const match = /^(?:@(\S+) )?:([^\s!]+)\S* (PRIVMSG|NOTICE) (\S+) :?(.*)$/.exec(line);
    if (match?.[4]?.toLowerCase() === channel.toLowerCase())
      lines.push({
        tags: match[1] ?? '',
        nick: match[2] ?? '',
        command: match[3] ?? '',
        target: match[4],
        text: match[5] ?? '',
      });
  }
  const send = (line: string): void => void socket.write(`${line}\r\n`);
  send(`NICK ${nick}`);
  send(`USER ${nick} 0 * :${nick}`);
  await until(
    () => raw.some((line) => / 001 /.test(line)),
    () => `no greeting on IRC: ${raw.slice(-5).join(' | ')}`,
  );
  send(`JOIN ${channel}`);
  await until(
    () => raw.some((line) => / 366 /.test(line)),
    () => `no join on IRC: ${raw.slice(-5).join(' | ')}`,
  );
  return {
    nick,
    lines,
    raw,
    socket,
    send,
    say: (text) => send(`PRIVMSG ${channel} :${text}`),
    heard: (match, deadline) =>
      until(
        () => lines.find(match),
        () => `${nick} did not hear it; heard ${JSON.stringify(lines.map(({ nick: from, text }) => [from, text]))}`,
        deadline,
      ),
    quit() {
      socket.end('QUIT\r\n');
      socket.destroySoon();
    },
  };
}
