// `npm run test:clients`: clients that are too heavy for `npm test`, those of Python among them.
import { defineConfig } from 'vitest/config';
import base from './vitest.config.ts';

export default defineConfig({
  test: {
    ...base.test,
    // They need nothing that is built.
    globalSetup: [],
    include: ['test/clients/**/*.clients.ts'],
    // Some of them take many seconds to be read.
    testTimeout: 180_000,
    hookTimeout: 60_000,
    reporters: ['verbose'],
  },
});
