// What binds a run: the agent's own word before the server's.
import { expect, it } from 'vitest';
import { isGated, limitsOf, toAgentLimits } from './server-limits.ts';

const OWN = {
  maxIterations: null,
  timeoutSeconds: null,
  maxTokens: null,
  think: false,
  planning: true,
  approvePlan: false,
} as const;
const OPTIONS = {
  dataDir: '/data',
  planningPromptPath: '/data/docs/agents/agent_prompt_planning.md',
  executionPromptPath: '/etc/work.md',
  maxAgentIterations: 50,
  agentTimeoutSeconds: 1800,
  agentPlanApproval: 'by_agent',
} as const;
const SERVER = toAgentLimits(OPTIONS);

it('files of the operator may be missing only where nobody named them', () => {
  expect(SERVER.prompts).toEqual({
    planning: { path: OPTIONS.planningPromptPath, mayBeMissing: true },
    execution: { path: '/etc/work.md', mayBeMissing: false },
  });
});

it.each([
  [OWN, { maxRounds: 50, timeoutMs: 1_800_000, maxTokens: null }],
  [
    { ...OWN, maxIterations: 3, timeoutSeconds: 60, maxTokens: 9 },
    { maxRounds: 3, timeoutMs: 60_000, maxTokens: 9 },
  ],
  [
    { ...OWN, timeoutSeconds: 0 },
    { maxRounds: 50, timeoutMs: null, maxTokens: null },
  ],
])('limits of %j', (own, limits) => {
  expect(limitsOf(own, SERVER)).toEqual(limits);
});

it('no time limit of the server is none', () => {
  const server = toAgentLimits({ ...OPTIONS, agentTimeoutSeconds: 0 });
  expect(limitsOf(OWN, server).timeoutMs).toBeNull();
  expect(limitsOf({ ...OWN, timeoutSeconds: 5 }, server).timeoutMs).toBe(5000);
});

it.each([
  ['by_agent', {}, false],
  ['by_agent', { approvePlan: true }, true],
  ['always', {}, true],
  ['never', { approvePlan: true }, false],
  ['always', { planning: false, approvePlan: true }, false],
] as const)('a plan is approved: %s, %j, %s', (planApproval, own, gated) => {
  expect(isGated({ ...OWN, ...own }, { ...SERVER, planApproval })).toBe(gated);
});
