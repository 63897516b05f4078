// How rows stand in lines of JSON. Every column has its place here, or a reason why it has none: a new column that
// was forgotten does not compile.
import { parseStored } from '../../store/parse-stored.ts';
import type {
  MessageRow,
  SessionRow,
  ToolCallRow,
  ToolExecutionRow,
  TurnRow,
} from '../../store/session-rows.ts';

interface Place {
  readonly key: string;
  /** `json`: text in the row, a value in the line. `flag`: 1 or 0 in the row. */
  readonly as?: 'json' | 'flag';
  /** The value that is not written, but left out: lines without agents look as they did before there were any. */
  readonly unless?: 'chat' | 1 | null;
}

/** Null: not in the line. */
type Columns<Row> = { readonly [Column in keyof Row]: Place | null };

export const SESSION_COLUMNS: Columns<SessionRow> = {
  id: { key: 'session_id' },
  model: { key: 'model' },
  created_at: { key: 'created_at' },
  updated_at: { key: 'updated_at' },
  title: { key: 'title' },
  metadata: { key: 'metadata', as: 'json' },
  tool_settings: { key: 'tool_settings', as: 'json' },
  agent_settings: { key: 'agent_settings', as: 'json' },
  context_window: { key: 'context_window', as: 'json' },
  summary: { key: 'summary', as: 'json' },
  summary_model: { key: 'summary_model' },
  system_id: { key: 'system_id' },
  head_id: { key: 'head' },
  extra: { key: 'extra', as: 'json' },
  kind: { key: 'kind', unless: 'chat' },
  agent_name: { key: 'agent_name', unless: null },
  parent_session_id: { key: 'parent_session_id', unless: null },
  client_key: { key: 'client_key', unless: null },
  listed: { key: 'listed', as: 'flag', unless: 1 },
  // Follow from the messages.
  head_depth: null,
  preview: null,
  // Where this database has the session from; another one has it from the file.
  import_hash: null,
  // What this server's engine has read.
  prompt_mark: null,
};

export const MESSAGE_COLUMNS: Columns<MessageRow> = {
  id: { key: 'message_id' },
  parent_id: { key: 'parent_id' },
  role: { key: 'role' },
  content: { key: 'content' },
  thinking: { key: 'thinking' },
  timestamp: { key: 'timestamp' },
  model: { key: 'model' },
  eval_count: { key: 'eval_count' },
  prompt_eval_count: { key: 'prompt_eval_count' },
  finish_reason: { key: 'finish_reason' },
  tool_calls: { key: 'tool_calls', as: 'json' },
  source_file: { key: 'source_file' },
  tool_name: { key: 'tool_name' },
  tool_call_id: { key: 'tool_call_id' },
  turn_id: { key: 'turn_id' },
  status: { key: 'status' },
  images: { key: 'images', as: 'json' },
  extra: { key: 'extra', as: 'json' },
  client_id: { key: 'client_id', unless: null },
  // That of the session line.
  session_id: null,
  // Follow from the parents and the head.
  depth: null,
  active: null,
};

/** Of the entries of `calls` in a message line. */
export const TOOL_CALL_COLUMNS: Columns<ToolCallRow> = {
  call_id: { key: 'call_id' },
  name: { key: 'name' },
  arguments: { key: 'arguments', as: 'json' },
  tool: { key: 'tool' },
  ran_arguments: { key: 'ran_arguments', as: 'json' },
  origin: { key: 'origin' },
  state: { key: 'state' },
  result_message_id: { key: 'result_message_id' },
  success: { key: 'success', as: 'flag' },
  digest: { key: 'digest' },
  verdict: { key: 'verdict' },
  rule: { key: 'rule' },
  repairs: { key: 'repairs', as: 'json' },
  mcp_state: { key: 'mcp_state' },
  // Those of the line, and the position in it.
  session_id: null,
  message_id: null,
  call_index: null,
};

/** Named after what the API calls them. */
export const EXECUTION_COLUMNS: Columns<ToolExecutionRow> = {
  id: { key: 'execution_id' },
  message_id: { key: 'message_id' },
  call_index: { key: 'call_index' },
  attempt: { key: 'attempt' },
  tool: { key: 'tool_name' },
  source: { key: 'source', as: 'json' },
  arguments: { key: 'arguments', as: 'json' },
  digest: { key: 'digest' },
  fingerprint: { key: 'fingerprint' },
  read_only: { key: 'read_only', as: 'flag' },
  state: { key: 'state' },
  started_at: { key: 'started_at' },
  finished_at: { key: 'finished_at' },
  duration_ms: { key: 'duration_ms' },
  error: { key: 'error' },
  repairs: { key: 'repairs', as: 'json' },
  truncated: { key: 'truncated', as: 'flag' },
  is_retried: { key: 'is_retried', as: 'flag' },
  result_bytes: { key: 'result_bytes' },
  output: { key: 'output' },
  log: { key: 'log' },
  // That of the session line.
  session_id: null,
  // A run of the server that it was exported from.
  boot_id: null,
};

export const TURN_COLUMNS: Columns<TurnRow> = {
  id: { key: 'turn_id' },
  state: { key: 'state' },
  created_at: { key: 'created_at' },
  finished_at: { key: 'finished_at' },
  request: { key: 'request', as: 'json' },
  user_message_id: { key: 'user_message_id' },
  message_id: { key: 'message_id' },
  error: { key: 'error', as: 'json' },
  usage: { key: 'usage', as: 'json' },
  context: { key: 'context', as: 'json' },
  last_event_id: { key: 'last_event_id' },
  idempotency_key: { key: 'idempotency_key' },
  idempotency_hash: { key: 'idempotency_hash' },
  is_structured: { key: 'is_structured', as: 'flag' },
  settings: { key: 'settings', as: 'json' },
  on_disconnect: { key: 'on_disconnect' },
  agent_name: { key: 'agent_name', unless: null },
  phase: { key: 'phase', unless: null },
  round: { key: 'round', unless: null },
  active_ms: { key: 'active_ms', unless: null },
  tokens: { key: 'tokens', unless: null },
  parent_turn_id: { key: 'parent_turn_id', unless: null },
  parent_session_id: { key: 'parent_session_id', unless: null },
  parent_message_id: { key: 'parent_message_id', unless: null },
  parent_call_index: { key: 'parent_call_index', unless: null },
  // That of the session line.
  session_id: null,
};

export type Line = Readonly<Record<string, unknown>>;

export function toLine<Row extends object>(columns: Columns<Row>, row: Row): Line {
  const line: Record<string, unknown> = {};
  for (const [column, place] of placesOf(columns)) {
    const value = row[column];
    if (value === place.unless) continue;
    line[place.key] = value === null ? null : toLineValue(place, value);
  }
  return line;
}

function toLineValue({ as }: Place, value: unknown): unknown {
  if (as === 'json') return parseStored(String(value));
  return as === 'flag' ? value === 1 : value;
}

/** @param line fits its schema, defaults filled in @param rest the columns without a place */
export function toRow<Row extends object>(columns: Columns<Row>, line: Line, rest: Partial<Row>): Row {
  const row: Partial<Record<keyof Row, unknown>> = { ...rest };
  for (const [column, place] of placesOf(columns)) {
    const value = line[place.key];
    row[column] = value === null ? null : toRowValue(place, value);
  }
  // The schema has the types of the columns; a test holds one against the other.
  return row as Row;
}

function toRowValue({ as }: Place, value: unknown): unknown {
  if (as === 'json') return JSON.stringify(value);
  return as === 'flag' ? Number(value) : value;
}

function placesOf<Row>(columns: Columns<Row>): [keyof Row, Place][] {
  const entries = Object.entries(columns) as [keyof Row, Place | null][];
  return entries.filter((entry): entry is [keyof Row, Place] => entry[1] !== null);
}
