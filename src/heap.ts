import { setFlagsFromString } from 'node:v8';

/**
 * Keeps the heap of a daemon, or of a run over all members, as small as what it holds. V8 lets both generations grow while
 * there is much to do (the young one from 2 to 32 MiB within seconds, the old one by tens of MiB of garbage), and who handles
 * many small things needs none of it. V8 reads these two whenever it could grow, so that they work after the start too, unlike
 * --max-semi-space-size; a version that does not know one says so on stderr and goes on. Figures: `npm run bench -- webridge
 * --memory`, `npm run bench -- nicks`.
 */
export function keepHeapSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
  setFlagsFromString('--heap-growing-percent=20');
}
