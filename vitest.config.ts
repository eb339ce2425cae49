import { defineConfig } from 'vitest/config';

// unit: pure and in-process. integration and e2e: real servers, every file with a private stack of its own; two files at a time
// on any machine, for most of what they do is waiting, and more would only be slow. The limits are for a machine that is ten
// times slower than ours: they end what hangs, they judge nothing.
// One retry there: servers are killed at random moments on machines that others load too. It is shown ("retry x1"), and a second
// failure is one.
const FILES_AT_ONCE = 2;

export default defineConfig({
  test: {
    reporters: ['default'],
    projects: [
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts'], testTimeout: 120_000, maxWorkers: FILES_AT_ONCE } },
      {
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          testTimeout: 240_000,
          hookTimeout: 240_000,
          maxWorkers: FILES_AT_ONCE,
          retry: 1,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          testTimeout: 240_000,
          hookTimeout: 240_000,
          maxWorkers: FILES_AT_ONCE,
          retry: 1,
        },
      },
    ],
  },
});
