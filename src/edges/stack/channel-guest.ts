import { connect } from 'node:net';

/** Somebody on IRC without any library: joins one channel, speaks, and hears the texts of others. */
export type ChannelGuest = {
  readonly nick: string;
  say(text: string): void;
  /** Resolves when a text with this part was heard, also one from before the call. */
  heard(part: string, signal: AbortSignal): Promise<void>;
  quit(): void;
};

/** Registers and joins. Rejects when the server does not let us in before the signal. */
export function enterChannel(port: number, nick: string, channel: string, signal: AbortSignal): Promise<ChannelGuest> {
  const socket = connect(port, '127.0.0.1');
  socket.setNoDelay(true);
  socket.setEncoding('utf8');
  const texts: string[] = [];
  const waiting = new Set<() => void>();
  const send = (line: string): void => void socket.write(`${line}\r\n`);
  const guest: ChannelGuest = {
    nick,
    say: (text) => send(`PRIVMSG ${channel} :${text}`),
    heard: (part, stop) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (!texts.some((text) => text.includes(part))) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        stop.addEventListener('abort', () => {
          waiting.delete(look);
          reject(new Error(`the channel did not show "${part}"`));
        });
        look();
      }),
    quit() {
      if (!socket.destroyed) socket.end('QUIT\r\n');
    },
  };
  return new Promise((resolve, reject) => {
    let pending = '';
    const fail = (why: unknown): void => {
      socket.destroy();
      reject(why);
    };
    signal.addEventListener('abort', () => fail(signal.reason));
    socket.on('error', fail);
    socket.on('close', () => reject(new Error(`IRC closed the connection of ${nick}`)));
    send(`NICK ${nick}`);
    send(`USER ${nick} 0 * :${nick}`);
    socket.on('data', (chunk: string) => {
      const lines = (pending + chunk).split('\n');
      pending = lines.pop() ?? '';
      for (const line of lines) take(line.replace(/\r$/, ''));
    });
    const take = (line: string): void => {
      if (line.startsWith('PING ')) send(`PONG ${line.slice(5)}`);
      const { command, text } = parse(line);
      if (command === '001') send(`JOIN ${channel}`);
      else if (command === '366') resolve(guest);
      else if (command === 'PRIVMSG' || command === 'NOTICE') {
        texts.push(text);
        for (const look of [...waiting]) look();
      }
    };
  });
}

/** The command of a line and its last parameter (RFC 1459 section 2.3.1), which is all that a guest needs. */
function parse(line: string): { command: string; text: string } {
  const bare = line.replace(/^@\S+ /, '').replace(/^:\S+ /, '');
  const trailing = bare.indexOf(' :');
  return {
    command: bare.split(' ', 1)[0] ?? '',
    text: trailing < 0 ? (bare.split(' ').at(-1) ?? '') : bare.slice(trailing + 2),
  };
}
