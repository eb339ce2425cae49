import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { processesOf } from '../../src/edges/stack/process-table.ts';
import { type Stack, startStack } from '../../src/edges/stack/stack.ts';

describe('a private stack', () => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await startStack({
      parts: ['mariadb', 'ejabberd', 'irc1', 'irc2', 'ngircd', 'nginx'],
      onStep: (step, ms) => process.stderr.write(`${step} ${ms.toFixed(0)} ms\n`),
    });
  });
  afterAll(async () => {
    await stack?.stop();
    expect(existsSync(stack.directory)).toBe(false);
    expect(processesOf(stack.directory)).toEqual([]);
  });

  it('has the sample members', async () => {
    const [row] = await stack.sql('SELECT username FROM phpbb_users WHERE user_id = ?', [
      stack.member('Tom & Jerry').id,
    ]);
    expect(row).toEqual({ username: 'Tom &amp; Jerry' });
  });

  it('has the room with its archive', async () => {
    const options = await stack.api('get_room_options', { name: 'sax', service: stack.mucService });
    expect(options).toMatchObject({ mam: 'true', persistent: 'true' });
  });

  it('keeps the room through a kill of ejabberd', async () => {
    await stack.ejabberd.kill();
    await stack.ejabberd.start();
    expect(await stack.api('muc_online_rooms', { service: 'global' })).toEqual([stack.room]);
  });
});
