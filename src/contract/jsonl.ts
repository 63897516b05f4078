// A whole session as lines of JSON, one thing a line: first the session, then its messages and turns in creation
// order. What may be null may be left out.
import { type TSchema, Type } from 'typebox';
import { ContextWindowConfig } from './context-window.ts';
import { FinishReasonField, MESSAGE_STATUSES, ROLES } from './message.ts';
import { FreeObject, ID_PATTERN, nullable, nullableRef, oneOf, ref } from './schema.ts';
import { SESSION_TITLE_LENGTH, SessionSummary } from './session.ts';
import { AgentSettings, MAX_IMPORTED_CALLS, StoredToolCall, ToolSettings } from './tool.ts';
import { ErrorObject, TURN_STATES } from './turn.ts';

export const EXPORT_FORMATS = ['json', 'jsonl'] as const;
/** `json`: the original's session file, of the active path. `jsonl`: everything. */
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

/** The name of the format, in every session line. Another number means lines that this version cannot read. */
export const JSONL_FORMAT = 'mochi-jsonl/1';

const Id = Type.String({ pattern: ID_PATTERN.source });
/** Strict: they sort as text. */
const Instant = Type.String({ pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{6}Z$' });
const Text = orNull(Type.String());
const Count = orNull(Type.Integer({ minimum: 0 }));
const Anything = Type.Unsafe<Record<string, unknown> | null>({ type: ['object', 'null'], default: null });

export const SessionLine = closed('SessionLine', {
  type: Type.Literal('session'),
  format: Type.Literal(JSONL_FORMAT),
  session_id: Id,
  model: Type.String({ minLength: 1 }),
  created_at: Instant,
  updated_at: Instant,
  title: orNull(Type.String({ maxLength: SESSION_TITLE_LENGTH })),
  metadata: FreeObject,
  tool_settings: ref(ToolSettings),
  agent_settings: ref(AgentSettings),
  context_window: ref(ContextWindowConfig),
  summary: { ...nullableRef(SessionSummary), default: null },
  summary_model: Text,
  system_id: orNull(Id, 'The system message; it stands before the tree.'),
  head: orNull(Id, 'Last message of the active path; null: the path is empty.'),
  extra: Anything,
  message_lines: orNull(Type.Integer(), 'How many follow: a file that ends early is noticed.'),
  turn_lines: orNull(Type.Integer()),
});

const ToolCallEntry = Type.Object(
  {
    call_id: Type.String(),
    name: Type.String(),
    arguments: Type.Unsafe<unknown>({ type: ['object', 'string'] }),
    tool: Type.Optional(orNull(Type.String(), 'The tool that was meant; null: the one of that name.')),
    ran_arguments: Type.Optional(
      Type.Unsafe<unknown>({
        type: ['object', 'null'],
        default: null,
        description: 'What it ran with; null: `arguments`.',
      }),
    ),
    origin: Type.Optional(
      Type.Unsafe<unknown>({
        type: ['string', 'null'],
        enum: ['text', null],
        default: null,
        description: '`text`: the model wrote it as its answer; null: it made a call.',
      }),
    ),
    state: oneOf(['pending', 'running', 'done']),
    result_message_id: orNull(Type.String()),
    success: orNull(Type.Boolean()),
  },
  { additionalProperties: false },
);

export const MessageLine = closed('MessageLine', {
  type: Type.Literal('message'),
  message_id: Id,
  parent_id: orNull(Id, 'Null for the first messages of the tree. A parent comes before its children.'),
  role: oneOf(ROLES),
  content: Type.String(),
  thinking: Text,
  timestamp: Instant,
  model: Text,
  eval_count: Count,
  prompt_eval_count: Count,
  finish_reason: { ...FinishReasonField, default: null },
  tool_calls: Type.Unsafe<unknown>({
    type: ['array', 'null'],
    items: ref(StoredToolCall),
    maxItems: MAX_IMPORTED_CALLS,
    default: null,
  }),
  source_file: Text,
  tool_name: Text,
  tool_call_id: Text,
  turn_id: orNull(Id),
  status: oneOf(MESSAGE_STATUSES, { default: 'complete' }),
  images: Type.Unsafe<unknown>({ type: ['array', 'null'], items: { type: 'string' }, default: null }),
  extra: Anything,
  calls: Type.Array(ToolCallEntry, {
    maxItems: MAX_IMPORTED_CALLS,
    default: [],
    description: 'The calls of `tool_calls` with their ids and what came of them.',
  }),
});

export const TurnLine = closed('TurnLine', {
  type: Type.Literal('turn'),
  turn_id: Id,
  state: oneOf(TURN_STATES),
  created_at: Instant,
  finished_at: orNull(Instant),
  request: Type.Unsafe<unknown>({
    type: ['object', 'null'],
    description: 'The user message of a turn that has not begun.',
    properties: {
      messageId: Id,
      content: { type: 'string' },
      timestamp: Instant,
      images: { type: 'array', items: { type: 'string' } },
    },
    required: ['messageId', 'content', 'timestamp', 'images'],
    default: null,
  }),
  user_message_id: Text,
  message_id: Text,
  error: { ...nullableRef(ErrorObject), default: null },
  usage: Anything,
  context: Anything,
  last_event_id: Type.Integer({ minimum: 0, default: 0 }),
  idempotency_key: Text,
  idempotency_hash: Text,
  is_structured: Type.Boolean({ default: false }),
});

/** Nothing in a line is dropped in silence: a key that nobody knows makes it damaged. */
function closed(name: string, properties: Record<string, TSchema>) {
  const required = Object.keys(properties).filter((key) => !Object.hasOwn(properties[key] ?? {}, 'default'));
  return Type.Unsafe<Record<string, unknown>>({
    $id: name,
    type: 'object',
    properties,
    required,
    additionalProperties: false,
  });
}

function orNull(schema: TSchema & { type: string }, description?: string) {
  return { ...nullable(schema), default: null, ...(description !== undefined && { description }) };
}

export const ImportAnswer = Type.Object(
  {
    imported: Type.Array(Type.Object({ session_id: Type.String(), source_id: Type.String() }), {
      description: 'A session whose id is taken by another one has got a new id.',
    }),
    skipped: Type.Array(
      Type.Object({
        source_id: nullable(Type.String({ description: 'Null where the damage begins before the id.' })),
        reason: Type.String(),
      }),
      { description: 'Of these nothing was stored.' },
    ),
  },
  {
    $id: 'ImportAnswer',
    examples: [
      {
        imported: [{ session_id: 'b5a3d7e4c9', source_id: 'b5a3d7e4c9' }],
        skipped: [{ source_id: '7c01f3aa90', reason: 'line 12: /content must be string' }],
      },
    ],
  },
);

/** A small session, for the description of the API. */
export const EXAMPLE_LINES: readonly object[] = [
  {
    type: 'session',
    format: JSONL_FORMAT,
    session_id: 'b5a3d7e4c9',
    model: 'llama3.2:latest',
    created_at: '2026-02-15T09:49:00.000000Z',
    updated_at: '2026-02-15T09:49:38.310281Z',
    metadata: {},
    tool_settings: { tools: [], execution_policy: 'always_confirm', tool_policies: {} },
    agent_settings: { enabled_agents: [] },
    context_window: {
      dynamic_enabled: true,
      current_window: 8192,
      last_adjustment: 'initial_setup',
      adjustment_history: [],
      manual_override: false,
    },
    head: '194e786d07',
  },
  {
    type: 'message',
    message_id: '9191228aff',
    role: 'user',
    content: 'What is the capital of France?',
    timestamp: '2026-02-15T09:49:30.000000Z',
  },
  {
    type: 'message',
    message_id: '194e786d07',
    parent_id: '9191228aff',
    role: 'assistant',
    content: 'The capital of France is Paris.',
    timestamp: '2026-02-15T09:49:38.310281Z',
    model: 'llama3.2:latest',
    finish_reason: 'stop',
    turn_id: 'turn_0f3c5a9d21be',
  },
  {
    type: 'turn',
    turn_id: 'turn_0f3c5a9d21be',
    state: 'completed',
    created_at: '2026-02-15T09:49:30.000000Z',
    finished_at: '2026-02-15T09:49:38.310281Z',
    user_message_id: '9191228aff',
    message_id: '194e786d07',
  },
];
