// Agents: what their folders say, and whether they can work.
import { type Static, Type } from 'typebox';
import { nullable } from './schema.ts';

const AGENT_FIELDS = {
  name: Type.String({ description: 'Of its folder.', examples: ['coder'] }),
  description: nullable(
    Type.String({
      description: 'What models are told of it; null where its SKILL.md cannot be used.',
      examples: ['Reviews code. Use it when code is to be judged.'],
    }),
  ),
  model: nullable(
    Type.String({
      description: 'The model that it wants; null: that of the session that calls it.',
      examples: ['qwen3:8b'],
    }),
  ),
  valid: Type.Boolean({ description: 'Whether it can work. One that cannot is never offered.' }),
  error_message: nullable(Type.String({ description: 'Why it cannot.' })),
  tool_count: Type.Integer({ minimum: 0, examples: [2] }),
  tools: Type.Array(Type.String(), {
    description: 'Names of its own tools, then of those that `allowed-tools` names.',
    examples: [['count_lines', 'list_functions']],
  }),
  warnings: Type.Array(Type.String(), { description: 'What is odd about it and harms nothing.' }),
  metadata: Type.Record(Type.String(), Type.String(), {
    description: 'As its SKILL.md has it.',
    examples: [{ 'mochi-max-iterations': '10' }],
  }),
};

export const AgentInfo = Type.Object(AGENT_FIELDS, { $id: 'AgentInfo' });
export type AgentInfo = Static<typeof AgentInfo>;

export const AgentList = Type.Object(
  { agents: Type.Record(Type.String(), Type.Unsafe<AgentInfo>({ $ref: 'AgentInfo#' })) },
  { $id: 'AgentList' },
);
export type AgentList = Static<typeof AgentList>;

export const AgentDetail = Type.Object(
  {
    ...AGENT_FIELDS,
    system_prompt: nullable(Type.String({ description: 'The body of its SKILL.md.' })),
    license: nullable(Type.String()),
    compatibility: nullable(Type.String()),
    allowed_tools: Type.Array(Type.String(), {
      description:
        'As its SKILL.md has them: names, globs, `mcp__server`. They are offered to it, not approved.',
    }),
  },
  { $id: 'AgentDetail' },
);
export type AgentDetail = Static<typeof AgentDetail>;

export const AgentsReloaded = Type.Object(
  {
    success: Type.Boolean(),
    agents_count: Type.Integer({ minimum: 0, description: 'Those that can work.', examples: [2] }),
    message: Type.String({ examples: ['Successfully reloaded 2 agents'] }),
    problems: Type.Array(
      Type.Object({
        source: Type.String({ examples: ['agent:coder'] }),
        message: Type.String({ examples: ['SKILL.md has no description.'] }),
      }),
      { description: 'What cannot be used or is odd, and why; it hides no other agent.' },
    ),
  },
  { $id: 'AgentsReloaded' },
);
export type AgentsReloaded = Static<typeof AgentsReloaded>;
