import { defineConfig } from 'vitest/config';

/** The tests on a real model: `npm run test:model`. */
export default defineConfig({
  test: {
    include: ['test/model/*.model.ts'],
    // A small model on a busy machine.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    // One model in memory at a time.
    fileParallelism: false,
    isolate: false,
    reporters: ['verbose'],
  },
});
