// The settings of agents: a part of the one table.
import { directory, file, oneOf, secondsOrNever, wholeNumber } from './parsers.ts';
import type { Setting } from './setting.ts';

export interface AgentConfig {
  /** Absolute. */
  readonly agentsDir: string;
  /** Absolute. */
  readonly agentChatsDir: string;
  /** Absolute. */
  readonly planningPromptPath: string;
  /** Absolute. */
  readonly executionPromptPath: string;
  readonly maxAgentIterations: number;
  /** 0: none. */
  readonly agentTimeoutSeconds: number;
  readonly agentPlanApproval: 'by_agent' | 'always' | 'never';
}

const planApproval = oneOf('when', 'by_agent, always or never', {
  by_agent: 'by_agent',
  always: 'always',
  never: 'never',
} as const);

export const agentSettings: { readonly [Key in keyof AgentConfig]: Setting<AgentConfig[Key]> } = {
  agentsDir: {
    parser: directory,
    default: 'agents',
    description:
      'Directory of the agents: a folder with a SKILL.md for each of them, inside the data directory unless absolute',
  },
  agentChatsDir: {
    parser: directory,
    default: 'agents/agent_chats',
    description:
      "Directory of the original's files of agent chats, imported once, inside the data directory unless absolute",
  },
  planningPromptPath: {
    parser: file,
    default: 'docs/agents/agent_prompt_planning.md',
    description:
      'File with what an agent is told to make its plan, inside the data directory unless absolute; a built-in text where there is none',
  },
  executionPromptPath: {
    parser: file,
    default: 'docs/agents/agent_prompt_execution.md',
    description:
      'File with what an agent is told to carry its plan out, inside the data directory unless absolute; a built-in text where there is none',
  },
  maxAgentIterations: {
    parser: wholeNumber(1, 1000),
    default: 50,
    description: 'Rounds of an agent, its report included, unless it says otherwise',
  },
  agentTimeoutSeconds: {
    parser: secondsOrNever(604_800),
    default: 1800,
    description:
      'Time in which an agent works, without what it waits for people and in lines, unless it says otherwise; then it reports (0: no limit)',
  },
  agentPlanApproval: {
    parser: planApproval,
    default: 'by_agent',
    description: 'Whether a person approves the plans of agents: as each of them says, always, or never',
  },
};
