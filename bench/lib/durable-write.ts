import { open } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Single durable writes, milliseconds each: a record of usual length appended to a file beside the journal and synced, the way a program
 * does it that must not stand still meanwhile. `pauseMs` between two is the pace of what they are compared with: a disk and a
 * processor that slept answer later than busy ones.
 */
export async function durableWrites(directory: string, pace: { count: number; pauseMs: number }): Promise<number[]> {
  const file = await open(join(directory, 'bench'), 'a');
  const record = Buffer.alloc(180, 'x');
  const times: number[] = [];
  for (let n = 0; n < pace.count; n += 1) {
    const started = performance.now();
    await file.write(record);
    await file.datasync();
    times.push(performance.now() - started);
    await new Promise((done) => setTimeout(done, pace.pauseMs));
  }
  await file.close();
  return times;
}
