import { type EventEmitter, once } from 'node:events';
import type { Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { transportClass } from '../../../../src/edges/irc/transport.ts';

test('a reset while lines wait for their turn loses none that had been received', async () => {
  const socket = new PassThrough();
  const Transport = transportClass({ socket: socket as unknown as Socket, heard() {} }) as new () => EventEmitter & {
    connect(): void;
  };
  const transport = new Transport();
  const lines: string[] = [];
  transport.on('line', (line: string) => lines.push(line));
  const closed = once(transport, 'close');
  transport.connect();
  const said = Array.from({ length: 300 }, (_value, index) => `line ${index}`);
  for (let from = 0; from < said.length; from += 100)
    socket.write(
      said
        .slice(from, from + 100)
        .map((line) => `${line}\r\n`)
        .join(''),
    );
  while (lines.length === 0) await new Promise((resolve) => setImmediate(resolve));
  expect(lines.length).toBeLessThan(200);
  socket.destroy(new Error('reset'));
  await closed;
  expect(lines).toEqual(said);
});
