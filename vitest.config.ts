import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts', 'web/**/*.test.ts'],
    globalSetup: ['test/support/build.ts'],
    // Patience: most take milliseconds, and on a machine that does much else a hundred times as long.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // What comes is waited for on a busy machine, too: by default a second.
    expect: { poll: { timeout: 10_000 } },
    // For two cores: tests wait for processes and clocks about half of their time.
    maxWorkers: 3,
    // Test files share no module state of the product: servers are objects, closed by whoever made them.
    isolate: false,
    // Of the driver, which looks once, when a process opens its first database: some tests open one before the product does.
    env: { SQLITE_USE_URI: '1' },
    reporters: ['default'],
  },
});
