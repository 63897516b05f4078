// Agents: which there are, what each is, and all of them read anew.
import { Type } from 'typebox';
import { type Agent, toolNamesOf } from '../../agents/agent.ts';
import { AgentDetail, AgentInfo, AgentList, AgentsReloaded } from '../../contract/agent.ts';
import { ref } from '../../contract/schema.ts';
import type { App, AppDeps } from '../app-deps.ts';
import { BODY_ERRORS, jsonAnswer, responses } from '../document.ts';
import { requireAgent } from '../require-agent.ts';

const tags = ['agents'];

export function agentRoutes(app: App, { agents }: Pick<AppDeps, 'agents'>): void {
  app.get(
    '/api/v1/agents',
    {
      schema: {
        tags,
        operationId: 'listAgents',
        summary: 'All agents by name',
        description:
          'Those that cannot work, too, with the reason. The first one to ask waits until their tools were loaded, ten seconds at most.',
        response: responses(200, jsonAnswer('By name.', ref(AgentList)), []),
      },
    },
    async () => {
      await agents.ready();
      return { agents: Object.fromEntries(agents.list().map((agent) => [agent.name, toInfo(agent)])) };
    },
  );
  app.get(
    '/api/v1/agents/agent/:name',
    {
      schema: {
        tags,
        operationId: 'getAgent',
        summary: 'One agent by name',
        description: 'One that cannot work is `valid: false`, with the reason.',
        params: Type.Object({
          name: Type.String({ description: 'Name of the agent.', examples: ['coder'] }),
        }),
        response: responses(200, jsonAnswer('The agent.', ref(AgentDetail)), ['agent_not_found']),
      },
    },
    async ({ params }) => {
      return toDetail(await requireAgent(agents, params.name));
    },
  );
  app.post(
    '/api/v1/agents/reload',
    {
      schema: {
        tags,
        operationId: 'reloadAgents',
        summary: 'Read all agents anew',
        description:
          'The new ones take the place of the old ones at once, when all were read. An agent at work keeps what it began with.',
        response: responses(200, jsonAnswer('What there is now.', ref(AgentsReloaded)), BODY_ERRORS),
      },
    },
    async (): Promise<AgentsReloaded> => {
      const problems = await agents.reload();
      const count = agents.list().filter(({ valid }) => valid).length;
      return {
        success: true,
        agents_count: count,
        message: `Successfully reloaded ${count} ${count === 1 ? 'agent' : 'agents'}`,
        problems: [...problems],
      };
    },
  );
}

function toInfo(agent: Agent): AgentInfo {
  const tools = toolNamesOf(agent);
  return {
    name: agent.name,
    description: agent.skill?.description ?? null,
    model: agent.skill?.model ?? null,
    valid: agent.valid,
    error_message: agent.valid ? null : agent.problem,
    tool_count: tools.length,
    tools,
    warnings: [...agent.warnings],
    metadata: { ...agent.skill?.metadata },
  };
}

function toDetail(agent: Agent): AgentDetail {
  const { skill } = agent;
  return {
    ...toInfo(agent),
    system_prompt: skill?.systemPrompt ?? null,
    license: skill?.license ?? null,
    compatibility: skill?.compatibility ?? null,
    allowed_tools: [...(skill?.allowedTools ?? [])],
  };
}
