// node scripts/screenshots.mjs: docs/screenshots/widget-*.png from the real widget with the real servers, played by two members.
import { mkdirSync } from 'node:fs';
import { load } from './lib/compile.mjs';

mkdirSync('docs/screenshots', { recursive: true });
const { takeScreenshots } = await load('bench/lib/screenshots.ts', 'screenshots');
await takeScreenshots('docs/screenshots');
