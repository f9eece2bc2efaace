import { defineConfig } from 'vitest/config';

// Three rungs. `unit` needs no server; `database` gets a PostgreSQL of its own; `stack` starts real processes and is
// run one file at a time, because each of them is a whole machine room.
export default defineConfig({
  test: {
    testTimeout: 30_000,
    hookTimeout: 60_000,
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
      { extends: true, test: { name: 'workflows', include: ['test/workflows/**/*.test.ts'], fileParallelism: false } },
      {
        extends: true,
        test: { name: 'stack', include: ['test/stack/**/*.test.ts'], fileParallelism: false, testTimeout: 120_000 },
      },
    ],
  },
});
