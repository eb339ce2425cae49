import { defineConfig } from 'vitest/config';

// unit: pure and in-process, always parallel. integration and e2e: real servers, one file at a time,
// because every file starts a private stack of its own and the machines are small. The limits are for a machine that is
// ten times slower than ours: they end what hangs, they judge nothing.
// One retry there: servers are killed at random moments on machines that others load too. It is shown ("retry x1"), and a second
// failure is one.
export default defineConfig({
  test: {
    reporters: ['default'],
    projects: [
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts'], testTimeout: 120_000 } },
      {
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          testTimeout: 240_000,
          hookTimeout: 240_000,
          fileParallelism: false,
          retry: 1,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          testTimeout: 240_000,
          hookTimeout: 240_000,
          fileParallelism: false,
          retry: 1,
        },
      },
    ],
  },
});
