// The settings of agents: a part of the one table.
import { directory } from './parsers.ts';
import type { Setting } from './setting.ts';

export interface AgentConfig {
  /** Absolute. */
  readonly agentsDir: string;
}

export const agentSettings: { readonly [Key in keyof AgentConfig]: Setting<AgentConfig[Key]> } = {
  agentsDir: {
    parser: directory,
    default: 'agents',
    description:
      'Directory of the agents: a folder with a SKILL.md for each of them, inside the data directory unless absolute',
  },
};
