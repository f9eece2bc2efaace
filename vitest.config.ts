import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

// Rungs, one after the other. `unit` needs no server; `database` gets a PostgreSQL of its own; `workflows` gets Temporal
// servers; `stack` starts real processes, and each of its files is a whole machine room: never more than two at a time.
export default defineConfig({
  test: {
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Most of them wait for something most of the time.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    // What decides about money is covered, or the run fails.
    coverage: {
      provider: 'v8',
      include: ['src/domain/**'],
      reporter: ['text-summary'],
      thresholds: { lines: 95 },
    },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/{store,activities,audit,api,cli,main,workflows,stack}/**'],
        },
      },
      {
        extends: true,
        test: {
          name: 'database',
          include: ['test/{store,activities,audit,api,cli,main}/**/*.test.ts'],
          globalSetup: ['test/support/postgres-setup.ts'],
        },
      },
      {
        extends: true,
        test: {
          name: 'workflows',
          include: ['test/workflows/**/*.test.ts'],
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'stack',
          include: ['test/stack/**/*.test.ts'],
          maxWorkers: 2,
          testTimeout: 120_000,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
