import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

// One project per kind of proof, so that `make unit`, `make sim` and `make e2e` run apart.
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: [
            '{api,runtime,controllers,dom,agent,cli,proto,bench,bin,manifests}/**/*.test.ts',
            '*.test.ts',
          ],
          pool: 'threads',
          testTimeout: 20_000,
          // A busy machine is no failure.
          expect: { poll: { timeout: 15_000 } },
          // One core is left to Vitest otherwise: half of two.
          maxWorkers: availableParallelism(),
        },
      },
      {
        test: {
          name: 'sim',
          include: ['sim/**/*.test.ts'],
          pool: 'threads',
          testTimeout: 900_000,
          // It is processor time from end to end: no core may rest.
          maxWorkers: availableParallelism(),
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['e2e/**/*.test.ts'],
          pool: 'forks',
          fileParallelism: false,
          sequence: { groupOrder: 2 },
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
