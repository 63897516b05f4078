// A whole session as lines of JSON, one thing a line: first the session, then its messages, turns and executions of
// tools in creation order. What may be null may be left out.
import { type TSchema, Type } from 'typebox';
import { ContextWindowConfig } from './context-window.ts';
import { FinishReasonField, MESSAGE_STATUSES, ROLES } from './message.ts';
import { FreeObject, ID_PATTERN, nullable, nullableRef, oneOf, ref } from './schema.ts';
import { SESSION_KINDS, SESSION_TITLE_LENGTH, SessionSummary } from './session.ts';
import { AgentSettings, MAX_IMPORTED_CALLS, StoredToolCall, ToolSettings } from './tool.ts';
import { AGENT_PHASES, ErrorObject, TURN_STATES } from './turn.ts';

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
  kind: oneOf(SESSION_KINDS, { default: 'chat', description: '`agent`: an agent chat.' }),
  agent_name: Text,
  parent_session_id: orNull(
    Id,
    'The session that an agent chat belongs to. Where it is neither among the lines before nor in the database, the chat stands alone.',
  ),
  client_key: orNull(
    Type.String({ maxLength: 128 }),
    'The name under which a client of another API knows it. Where another session has it already, it has none.',
  ),
  listed: Type.Boolean({ default: true, description: 'false: in no list and no search.' }),
  message_lines: orNull(Type.Integer(), 'How many follow: a file that ends early is noticed.'),
  turn_lines: orNull(Type.Integer()),
  execution_lines: orNull(Type.Integer()),
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
    state: oneOf(['pending', 'running', 'done', 'unknown', 'open']),
    result_message_id: orNull(Type.String()),
    success: orNull(Type.Boolean()),
    digest: Type.Optional(orNull(Type.String(), 'SHA-256 of tool, fingerprint and arguments.')),
    verdict: Type.Optional(
      Type.Unsafe<unknown>({
        type: ['string', 'null'],
        enum: ['run', 'ask', 'refuse', 'client', null],
        default: null,
        description: 'What was decided about it; null: nothing was.',
      }),
    ),
    rule: Type.Optional(orNull(Type.String(), 'What spoke for the verdict.')),
    repairs: Type.Optional(
      Type.Unsafe<unknown>({
        type: ['array', 'null'],
        items: { type: 'string' },
        default: null,
        description: 'What was changed in name and arguments.',
      }),
    ),
    mcp_state: Type.Optional(
      orNull(Type.String(), 'What an MCP server wants back with the answer that it asked for.'),
    ),
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
  client_id: orNull(Type.String({ maxLength: 512 }), 'The name that a client has given it.'),
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
      replaces: { ...Id, description: 'The message whose sibling it is to be.' },
      placed: { type: 'object', description: 'What a client of another API has of the conversation.' },
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
  settings: Anything,
  on_disconnect: Type.Unsafe<unknown>({
    type: ['string', 'null'],
    enum: ['cancel', 'continue', null],
    default: null,
  }),
  agent_name: Text,
  phase: Type.Unsafe<unknown>({
    type: ['string', 'null'],
    enum: [...AGENT_PHASES, null],
    default: null,
    description: 'Of a run of an agent: how far it has come.',
  }),
  round: Count,
  active_ms: Count,
  tokens: Count,
  parent_turn_id: orNull(Id, 'The turn whose call of `agent` started the run, and that call.'),
  parent_session_id: orNull(Id),
  parent_message_id: orNull(Id),
  parent_call_index: Count,
});

export const ExecutionLine = closed('ExecutionLine', {
  type: Type.Literal('execution'),
  execution_id: Id,
  message_id: Id,
  call_index: Type.Integer({ minimum: 0 }),
  attempt: Type.Integer({ minimum: 1 }),
  tool_name: Type.String(),
  source: Type.Unsafe<unknown>({
    type: 'object',
    properties: { kind: { type: 'string' }, group: { type: 'string' } },
    required: ['kind', 'group'],
    additionalProperties: false,
  }),
  arguments: FreeObject,
  digest: Type.String(),
  fingerprint: Type.String(),
  read_only: Type.Boolean({ default: false }),
  state: oneOf(['running', 'succeeded', 'failed', 'unknown', 'asked']),
  started_at: Instant,
  finished_at: orNull(Instant),
  duration_ms: Count,
  error: Text,
  repairs: Type.Array(Type.String(), { default: [] }),
  truncated: Type.Boolean({ default: false }),
  is_retried: Type.Boolean({
    default: false,
    description: 'Its outcome is unknown, and a person wanted it run again.',
  }),
  result_bytes: Count,
  output: orNull(Type.String(), 'The whole result, where the message holds less.'),
  log: Text,
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
