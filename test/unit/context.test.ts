import { Writable } from 'node:stream';
import { expect, it } from 'vitest';
import { withContext } from '../../src/context.ts';
import { EXIT } from '../../src/core/errors.ts';
import { defaultFlags } from '../../src/flags.ts';
import { fakeIo } from '../helpers/fake-io.ts';

it('a log that nobody reads does not grow for ever, and holds nobody up', async () => {
  const stderr = new Writable({ write() {} });
  const io = { ...fakeIo(), stderr };
  const code = await withContext(
    io,
    () => Promise.reject(new Error('no tree')),
    async (makeContext) => {
      const { log } = makeContext(defaultFlags(io));
      for (let line = 0; line < 5000; line++) log.error('word', 'x'.repeat(1000));
      return EXIT.done;
    },
  );
  expect(code).toBe(EXIT.done);
  expect(stderr.writableLength).toBeGreaterThan(500_000);
  expect(stderr.writableLength).toBeLessThan(1_200_000);
});
