// `npm run test:page`: what takes a browser longer than the other tests of the page may: thousands of documents, hours of use.
import { defineConfig } from 'vitest/config';
import base from './vitest.config.ts';

export default defineConfig({
  test: { ...base.test, include: ['test/web/*.slow.ts'] },
});
