// What a turn tells of the agents that work for it, and a run of itself: the original's events, with what tells several
// runs apart.
import { Type } from 'typebox';
import { eventSchema, FreeObject, freeObject, nullable, nullableRef, oneOf } from './schema.ts';
import { TurnUsage } from './turn.ts';

/** What an agent does; its own, whatever the engine is doing meanwhile. */
export const AGENT_WORK = ['planning', 'executing', 'reporting'] as const;
export type AgentWork = (typeof AGENT_WORK)[number];

const ENGINE_WORK = ['queued', 'loading_model', 'evaluating_prompt', 'generating', 'running_tool'] as const;
export type EngineWork = (typeof ENGINE_WORK)[number];

const RUN_END_REASONS = [
  'completed',
  'max_iterations',
  'timeout',
  'token_limit',
  'plan_denied',
  'cancelled',
  'failed',
] as const;
export type RunEndReason = (typeof RUN_END_REASONS)[number];

const base = {
  agent_name: Type.String(),
  session_id: Type.String({ description: 'The agent chat.' }),
  turn_id: Type.String({ description: 'The run.' }),
  agent_call_id: nullable(Type.String({ description: 'The call that started it; null: a client did.' })),
  agent_call_index: nullable(Type.Integer({ description: 'Position of that call in its message, from 0.' })),
};

const call = {
  tool_name: Type.String(),
  tool_call_id: Type.String(),
  call_index: Type.Integer({ description: "Position inside one message of the agent's, from 0." }),
  execution_id: nullable(Type.String({ description: 'Of the run of the tool; null: nothing ran.' })),
};

const text = {
  content: Type.String({ description: 'A piece; those of one message make up its text.' }),
  message_id: Type.String({ description: 'In the agent chat.' }),
  round: Type.Integer({ minimum: 0 }),
};

const BASE_EXAMPLE = {
  agent_name: 'coder',
  session_id: 'c81f09d2aa',
  turn_id: 'turn_7a1e44c0b9d3',
  agent_call_id: 'call_ab12cd34',
  agent_call_index: 0,
};
const CALL_EXAMPLE = {
  tool_name: 'count_lines',
  tool_call_id: 'call_9f00aa12',
  call_index: 0,
  execution_id: 'exec_5b1f0c9a77de',
};
const TEXT_EXAMPLE = { content: '1. Count', message_id: '5d1c77e0a2', round: 0 };

export const AGENT_EVENTS = {
  agent_start: eventSchema(
    'agent_start',
    Type.Object({
      ...base,
      instruction: Type.String(),
      model: Type.String({ description: 'The model that it works with.' }),
      continued: Type.Boolean({ description: 'It goes on in an agent chat that was there.' }),
    }),
    {
      description: 'An agent begins to work.',
      example: {
        ...BASE_EXAMPLE,
        instruction: 'Count the lines of draft.txt.',
        model: 'llama3.2:latest',
        continued: false,
      },
    },
  ),
  agent_status: eventSchema(
    'agent_status',
    Type.Object({
      ...base,
      phase: oneOf([...AGENT_WORK, 'waiting_for_approval']),
      round: Type.Integer({ minimum: 0, description: '0: before the first one.' }),
      max_rounds: Type.Integer({ minimum: 1 }),
      engine: Type.Unsafe<EngineWork | null>({
        type: ['string', 'null'],
        enum: [...ENGINE_WORK, null],
        description: 'What its model is doing; null: it waits for a person.',
      }),
      estimate_ms: Type.Optional(
        Type.Integer({ description: 'How long that will take, where rates were measured.' }),
      ),
    }),
    {
      description: 'On each change of what an agent does.',
      example: { ...BASE_EXAMPLE, phase: 'executing', round: 1, max_rounds: 50, engine: 'generating' },
    },
  ),
  agent_planning: eventSchema('agent_planning', Type.Object({ ...base, ...text }), {
    description: 'A piece of the plan.',
    example: { ...BASE_EXAMPLE, ...TEXT_EXAMPLE },
  }),
  agent_execution: eventSchema('agent_execution', Type.Object({ ...base, ...text }), {
    description: 'A piece of what the agent says while it works, and of its report.',
    example: { ...BASE_EXAMPLE, ...TEXT_EXAMPLE, content: 'It has 12 lines.', round: 2 },
  }),
  agent_tool_call: eventSchema('agent_tool_call', Type.Object({ ...base, ...call, arguments: FreeObject }), {
    description: 'A call of the agent.',
    example: { ...BASE_EXAMPLE, ...CALL_EXAMPLE, arguments: { path: 'draft.txt' } },
  }),
  agent_tool_result: eventSchema(
    'agent_tool_result',
    Type.Object({
      ...base,
      ...call,
      success: Type.Boolean(),
      result: Type.String(),
      error: nullable(Type.String()),
      error_message: nullable(Type.String()),
      arguments: Type.Optional(
        freeObject({ description: 'Where a person has changed them, or no event has told them before.' }),
      ),
    }),
    {
      description: 'What the tool answered, or why it could not.',
      example: {
        ...BASE_EXAMPLE,
        ...CALL_EXAMPLE,
        success: true,
        result: '12',
        error: null,
        error_message: null,
      },
    },
  ),
  agent_complete: eventSchema(
    'agent_complete',
    Type.Object({
      ...base,
      output: Type.String({ description: 'What the model that called it reads.' }),
      success: Type.Boolean(),
      reason: oneOf(RUN_END_REASONS),
      rounds: Type.Integer({ minimum: 0 }),
      usage: nullableRef(TurnUsage),
    }),
    {
      description: 'The agent has ended; its chat has everything.',
      example: {
        ...BASE_EXAMPLE,
        output: 'Session ID: c81f09d2aa\n1. Count the lines.\nIt has 12 lines.',
        success: true,
        reason: 'completed',
        rounds: 2,
        usage: null,
      },
    },
  ),
} as const;
