// `npm run test:slow`: what takes longer than the other tests may. In a browser: thousands of documents, hours of use,
// reloads in every phase, networks that cut, many tabs. In processes: full disks, lost databases, what is erased.
import { defineConfig } from 'vitest/config';
import base from './vitest.config.ts';

export default defineConfig({
  test: { ...base.test, include: ['test/**/*.slow.ts'] },
});
