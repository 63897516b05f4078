// `npm run test:kills`: the journal of tools, and the runs of agents, held against a kill at every commit.
import { defineConfig } from 'vitest/config';
import base from './vitest.config.ts';

export default defineConfig({
  test: {
    ...base.test,
    include: ['test/tool-kills/*.test.ts'],
    env: { ...base.test?.env, MOCHI_TOOL_KILLS: '200', MOCHI_AGENT_KILLS: '100' },
  },
});
