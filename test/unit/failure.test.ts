import { afterEach, expect, it } from 'vitest';
import { withContext } from '../../src/context.ts';
import { EXIT, SaxError } from '../../src/core/errors.ts';
import { type FakeIo, fakeIo } from '../helpers/fake-io.ts';

let ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends) end();
  ends = [];
});

/** A command that runs until the test ends; returns how to throw where nobody catches. */
async function running(): Promise<{ io: FakeIo; defect: (error: unknown) => void }> {
  const heard: ((error: unknown) => void)[] = [];
  const io: FakeIo = {
    ...fakeIo(),
    onDefect(handler) {
      heard.push(handler);
    },
  };
  const done = withContext(
    io,
    () => Promise.reject(new Error('not asked')),
    () => new Promise((resolve) => ends.push(() => resolve(EXIT.done))),
  );
  ends.push(() => void done);
  return { io, defect: (error) => heard[0]?.(error) };
}

it.each([
  [new SaxError(EXIT.cannotCreate, 'disk\u001b[2J full'), EXIT.cannotCreate, 'saxctl: disk\\u{1b}[2J full\n'],
  [
    new TypeError('a\nb'),
    EXIT.defect,
    'saxctl: internal error: a\\u{a}b; please report it with what --log-level debug says\n',
  ],
])('what nobody caught is one line and an exit code of the table: %s', async (error, exit, line) => {
  const { io, defect } = await running();
  defect(error);
  expect([io.exits, io.stderr.text]).toEqual([[exit], line]);
});
