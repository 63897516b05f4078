// The settings of agents: a part of the one table.
import { directory } from './parsers.ts';
import type { Setting } from './setting.ts';

export interface AgentConfig {
  /** Absolute. */
  readonly agentsDir: string;
  /** Absolute. */
  readonly agentChatsDir: string;
}

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
};
