// What the operator says about runs of agents, and what becomes of it with what an agent says itself.
import { join } from 'node:path';
import { type PromptFile, USUAL_FILES } from './phase-prompts.ts';
import type { RunLimits } from './phases.ts';
import type { AgentRunSettings } from './run-settings.ts';

export interface AgentLimits {
  readonly maxRounds: number;
  /** Null: none. */
  readonly timeoutMs: number | null;
  readonly planApproval: 'by_agent' | 'always' | 'never';
  readonly prompts: { readonly planning: PromptFile; readonly execution: PromptFile };
}

/** As the configuration has them. */
export interface AgentOptions {
  /** Absolute, as all paths. */
  readonly dataDir: string;
  readonly planningPromptPath: string;
  readonly executionPromptPath: string;
  readonly maxAgentIterations: number;
  readonly agentTimeoutSeconds: number;
  readonly agentPlanApproval: AgentLimits['planApproval'];
}

export function toAgentLimits(options: AgentOptions): AgentLimits {
  const { dataDir, agentTimeoutSeconds: seconds } = options;
  const fileOf = (path: string, usual: string) => ({ path, mayBeMissing: path === join(dataDir, usual) });
  return {
    maxRounds: options.maxAgentIterations,
    timeoutMs: seconds === 0 ? null : seconds * 1000,
    planApproval: options.agentPlanApproval,
    prompts: {
      planning: fileOf(options.planningPromptPath, USUAL_FILES.planning),
      execution: fileOf(options.executionPromptPath, USUAL_FILES.execution),
    },
  };
}

/** An agent's own limits take the place of the server's. */
export function limitsOf(agent: AgentRunSettings, server: AgentLimits): RunLimits {
  const { maxIterations, timeoutSeconds, maxTokens } = agent;
  const ownMs = timeoutSeconds === 0 ? null : (timeoutSeconds ?? 0) * 1000;
  return {
    maxRounds: maxIterations ?? server.maxRounds,
    timeoutMs: timeoutSeconds === null ? server.timeoutMs : ownMs,
    maxTokens,
  };
}

/** Whether a person approves the plan; where none is made, none is approved. */
export function isGated({ planning, approvePlan }: AgentRunSettings, { planApproval }: AgentLimits): boolean {
  if (!planning || planApproval === 'never') return false;
  return planApproval === 'always' || approvePlan;
}
