import { connect, type NetConnectOpts } from 'node:net';

/** Rejects unless the peer accepts a connection and, where `expect` is given, sends something that begins like it within 2 s. */
export function probeConnection(target: NetConnectOpts, speech?: { send?: string; expect: RegExp }): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(target);
    let heard = '';
    socket.setTimeout(2000, () => socket.destroy(new Error('connected, but no answer')));
    socket.once('error', reject);
    socket.once('close', () => reject(new Error(`closed after "${heard.slice(0, 80)}"`)));
    socket.once('connect', () => {
      if (speech?.send !== undefined) socket.write(speech.send);
      if (speech === undefined) finish();
    });
    socket.on('data', (chunk) => {
      heard += chunk.toString('latin1');
      if (speech?.expect.test(heard)) finish();
    });
    function finish(): void {
      resolve();
      socket.destroy();
    }
  });
}
