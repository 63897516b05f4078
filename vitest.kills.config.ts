// `npm run test:kills`: turns under load, the journal of tools, and the runs of agents, held against kills: a hundred at
// any moment, and one at every commit.
import { defineConfig } from 'vitest/config';
import base from './vitest.config.ts';

export default defineConfig({
  test: {
    ...base.test,
    include: ['test/tool-kills/*.test.ts', 'test/turns-crash/kills.test.ts'],
    env: { ...base.test?.env, MOCHI_CRASH_RUNS: '4', MOCHI_TOOL_KILLS: '200', MOCHI_AGENT_KILLS: '100' },
  },
});
