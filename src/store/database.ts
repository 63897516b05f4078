// The tables, as the query functions see them. JSON columns hold text; the noun's file reads and writes it.
import type { Generated, Kysely } from 'kysely';
import type { FinishReason, MessageStatus, Role } from '../contract/message.ts';
import type { SessionKind } from '../contract/session.ts';
import type { AgentPhase, TurnState } from '../contract/turn.ts';
import type { HistoryMarkTable, ResponseTable } from './dialect-tables.ts';
import type { ClaimColumns, InstanceTables, OwnedColumns } from './instance-tables.ts';
import type { PromptFileTable } from './prompt-files-table.ts';

/** The database or a transaction on it: query functions take either. */
export type Db = Kysely<Database>;

export interface Database extends InstanceTables {
  /** A view: the sessions that are there for everybody. Written is `session_rows`. */
  sessions: SessionTable;
  session_rows: SessionRowTable;
  messages: MessageTable;
  turns: TurnTable & OwnedColumns;
  tool_calls: ToolCallTable;
  tool_executions: ToolExecutionTable;
  approvals: ApprovalTable;
  tool_grants: ToolGrantTable;
  token_ratios: TokenRatioTable;
  background_jobs: BackgroundJobTable & ClaimColumns;
  meta: MetaTable;
  search_titles: SearchTitleTable;
  prompt_files: PromptFileTable;
  history_marks: HistoryMarkTable;
  responses: ResponseTable;
}

export interface SessionTable {
  id: string;
  model: string;
  created_at: string;
  updated_at: string;
  title: string | null;
  metadata: string;
  tool_settings: string;
  agent_settings: string;
  context_window: string;
  summary: string | null;
  summary_model: string | null;
  /** The system message, which stands outside the tree and before every path. */
  system_id: string | null;
  /** Last message of the active path; null when the path is empty. */
  head_id: string | null;
  /** Depth of the head; -1 when the path is empty. */
  head_depth: number;
  /** First user message of the active path, shortened. */
  preview: string | null;
  /** What the session was imported from: a hash of its content. */
  import_hash: string | null;
  /** Unknown keys of an imported file, kept. */
  extra: string | null;
  /** What the engine was last sent: see PromptMark. Of this server alone, so no copy takes it along. */
  prompt_mark: string | null;
  /** `agent`: an agent works in it, and it is in no list of sessions. */
  kind: SessionKind;
  /** Null for a chat, and for an agent chat of a file that does not say. */
  agent_name: string | null;
  /** The session whose turn began the agent chat, and with which it goes; null: it stands alone. */
  parent_session_id: string | null;
  /** The name that a client of another API has given it; null: none. */
  client_key: string | null;
  /** 0: made by a request that names no session, and nobody has gone on with it by name. */
  listed: Generated<number>;
}

/** Every session, hidden ones included. */
export interface SessionRowTable extends SessionTable {
  /** Why nobody sees it: it is not whole yet, or it was deleted and is being cleared. */
  hidden: 'incoming' | 'deleted' | null;
  /** When that was last said, in milliseconds since the epoch. */
  hidden_at: number | null;
}

export interface MessageTable {
  /** Creation order. */
  seq: Generated<number>;
  session_id: string;
  id: string;
  /** Null for the first messages of a tree and for the system message. */
  parent_id: string | null;
  /** Distance from the root of the tree, from 0; -1 for the system message. */
  depth: number;
  /** 1 on the active path. Kept in the row, so that a path is one index range, whatever the length. */
  active: number;
  role: Role;
  content: string;
  thinking: string | null;
  timestamp: string;
  model: string | null;
  eval_count: number | null;
  prompt_eval_count: number | null;
  tool_calls: string | null;
  source_file: string | null;
  tool_name: string | null;
  tool_call_id: string | null;
  turn_id: string | null;
  status: MessageStatus;
  /** How a model's message ended; null for every other, and where it is not known. */
  finish_reason: FinishReason | null;
  images: string | null;
  extra: string | null;
  /** The name that a client has given it; null: none. */
  client_id: string | null;
}

export interface TurnTable {
  id: string;
  session_id: string;
  state: TurnState;
  created_at: string;
  finished_at: string | null;
  /** What was asked, until the turn begins: a restart finds the message of a queued turn here. */
  request: string | null;
  user_message_id: string | null;
  message_id: string | null;
  error: string | null;
  usage: string | null;
  context: string | null;
  last_event_id: number;
  /** The client's key, and a hash of the request that it came with. */
  idempotency_key: string | null;
  idempotency_hash: string | null;
  /** 1 when the answer was asked for as JSON. */
  is_structured: number;
  /** What it was asked with, so that another process can go on with it while it waits. */
  settings: string | null;
  /** What becomes of it when nobody watches any more; null: it was asked for before this was stored. */
  on_disconnect: 'cancel' | 'continue' | null;
  /** Of a run of an agent; these are null for every other turn. */
  agent_name: string | null;
  phase: AgentPhase | null;
  /** Of the execution, from 1; 0 before it. */
  round: number | null;
  /** How long it has worked: without waits for people and in lines. */
  active_ms: number | null;
  /** Of its model calls, what was read and written. */
  tokens: number | null;
  /** The call that started it; null where no turn did. */
  parent_turn_id: string | null;
  parent_session_id: string | null;
  parent_message_id: string | null;
  parent_call_index: number | null;
}

/** A call without a result is the pending state: there is no second place that says so. */
interface ToolCallTable {
  session_id: string;
  message_id: string;
  call_index: number;
  call_id: string;
  name: string;
  /** JSON; a string when the model sent arguments that are no object. */
  arguments: string;
  /** The tool that was meant; null: the one of that name. */
  tool: string | null;
  /** JSON of what it ran with; null: what the model sent. */
  ran_arguments: string | null;
  /** Written as the answer of the model; null: made as a call. */
  origin: 'text' | null;
  /**
   * `unknown`: it was run, and nobody knows how that ended; a person is asked. `open`: its turn has ended, and the client
   * runs it.
   */
  state: 'pending' | 'running' | 'done' | 'unknown' | 'open';
  result_message_id: string | null;
  /** 1 or 0 once there is a result. */
  success: number | null;
  /** SHA-256 of tool, fingerprint and arguments; null: not planned, or nothing that could run. */
  digest: string | null;
  verdict: 'run' | 'ask' | 'refuse' | 'client' | null;
  /** What spoke for the verdict. */
  rule: string | null;
  /** JSON list of what was changed in name and arguments. */
  repairs: string | null;
  /** What an MCP server wants back with the answer that it asked for. */
  mcp_state: string | null;
}

/** One attempt to run a tool: for a call, or by a person's own hand. */
export interface ToolExecutionTable {
  id: string;
  /** Null, as message and index, for a person's own run. */
  session_id: string | null;
  message_id: string | null;
  call_index: number | null;
  /** From 1. */
  attempt: number;
  tool: string;
  /** JSON: kind and group. */
  source: string;
  /** JSON of what it ran with. */
  arguments: string;
  digest: string;
  fingerprint: string;
  /** 1: it changes nothing, so that an attempt that was cut had no effect. */
  read_only: number;
  /** `asked`: a server wants an answer of a person before it goes on. */
  state: 'running' | 'succeeded' | 'failed' | 'unknown' | 'asked';
  /** The run of the server that began it. */
  boot_id: string;
  started_at: string;
  finished_at: string | null;
  duration_ms: number | null;
  error: string | null;
  /** JSON list of what was changed in name and arguments. */
  repairs: string;
  /** 1: the result was cut at the limit. */
  truncated: number;
  /** 1: its outcome is unknown, and a person wanted it run again. */
  is_retried: number;
  result_bytes: number | null;
  /** The whole result, where the message holds less. */
  output: string | null;
  /** The end of what it printed. */
  log: string | null;
}

/** A question to a person. */
export interface ApprovalTable {
  id: string;
  /** Another, higher one with every change: who listens goes on from there. */
  change: number;
  kind: 'tool' | 'outcome' | 'question' | 'plan';
  state: 'pending' | 'approved' | 'denied' | 'answered' | 'expired' | 'cancelled';
  /** In which the person is. */
  session_id: string;
  turn_id: string;
  message_id: string | null;
  call_index: number | null;
  agent_session_id: string | null;
  /** JSON of what is shown of it. */
  body: string;
  digest: string | null;
  fingerprint: string | null;
  created_at: string;
  expires_at: string | null;
  decided_at: string | null;
  /** JSON. */
  decision: string | null;
}

/** A remembered approval. */
export interface ToolGrantTable {
  id: string;
  scope: 'session' | 'always';
  /** Null: of all sessions. */
  session_id: string | null;
  tool: string;
  /** Of the tool as it was when it was approved. */
  fingerprint: string;
  match: 'tool' | 'arguments';
  /** Of the one call that was approved; null: every call of the tool. */
  arguments_digest: string | null;
  /** JSON of these arguments. */
  arguments: string | null;
  confirmation_id: string;
  created_at: string;
}

interface TokenRatioTable {
  model: string;
  /** Of words of ASCII. */
  bytes_per_token: number;
  dense_bytes_per_token: number | null;
}

/** What is to be written about a session; at most one row of each kind. Due while `wanted` is above `done`. */
interface BackgroundJobTable {
  session_id: string;
  kind: 'title' | 'summary';
  /** Counts the states of the session that were looked at: a result carries the number that it began with. */
  version: number;
  /** The newest version that somebody wants written. */
  wanted: number;
  /** The version of the newest result; older ones come too late. */
  done: number;
  /** Failures of the version that is wanted. */
  attempts: number;
  /** When it was wanted, or failed last, in milliseconds since the epoch: says which has waited longest, and no more. */
  due_at: number;
}

interface MetaTable {
  key: string;
  value: string;
}

/** Sessions that have a title, numbered for the search index. Kept by triggers. */
interface SearchTitleTable {
  seq: number;
  session_id: string;
}
