// The agent that an address names.
import type { Agent, ValidAgent } from '../agents/agent.ts';
import type { Agents } from '../agents/agents.ts';
import { MochiError } from '../contract/errors.ts';
import { cutText } from '../kit/whole-characters.ts';

/** Waits until agents were looked for, ten seconds at most. @throws MochiError agent_not_found */
export async function requireAgent(agents: Agents, name: string): Promise<Agent> {
  await agents.ready();
  const agent = agents.find(name);
  if (agent !== null) return agent;
  const shown = cutText(name, 64);
  throw new MochiError('agent_not_found', `There is no agent called ${shown}.`, { agent_name: shown });
}

/** One that can work. @throws MochiError agent_not_found, agent_invalid */
export async function requireValidAgent(agents: Agents, name: string): Promise<ValidAgent> {
  const agent = await requireAgent(agents, name);
  if (agent.valid) return agent;
  throw new MochiError('agent_invalid', `The agent ${agent.name} cannot work: ${agent.problem}`, {
    agent_name: agent.name,
  });
}
