// The journal of tools: every attempt to run one, with how it ended.
import { type Static, Type } from 'typebox';
import { FreeObject, nullable, oneOf, ref, Timestamp } from './schema.ts';
import { TOOL_SOURCE_KINDS } from './tool.ts';

export const EXECUTION_STATES = ['running', 'succeeded', 'failed', 'unknown', 'asked'] as const;
export type ExecutionState = (typeof EXECUTION_STATES)[number];

const EXECUTION_FIELDS = {
  execution_id: Type.String({ examples: ['exec_0f3c5a9d21be'] }),
  session_id: nullable(
    Type.String({ description: "Null for a person's own run.", examples: ['b5a3d7e4c9'] }),
  ),
  turn_id: nullable(Type.String({ examples: ['turn_0f3c5a9d21be'] })),
  message_id: nullable(Type.String({ description: 'The message with the call.', examples: ['194e786d07'] })),
  call_index: nullable(Type.Integer({ description: 'Which of its calls, from 0.', examples: [0] })),
  tool_call_id: nullable(Type.String({ examples: ['call_a1b2c3d4'] })),
  tool_name: Type.String({ examples: ['add_numbers'] }),
  source: Type.Object({
    kind: oneOf(TOOL_SOURCE_KINDS, { examples: ['python'] }),
    group: Type.String({ examples: ['math_tools'] }),
  }),
  state: oneOf(EXECUTION_STATES, {
    description:
      '`unknown`: it was stopped or lost and may have taken effect. `asked`: a server wants an answer of a person before it goes on.',
    examples: ['succeeded'],
  }),
  attempt: Type.Integer({ minimum: 1, description: 'Of the runs of one call, from 1.', examples: [1] }),
  origin: Type.Unsafe<'text' | null>({
    type: ['string', 'null'],
    enum: ['text', null],
    description: '`text`: the model wrote the call as its answer.',
    examples: [null],
  }),
  arguments: Type.Unsafe<Record<string, unknown>>({ ...FreeObject, examples: [{ a: 1, b: 2 }] }),
  repairs: Type.Array(Type.String(), {
    description: 'What was changed in name and arguments before it ran.',
    examples: [['/a: text read as integer']],
  }),
  success: nullable(Type.Boolean({ description: 'Null while it runs.', examples: [true] })),
  error: nullable(Type.String({ description: 'What the model was told.', examples: [null] })),
  truncated: Type.Boolean({ description: 'The result was cut at the limit.', examples: [false] }),
  result_bytes: nullable(Type.Integer({ description: 'Of the result as it is kept.', examples: [1] })),
  duration_ms: nullable(Type.Integer({ examples: [12] })),
  started_at: Timestamp,
  finished_at: nullable(Timestamp),
};

export const Execution = Type.Object(EXECUTION_FIELDS, { $id: 'Execution' });
export type Execution = Static<typeof Execution>;

export const ExecutionWithLog = Type.Object(
  {
    ...EXECUTION_FIELDS,
    log: nullable(
      Type.String({
        description: 'The end of what it printed, at most 64 kB.',
        examples: ['adding 1 and 2\n'],
      }),
    ),
  },
  { $id: 'ExecutionWithLog' },
);
export type ExecutionWithLog = Static<typeof ExecutionWithLog>;

export const ExecutionPage = Type.Object(
  { executions: Type.Array(ref(Execution)), next_cursor: nullable(Type.String()) },
  { $id: 'ExecutionPage' },
);

const COUNTS = {
  total_executions: Type.Integer({ description: 'Those that have ended.', examples: [3] }),
  successful: Type.Integer({ examples: [2] }),
  failed: Type.Integer({ description: 'Unknown outcomes included.', examples: [1] }),
  average_time: Type.Number({ description: 'Seconds; 0 where nothing has run.', examples: [0.012] }),
};

export const ToolCounts = Type.Object(COUNTS, { $id: 'ToolCounts' });
export type ToolCounts = Static<typeof ToolCounts>;

export const ToolStats = Type.Object(
  { ...COUNTS, by_tool: Type.Record(Type.String(), Type.Unsafe<ToolCounts>({ $ref: 'ToolCounts#' })) },
  { $id: 'ToolStats' },
);
export type ToolStats = Static<typeof ToolStats>;
