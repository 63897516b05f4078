// `npm run test:cluster`: several servers on one database of PostgreSQL, killed, stopped and frozen.
import { defineConfig } from 'vitest/config';
import base from './vitest.config.ts';

export default defineConfig({
  test: {
    ...base.test,
    include: ['test/cluster/*.cluster.ts'],
    // Each has servers of its own, and leases that a machine with too much to do could not keep.
    fileParallelism: false,
    globalSetup: ['test/support/build.ts', 'test/support/postgres-template.ts'],
  },
});
