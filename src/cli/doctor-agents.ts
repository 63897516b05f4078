// What the doctor says of agents: which can work, why others cannot, and which sessions name in vain.
import { createAgents } from '../agents/agents.ts';
import type { Config } from '../config.ts';
import { listNamedAgents } from '../store/named-in-sessions.ts';
import type { OpenTools } from '../tools/open-tools.ts';
import { type Finding, namesText } from './finding.ts';

/** @param tools that were looked for already */
export async function examineAgents(config: Config, tools: OpenTools): Promise<Finding[]> {
  const agents = createAgents({ ...config, tools });
  const problems = await agents.reload();
  const all = agents.list();
  const valid = all.filter((agent) => agent.valid);
  const found: Finding = {
    state: valid.length === 0 ? 'note' : 'ok',
    text: `Agents: ${valid.length === 0 ? 'none' : namesText(valid.map(({ name }) => name))} (${config.agentsDir})`,
  };
  const broken = new Set(all.filter((agent) => !agent.valid).map(({ name }) => `agent:${name}`));
  return [
    found,
    ...problems.map(({ source, message }): Finding => {
      const isBad = broken.has(source) || source === 'agents';
      return { state: isBad ? 'bad' : 'note', text: `Agents: ${source}: ${message}` };
    }),
    ...(await examineSessions(
      config,
      valid.map(({ name }) => name),
    )),
  ];
}

async function examineSessions(config: Config, valid: readonly string[]): Promise<Finding[]> {
  const groups = await listNamedAgents(config);
  const named = new Set(groups.flatMap(({ names }) => names));
  const missing = [...named].filter((name) => !valid.includes(name)).toSorted();
  if (missing.length === 0) return [];
  const text = `Agents: sessions name some that do not exist, or cannot work: ${namesText(missing)}`;
  return [{ state: 'note', text }];
}
