import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    testTimeout: 20_000,
    hookTimeout: 20_000,
    // Two cores: a worker each. The servers under test are processes or sockets of their own.
    maxWorkers: 2,
    // Test files share no module state of the product: servers are objects, closed by whoever made them.
    isolate: false,
    reporters: ['default'],
  },
});
