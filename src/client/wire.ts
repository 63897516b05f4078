// Made from the schemas of the server by `npm run openapi`: change those.

/**
 * One frame of the stream: the name of its event and its data.
 */
export type PullEvent = PullProgressEvent | PullDoneEvent | PullErrorEvent;
/**
 * One frame of the stream: the name of its event and its data.
 */
export type ServerEvent =
  | ServerHelloEvent
  | ServerResetEvent
  | ServerSessionEvent
  | ServerTurnEvent
  | ServerApprovalEvent
  | ServerPullEvent;
/**
 * One frame of the stream: the name of its event and its data.
 */
export type ApprovalEvent = ApprovalChangedEvent;
/**
 * One frame of the stream: the name of its event and its data.
 */
export type TurnEvent =
  | TurnStartEvent
  | StatusEvent
  | ContextEvent
  | ThinkingDeltaEvent
  | ContentDeltaEvent
  | ToolCallEvent
  | ToolCallConfirmationRequiredEvent
  | ToolProgressEvent
  | ToolResultEvent
  | ToolContinuationStartEvent
  | AgentStartEvent
  | AgentStatusEvent
  | AgentPlanningEvent
  | AgentExecutionEvent
  | AgentToolCallEvent
  | AgentToolResultEvent
  | AgentCompleteEvent
  | MessageCompleteEvent
  | SnapshotEvent
  | ErrorEvent
  | DoneEvent;
export type ListSiblingsAnswer = Sibling[];

/**
 * Again and again: what is being done, and how far it is.
 */
export interface PullProgressEvent {
  event: 'progress';
  data: {
    status: string;
    /**
     * Bytes; null where the engine does not say.
     */
    completed: number | null;
    /**
     * Bytes; null where the engine does not say.
     */
    total: number | null;
  };
}
/**
 * Last: the model can be used.
 */
export interface PullDoneEvent {
  event: 'done';
  data: {
    name: string;
  };
}
/**
 * Last, in place of `done`: the model could not be fetched.
 */
export interface PullErrorEvent {
  event: 'error';
  data: ErrorObject;
}
export interface ErrorObject {
  code: string;
  message: string;
  details: Record<string, unknown>;
}
export interface PullModel {
  /**
   * Ollama: a name of its library. Embedded engine: `qwen3-0.6b`, `smollm2-135m`, or `hf.co/OWNER/REPO/FILE.gguf`. Addresses are refused here: `mochi-server pull URL` takes them.
   */
  model?: string;
  /**
   * The same as `model`: send one of them.
   */
  name?: string;
  /**
   * What the closing of this connection does to the pull. Where several have asked for the same name: what becomes of it when all are gone, and the newest request decides. Default: `"cancel"`.
   */
  on_disconnect?: 'cancel' | 'continue';
}
export interface PullState {
  /**
   * As it was asked for.
   */
  name: string;
  /**
   * Bytes; null where the engine does not say.
   */
  completed: number | null;
  /**
   * Bytes; null where the engine does not say.
   */
  total: number | null;
  state: 'running' | 'completed' | 'failed' | 'cancelled';
}
/**
 * First, on every connection.
 */
export interface ServerHelloEvent {
  event: 'hello';
  data: {
    version: string;
  };
}
/**
 * What was missed cannot be told any more: read `GET /sessions` and `GET /approvals` anew. Goes on from here.
 */
export interface ServerResetEvent {
  event: 'reset';
  data: {};
}
/**
 * A session is new, changed or deleted: as `GET /sessions` lists it now.
 */
export interface ServerSessionEvent {
  event: 'session';
  data: {
    session_id: string;
    title: string | null;
    /**
     * ISO 8601, UTC, six fraction digits.
     */
    updated_at: string | null;
    message_count: number;
    active_turn: string | null;
    /**
     * true: it is gone, and the other members say nothing.
     */
    deleted: boolean;
  };
}
/**
 * A turn has come to another state.
 */
export interface ServerTurnEvent {
  event: 'turn';
  data: {
    turn_id: string;
    session_id: string;
    state: 'queued' | 'running' | 'waiting' | 'completed' | 'failed' | 'cancelled' | 'interrupted';
  };
}
/**
 * An approval as it is now: asked, or changed.
 */
export interface ServerApprovalEvent {
  event: 'approval';
  data: Approval;
}
export interface Approval {
  confirmation_id: string;
  /**
   * `tool`: may this call run? `outcome`: it ran when the server was stopped, and nobody knows how that ended. `question`: an MCP server asks. `plan`: may an agent do this?
   */
  kind: 'tool' | 'outcome' | 'question' | 'plan';
  state: 'pending' | 'approved' | 'denied' | 'answered' | 'expired' | 'cancelled';
  session_id: string;
  /**
   * The turn that waits for it.
   */
  turn_id: string;
  /**
   * The message with the call.
   */
  message_id: string | null;
  call_index: number | null;
  tool_call_id: string | null;
  tool_name: string | null;
  agent_name: string | null;
  agent_session_id: string | null;
  /**
   * With which it would run.
   */
  arguments: {
    [k: string]: unknown;
  } | null;
  /**
   * JSON Schema of the arguments, for `edit`.
   */
  input_schema: {
    [k: string]: unknown;
  } | null;
  /**
   * Of tool and arguments: a decision that names it is about just this call.
   */
  digest: string | null;
  /**
   * Why it is asked.
   */
  rule: string | null;
  question: ApprovalQuestion | null;
  /**
   * Of an agent.
   */
  plan: string | null;
  /**
   * `outcome`: the run whose end nobody knows.
   */
  previous: {
    attempt: number;
    /**
     * ISO 8601, UTC, six fraction digits.
     */
    started_at: string;
  } | null;
  allowed_decisions: ('approve' | 'edit' | 'respond' | 'retry' | 'deny')[];
  allowed_scopes: ('once' | 'session' | 'always')[];
  /**
   * ISO 8601, UTC, six fraction digits.
   */
  created_at: string;
  /**
   * ISO 8601, UTC, six fraction digits.
   */
  expires_at: string | null;
  /**
   * ISO 8601, UTC, six fraction digits.
   */
  decided_at: string | null;
  decision: Decision | null;
}
export interface ApprovalQuestion {
  /**
   * What the server asks.
   */
  message: string;
  /**
   * JSON Schema of the answer.
   */
  schema: Record<string, unknown>;
  /**
   * Name of the MCP server that asks.
   */
  server: string;
}
export interface Decision {
  decision: 'approve' | 'edit' | 'respond' | 'retry' | 'deny';
  /**
   * `edit`: what it runs with.
   */
  arguments: {
    [k: string]: unknown;
  } | null;
  /**
   * Text in the place of a result or a plan; for a question, an object that fits its schema.
   */
  content:
    | {
        [k: string]: unknown;
      }
    | unknown[]
    | string
    | number
    | boolean
    | null;
  /**
   * The model is told.
   */
  reason: string | null;
  scope: 'once' | 'session' | 'always';
  match: 'tool' | 'arguments';
  /**
   * Of the call that may run, as edited.
   */
  digest: string | null;
  /**
   * What remembers it.
   */
  grant_id: string | null;
  /**
   * The client's word.
   */
  decided_by: string | null;
  /**
   * Of the request that decided it.
   */
  request_id: string | null;
}
/**
 * The fetching of a model has begun, has come further, or has ended; also told of those under way to whoever begins to listen.
 */
export interface ServerPullEvent {
  event: 'pull';
  data: PullState;
}
export interface AgentChat {
  session_id: string;
  model: string;
  /**
   * ISO 8601, UTC, six fraction digits.
   */
  created_at: string;
  /**
   * ISO 8601, UTC, six fraction digits.
   */
  updated_at: string;
  /**
   * Messages on the active path, the system message included.
   */
  message_count: number;
  /**
   * The client's, or a few words written after the first answer.
   */
  title: string | null;
  metadata: Record<string, unknown>;
  tool_settings: ToolSettings;
  agent_settings: AgentSettings;
  context_window: ContextWindowConfig;
  summary_model: string | null;
  /**
   * Id of the turn that is running or waiting.
   */
  active_turn: string | null;
  /**
   * Null: it was imported, and its file did not say.
   */
  agent_name: string | null;
  /**
   * The session whose turn began it, and with which it is deleted; null: it stands alone.
   */
  parent_session_id: string | null;
  /**
   * The turn whose call of `agent` began it.
   */
  parent_turn_id: string | null;
  messages: Message[];
}
export interface ToolSettings {
  /**
   * Names of the tools that the model is offered; `read_*` and `mcp__server` stand for several. Looked up at the start of each turn. Default: `[]`.
   */
  tools: string[];
  /**
   * Whether a call waits for an approval. Default: `"always_confirm"`.
   */
  execution_policy: 'always_confirm' | 'never_confirm';
  /**
   * Policies of single tools; they win over `execution_policy`. Default: `{}`.
   */
  tool_policies: {
    [k: string]: 'always_confirm' | 'never_confirm';
  };
}
export interface AgentSettings {
  /**
   * Default: `[]`.
   */
  enabled_agents: string[];
}
export interface ContextWindowConfig {
  dynamic_enabled: boolean;
  current_window: number;
  last_adjustment:
    | 'initial_setup'
    | 'usage_threshold'
    | 'model_change'
    | 'no_adjustment'
    | 'manual_override'
    | 'load_failed';
  adjustment_history: {
    reason: string;
    window: number;
    usage_tokens: number;
    /**
     * ISO 8601, UTC, six fraction digits.
     */
    timestamp: string | null;
  }[];
  manual_override: boolean;
}
export interface Message {
  role: 'system' | 'user' | 'assistant' | 'tool';
  content: string;
  thinking: string | null;
  message_id: string;
  /**
   * ISO 8601, UTC, six fraction digits.
   */
  timestamp: string;
  model: string | null;
  eval_count: number | null;
  prompt_eval_count: number | null;
  /**
   * `stop`: the model ended it. `length`: it was cut, by `num_predict` or at the end of the window. `tool_calls`: it asked for tools. Null: not known, or not ended.
   */
  finish_reason: 'stop' | 'length' | 'tool_calls' | null;
  tool_calls: AnswerToolCall[] | null;
  source_file: string | null;
  tool_name: string | null;
  parent_id: string | null;
  turn_id: string | null;
  /**
   * `partial`: cut by an error, a cancel or a restart. `streaming`: being written now.
   */
  status: 'complete' | 'partial' | 'streaming';
  /**
   * Messages with the same parent, this one included: more than 1 means other branches.
   */
  sibling_count: number;
  /**
   * Which of these it is, from 0, in the order of their creation.
   */
  sibling_index: number;
  /**
   * Base64; only where there are any.
   */
  images?: string[];
  /**
   * In the place of `images`, where these were to be left out.
   */
  image_count?: number;
}
export interface AnswerToolCall {
  function: {
    name: string;
    arguments: Record<string, unknown>;
  };
  /**
   * What `tool_results` answers it by: of calls that a client runs, and of those beside them.
   */
  id?: string;
  /**
   * `client`: it is open until `tool_results` answers it.
   */
  runs_at?: 'server' | 'client';
}
export interface AgentChatItem {
  session_id: string;
  model: string;
  title: string | null;
  /**
   * ISO 8601, UTC, six fraction digits.
   */
  created_at: string;
  /**
   * ISO 8601, UTC, six fraction digits.
   */
  updated_at: string;
  message_count: number;
  summary: SessionSummary | null;
  /**
   * First user message, at most 100 characters.
   */
  preview: string;
  metadata: Record<string, unknown>;
  active_turn: string | null;
  /**
   * Null: it was imported, and its file did not say.
   */
  agent_name: string | null;
  /**
   * The session whose turn began it, and with which it is deleted; null: it stands alone.
   */
  parent_session_id: string | null;
  /**
   * Its newest run.
   */
  last_turn_id: string | null;
}
export interface SessionSummary {
  summary: string;
  topics: string[];
}
export interface AgentChatList {
  sessions: AgentChatItem[];
  /**
   * The same list.
   */
  chats: AgentChatItem[];
  next_cursor: string | null;
}
export interface AgentRun {
  turn_id: string;
  session_id: string;
  state: 'queued' | 'running' | 'waiting' | 'completed' | 'failed' | 'cancelled' | 'interrupted';
  /**
   * Null for a turn that is no run of an agent.
   */
  agent_name: string | null;
  /**
   * `planning`, without tools. `gate`: the plan waits for a person. `executing`. `reporting`: the last words, at a limit.
   */
  phase: 'planning' | 'gate' | 'executing' | 'reporting' | null;
  /**
   * Of the execution, from 1; 0 before it.
   */
  round: number | null;
}
export interface AgentRunRequest {
  /**
   * What the agent is to do.
   */
  instruction: string;
  /**
   * The agent chat to go on in, one of this agent; null: a new one.
   */
  session_id?: string | null;
  /**
   * For this run. Null: that of SKILL.md, else of the agent chat, else the default one.
   */
  model?: string | null;
  /**
   * For this turn only, instead of the session's.
   */
  tool_settings?: ToolSettingsInput | null;
  /**
   * The session is answering: `queue` waits in line (at most 8), `reject` is refused at once, `interrupt` cancels the running turn and goes before all that wait. Left out: `queue`, except where that turn waits for an approval and nobody watches it: then `interrupt`.
   */
  on_busy?: 'queue' | 'reject' | 'interrupt';
  /**
   * What the closing of this connection does to the turn; default: `cancel` for the stream, `continue` for the plain answer.
   */
  on_disconnect?: 'cancel' | 'continue';
  /**
   * A tool call needs an approval: `wait` for it (default of the stream), `fail` before any tool of that round runs (default of the plain answer), or `return` 202 with what is to be approved while the turn waits (plain answer only).
   */
  on_approval?: 'wait' | 'fail' | 'return';
}
export interface ToolSettingsInput {
  /**
   * Names of the tools that the model is offered; `read_*` and `mcp__server` stand for several. Looked up at the start of each turn. Default: `[]`.
   */
  tools?: string[];
  /**
   * Whether a call waits for an approval. Default: `"always_confirm"`.
   */
  execution_policy?: 'always_confirm' | 'never_confirm';
  /**
   * Policies of single tools; they win over `execution_policy`. Default: `{}`.
   */
  tool_policies?: {
    [k: string]: 'always_confirm' | 'never_confirm';
  };
}
export interface AgentDetail {
  /**
   * Of its folder.
   */
  name: string;
  /**
   * What models are told of it; null where its SKILL.md cannot be used.
   */
  description: string | null;
  /**
   * The model that it wants; null: that of the session that calls it.
   */
  model: string | null;
  /**
   * Whether it can work. One that cannot is never offered.
   */
  valid: boolean;
  /**
   * Why it cannot.
   */
  error_message: string | null;
  tool_count: number;
  /**
   * Names of its own tools, then of those that `allowed-tools` names.
   */
  tools: string[];
  /**
   * What is odd about it and harms nothing.
   */
  warnings: string[];
  /**
   * As its SKILL.md has it.
   */
  metadata: {
    [k: string]: string;
  };
  /**
   * The body of its SKILL.md.
   */
  system_prompt: string | null;
  license: string | null;
  compatibility: string | null;
  /**
   * As its SKILL.md has them: names, globs, `mcp__server`. They are offered to it, not approved.
   */
  allowed_tools: string[];
}
export interface AgentInfo {
  /**
   * Of its folder.
   */
  name: string;
  /**
   * What models are told of it; null where its SKILL.md cannot be used.
   */
  description: string | null;
  /**
   * The model that it wants; null: that of the session that calls it.
   */
  model: string | null;
  /**
   * Whether it can work. One that cannot is never offered.
   */
  valid: boolean;
  /**
   * Why it cannot.
   */
  error_message: string | null;
  tool_count: number;
  /**
   * Names of its own tools, then of those that `allowed-tools` names.
   */
  tools: string[];
  /**
   * What is odd about it and harms nothing.
   */
  warnings: string[];
  /**
   * As its SKILL.md has it.
   */
  metadata: {
    [k: string]: string;
  };
}
export interface AgentList {
  agents: {
    [k: string]: AgentInfo;
  };
}
export interface AgentSettingsInput {
  /**
   * Default: `[]`.
   */
  enabled_agents?: string[];
}
export interface AgentsReloaded {
  success: boolean;
  /**
   * Those that can work.
   */
  agents_count: number;
  message: string;
  /**
   * What cannot be used or is odd, and why; it hides no other agent.
   */
  problems: {
    source: string;
    message: string;
  }[];
}
export interface AnswerMessage {
  role: 'assistant';
  content: string;
  model: string | null;
  message_id: string;
  /**
   * ISO 8601, UTC, six fraction digits.
   */
  timestamp: string;
  eval_count: number | null;
  prompt_eval_count: number | null;
  /**
   * `stop`: the model ended it. `length`: it was cut, by `num_predict` or at the end of the window. `tool_calls`: it asked for tools. Null: not known, or not ended.
   */
  finish_reason: 'stop' | 'length' | 'tool_calls' | null;
  tool_calls: AnswerToolCall[] | null;
  thinking: string | null;
  /**
   * The value of a structured answer; thoughts, Markdown fences and prose that the model wrote around it are left out.
   */
  parsed?: unknown;
}
/**
 * An approval as it is now: asked, or changed.
 */
export interface ApprovalChangedEvent {
  event: 'approval';
  data: Approval;
}
export interface ApprovalList {
  approvals: Approval[];
}
export interface ApprovalPage {
  approvals: Approval[];
  next_cursor: string | null;
}
export interface ChatAnswer {
  session_id: string;
  message: AnswerMessage;
  tool_calls_executed: ExecutedToolCall[];
  context_window: ContextWindowInfo;
  turn_id: string;
  context: ContextReceipt;
}
export interface ExecutedToolCall {
  name: string;
  arguments: Record<string, unknown>;
  success: boolean;
}
export interface ContextWindowInfo {
  current_window: number;
  usage_tokens: number;
  reason:
    | 'initial_setup'
    | 'usage_threshold'
    | 'model_change'
    | 'no_adjustment'
    | 'manual_override'
    | 'load_failed';
}
export interface ContextReceipt {
  /**
   * Tokens asked of the engine; null: its own default.
   */
  window: number | null;
  /**
   * `load_failed`: a larger window could not be loaded for want of memory, and something is missing for it.
   */
  window_reason:
    | 'initial_setup'
    | 'usage_threshold'
    | 'model_change'
    | 'no_adjustment'
    | 'manual_override'
    | 'load_failed';
  /**
   * Estimate of the prompt.
   */
  planned_tokens: number;
  /**
   * Measured by the engine.
   */
  prompt_tokens: number | null;
  output_tokens: number | null;
  /**
   * Tokens that the answer may take, sent as `num_predict`: the room that the prompt leaves in the window, or what the client asked for where that is less. An answer that reaches it ends with `finish_reason: "length"`. Null: the window is left to an engine that has not told it.
   */
  answer_limit: number | null;
  /**
   * The client asked for a longer answer than there is room for: `answer_limit` was sent.
   */
  num_predict_clamped: boolean;
  messages_sent: number;
  /**
   * Older messages of the path that were not sent.
   */
  messages_left_out: number;
  /**
   * Whether a summary stood for what was left out.
   */
  summary_used: boolean;
  /**
   * The window with which the engine holds the model; null until known.
   */
  loaded_window: number | null;
  /**
   * The engine was expected to load the model for this window first.
   */
  reload_expected: boolean;
  /**
   * Messages at the start of the prompt that the engine had read for this session before.
   */
  prefix_reused: number;
  /**
   * Why the engine cannot go on from the prompt before (`reload`: it does not hold the model any more); null: it can, or this is the first.
   */
  cache_break: 'system_prompt' | 'tools' | 'edit' | 'model' | 'options' | 'left_out' | 'reload' | null;
  /**
   * The engine counted far fewer tokens than were sent: it may have cut the prompt.
   */
  suspected_truncation: boolean;
  /**
   * The model that was asked; missing in receipts of older versions.
   */
  model?: {
    name: string;
    /**
     * What the name stood for; null: the engine does not say.
     */
    digest: string | null;
  };
  /**
   * true: the engine had the model in memory and said nothing (`engine_stalled`), so it was made to load it anew, and was asked again.
   */
  engine_restarted?: boolean;
  /**
   * Once, where the name stands for another model than at the turn before: the digests of both.
   */
  model_changed?: {
    from: string;
    to: string;
  };
  /**
   * Names of the tools that the model was offered, in this order: none where it cannot call tools, and in the call that writes what a `format` asks for. Missing, as the next two: the session names no tools.
   */
  tools_offered?: string[];
  /**
   * Entries of the session that stand for no tool there is.
   */
  tools_missing?: string[];
  /**
   * Estimate of what they take of the prompt.
   */
  tools_tokens?: number;
}
export interface ChatPreview {
  session_id: string;
  engine_request: Record<string, unknown>;
  context: ContextReceipt;
  /**
   * The engine would have to load the model first.
   */
  would_reload: boolean;
  /**
   * Older messages that would not be sent.
   */
  would_leave_out: number;
}
export interface ChatRequest {
  /**
   * The new user message; null: see `mode`. Default: `null`.
   */
  message?: string | null;
  /**
   * With `message: null`. `regenerate` answers the last user message anew, `continue` goes on after the last message. Default: `"regenerate"`.
   */
  mode?: 'regenerate' | 'continue';
  /**
   * Id of a message of the session, on whatever branch. With `message`: of a user message, beside which the new one is put, and answered. With `message: null`: of an answer, which is made anew. What is replaced stays in the tree.
   */
  replaces?: string | null;
  /**
   * Thinking, for models that can; silently off for the others. Default: `false`.
   */
  think?: boolean | ('low' | 'medium' | 'high') | null;
  options?: EngineOptions | null;
  /**
   * Structured output: `"json"`, or a JSON Schema that the answer must fit.
   */
  format?: 'json' | Record<string, unknown> | null;
  /**
   * Images of the new message in base64, for models with vision; a data URI or broken lines will do. Left out: none, or with `replaces` those of the message that it replaces.
   */
  images?: string[];
  /**
   * For this turn only, instead of the session's.
   */
  tool_settings?: ToolSettingsInput | null;
  /**
   * Tools that the client runs itself, for this turn, beside those of the session. When the model calls one, the turn ends with `finish_reason: tool_calls`; the results come with the next request. Default: `[]`.
   */
  tools?: ClientTool[];
  /**
   * What came of the calls of `tools`, with or without a new message; an empty list only beside one. Calls that are left out, here or by a message without results, are answered with `Error: no result was given`.
   */
  tool_results?: ClientToolResult[];
  /**
   * For this turn only, instead of the session's.
   */
  agent_settings?: AgentSettingsInput | null;
  /**
   * The session is answering: `queue` waits in line (at most 8), `reject` is refused at once, `interrupt` cancels the running turn and goes before all that wait. Left out: `queue`, except where that turn waits for an approval and nobody watches it: then `interrupt`.
   */
  on_busy?: 'queue' | 'reject' | 'interrupt';
  /**
   * What the closing of this connection does to the turn; default: `cancel` for the stream, `continue` for the plain answer.
   */
  on_disconnect?: 'cancel' | 'continue';
  /**
   * A tool call needs an approval: `wait` for it (default of the stream), `fail` before any tool of that round runs (default of the plain answer), or `return` 202 with what is to be approved while the turn waits (plain answer only).
   */
  on_approval?: 'wait' | 'fail' | 'return';
}
export interface EngineOptions {
  temperature?: number;
  top_p?: number;
  top_k?: number;
  min_p?: number;
  typical_p?: number;
  seed?: number;
  num_predict?: number;
  stop?: string | string[];
  repeat_last_n?: number;
  repeat_penalty?: number;
  presence_penalty?: number;
  frequency_penalty?: number;
  /**
   * A manual context window for this turn, in tokens.
   */
  num_ctx?: number;
  num_keep?: number;
  num_batch?: number;
  num_gpu?: number;
  main_gpu?: number;
  num_thread?: number;
  draft_num_predict?: number;
  use_mmap?: boolean;
  [k: string]: string | number | boolean | string[] | undefined;
}
export interface ClientTool {
  /**
   * Not `agent`, nor `mcp__…`. Of a session's tool of the same name it takes the place.
   */
  name: string;
  /**
   * Default: `""`.
   */
  description?: string;
  /**
   * JSON Schema of an object; left out: it takes no arguments.
   */
  parameters?: Record<string, unknown>;
}
export interface ClientToolResult {
  tool_call_id: string;
  content: string;
  /**
   * The model reads `Error: ` before the content. Default: `false`.
   */
  is_error?: boolean;
}
export interface ConfirmToolInput {
  confirmation_id: string;
  approved: boolean;
}
export interface ContextWindowInput {
  /**
   * false: mochi leaves the window to the engine.
   */
  dynamic_enabled?: boolean;
  current_window?: number;
  /**
   * true: `current_window` is used as it is, clamped to the model. false: the window is chosen by need again, and told as it was before.
   */
  manual_override?: boolean;
}
export interface CreatePrompt {
  /**
   * Ends in `.md`; no `/` or `\`, no leading dot, no control characters, at most 255 bytes. Stored in Unicode form NFC.
   */
  filename: string;
  content: string;
}
export interface CreateSession {
  /**
   * Left out or null: MOCHI_DEFAULT_MODEL, else the first installed one.
   */
  model?: string | null;
  /**
   * Becomes message 0; null or empty: none. Only blanks are refused.
   */
  system_prompt?: string | null;
  /**
   * With a text: a label, stored beside it. Alone: the system prompt file to read.
   */
  system_prompt_source_file?: string | null;
  tool_settings?: ToolSettingsInput | null;
  agent_settings?: AgentSettingsInput | null;
  context_window?: ContextWindowInput | null;
  /**
   * A title of the client is never replaced; null clears it, and none is written again.
   */
  title?: string | null;
  summary_model?: string | null;
  context_window_config?: ContextWindowInput | null;
  /**
   * A free JSON object of the client, at most 16 kB.
   */
  metadata?: {
    [k: string]: unknown;
  } | null;
}
export interface DecideInput {
  /**
   * `approve` and `edit` let the call run; `respond` gives its result, and nothing runs; `retry` runs a call again whose outcome is unknown; `deny`. `allowed_decisions` says which there are.
   */
  decision: 'approve' | 'edit' | 'respond' | 'retry' | 'deny';
  /**
   * `edit`, and only there: what to run with instead.
   */
  arguments?: Record<string, unknown>;
  /**
   * Text in the place of a result or a plan; for a question, an object that fits its schema.
   */
  content?:
    | {
        [k: string]: unknown;
      }
    | unknown[]
    | string
    | number
    | boolean
    | null;
  /**
   * The model is told.
   */
  reason?: string;
  /**
   * Whether later calls of the tool may run unasked: in this session, or in all. Default: `"once"`.
   */
  scope?: 'once' | 'session' | 'always';
  /**
   * Which later calls: all of this tool, or those with these very arguments. Default: `"tool"`.
   */
  match?: 'tool' | 'arguments';
  /**
   * That of the approval: refused when it is about another call meanwhile.
   */
  digest?: string;
  /**
   * Who decides; noted as you say it.
   */
  decided_by?: string;
}
export interface DecideManyInput {
  decisions: {
    confirmation_id: string;
    /**
     * `approve` and `edit` let the call run; `respond` gives its result, and nothing runs; `retry` runs a call again whose outcome is unknown; `deny`. `allowed_decisions` says which there are.
     */
    decision: 'approve' | 'edit' | 'respond' | 'retry' | 'deny';
    /**
     * `edit`, and only there: what to run with instead.
     */
    arguments?: Record<string, unknown>;
    /**
     * Text in the place of a result or a plan; for a question, an object that fits its schema.
     */
    content?:
      | {
          [k: string]: unknown;
        }
      | unknown[]
      | string
      | number
      | boolean
      | null;
    /**
     * The model is told.
     */
    reason?: string;
    /**
     * Whether later calls of the tool may run unasked: in this session, or in all. Default: `"once"`.
     */
    scope?: 'once' | 'session' | 'always';
    /**
     * Which later calls: all of this tool, or those with these very arguments. Default: `"tool"`.
     */
    match?: 'tool' | 'arguments';
    /**
     * That of the approval: refused when it is about another call meanwhile.
     */
    digest?: string;
    /**
     * Who decides; noted as you say it.
     */
    decided_by?: string;
  }[];
}
export interface DescribedTurn {
  turn_id: string;
  /**
   * Empty for a turn of another API that is stored nowhere; it is known as long as it runs.
   */
  session_id: string;
  state: 'queued' | 'running' | 'waiting' | 'completed' | 'failed' | 'cancelled' | 'interrupted';
  /**
   * ISO 8601, UTC, six fraction digits.
   */
  created_at: string;
  /**
   * ISO 8601, UTC, six fraction digits.
   */
  finished_at: string | null;
  error: ErrorObject | null;
  /**
   * The last assistant message of the turn.
   */
  message_id: string | null;
  /**
   * `stop`: the model ended it. `length`: it was cut, by `num_predict` or at the end of the window. `tool_calls`: it asked for tools. Null: not known, or not ended.
   */
  finish_reason: 'stop' | 'length' | 'tool_calls' | null;
  usage: TurnUsage | null;
  context: ContextReceipt | null;
  last_event_id: number;
  /**
   * Null for a turn that is no run of an agent.
   */
  agent_name: string | null;
  /**
   * `planning`, without tools. `gate`: the plan waits for a person. `executing`. `reporting`: the last words, at a limit.
   */
  phase: 'planning' | 'gate' | 'executing' | 'reporting' | null;
  /**
   * Of the execution, from 1; 0 before it.
   */
  round: number | null;
  /**
   * The turn whose call of `agent` started this run.
   */
  parent_turn_id: string | null;
  /**
   * The runs that this turn has started, in order.
   */
  agent_turns: AgentRun[];
  /**
   * What a person has to decide, and has not.
   */
  approvals: Approval[];
}
export interface TurnUsage {
  prompt_tokens: number | null;
  output_tokens: number | null;
  total_tokens: number | null;
  load_ms: number | null;
  prompt_eval_ms: number | null;
  eval_ms: number | null;
}
export interface EditedMessage {
  message: Message;
  message_index: number;
  message_count: number;
  session_id: string;
}
export interface EditMessageInput {
  content: string;
}
export interface ErrorEnvelope {
  detail: {
    error: ErrorObject;
  };
}
export interface Execution {
  execution_id: string;
  /**
   * Null for a person's own run.
   */
  session_id: string | null;
  turn_id: string | null;
  /**
   * The message with the call.
   */
  message_id: string | null;
  /**
   * Which of its calls, from 0.
   */
  call_index: number | null;
  tool_call_id: string | null;
  tool_name: string;
  source: {
    kind: 'python' | 'native' | 'mcp' | 'builtin' | 'agent';
    group: string;
  };
  /**
   * `unknown`: it was stopped or lost and may have taken effect. `asked`: a server wants an answer of a person before it goes on.
   */
  state: 'running' | 'succeeded' | 'failed' | 'unknown' | 'asked';
  /**
   * Of the runs of one call, from 1.
   */
  attempt: number;
  /**
   * `text`: the model wrote the call as its answer.
   */
  origin: 'text' | null;
  arguments: Record<string, unknown>;
  /**
   * What was changed in name and arguments before it ran.
   */
  repairs: string[];
  /**
   * Null while it runs.
   */
  success: boolean | null;
  /**
   * What the model was told.
   */
  error: string | null;
  /**
   * The result was cut at the limit.
   */
  truncated: boolean;
  /**
   * Of the result as it is kept.
   */
  result_bytes: number | null;
  duration_ms: number | null;
  /**
   * ISO 8601, UTC, six fraction digits.
   */
  started_at: string;
  /**
   * ISO 8601, UTC, six fraction digits.
   */
  finished_at: string | null;
}
export interface ExecutionLine {
  type: 'execution';
  execution_id: string;
  message_id: string;
  call_index: number;
  attempt: number;
  tool_name: string;
  source: {
    kind: string;
    group: string;
  };
  arguments: Record<string, unknown>;
  digest: string;
  fingerprint: string;
  /**
   * Default: `false`.
   */
  read_only?: boolean;
  state: 'running' | 'succeeded' | 'failed' | 'unknown' | 'asked';
  started_at: string;
  /**
   * Default: `null`.
   */
  finished_at?: string | null;
  /**
   * Default: `null`.
   */
  duration_ms?: number | null;
  /**
   * Default: `null`.
   */
  error?: string | null;
  /**
   * Default: `[]`.
   */
  repairs?: string[];
  /**
   * Default: `false`.
   */
  truncated?: boolean;
  /**
   * Its outcome is unknown, and a person wanted it run again. Default: `false`.
   */
  is_retried?: boolean;
  /**
   * Default: `null`.
   */
  result_bytes?: number | null;
  /**
   * The whole result, where the message holds less. Default: `null`.
   */
  output?: string | null;
  /**
   * Default: `null`.
   */
  log?: string | null;
}
export interface ExecutionPage {
  executions: Execution[];
  next_cursor: string | null;
}
export interface ExecutionWithLog {
  execution_id: string;
  /**
   * Null for a person's own run.
   */
  session_id: string | null;
  turn_id: string | null;
  /**
   * The message with the call.
   */
  message_id: string | null;
  /**
   * Which of its calls, from 0.
   */
  call_index: number | null;
  tool_call_id: string | null;
  tool_name: string;
  source: {
    kind: 'python' | 'native' | 'mcp' | 'builtin' | 'agent';
    group: string;
  };
  /**
   * `unknown`: it was stopped or lost and may have taken effect. `asked`: a server wants an answer of a person before it goes on.
   */
  state: 'running' | 'succeeded' | 'failed' | 'unknown' | 'asked';
  /**
   * Of the runs of one call, from 1.
   */
  attempt: number;
  /**
   * `text`: the model wrote the call as its answer.
   */
  origin: 'text' | null;
  arguments: Record<string, unknown>;
  /**
   * What was changed in name and arguments before it ran.
   */
  repairs: string[];
  /**
   * Null while it runs.
   */
  success: boolean | null;
  /**
   * What the model was told.
   */
  error: string | null;
  /**
   * The result was cut at the limit.
   */
  truncated: boolean;
  /**
   * Of the result as it is kept.
   */
  result_bytes: number | null;
  duration_ms: number | null;
  /**
   * ISO 8601, UTC, six fraction digits.
   */
  started_at: string;
  /**
   * ISO 8601, UTC, six fraction digits.
   */
  finished_at: string | null;
  /**
   * The end of what it printed, at most 64 kB.
   */
  log: string | null;
}
export interface ForkInput {
  message_id?: string | null;
}
export interface Grant {
  grant_id: string;
  scope: 'session' | 'always';
  /**
   * Null: all sessions.
   */
  session_id: string | null;
  tool_name: string;
  match: 'tool' | 'arguments';
  /**
   * `match: arguments`: the only ones that it is about.
   */
  arguments: {
    [k: string]: unknown;
  } | null;
  /**
   * ISO 8601, UTC, six fraction digits.
   */
  created_at: string;
  /**
   * The approval with which it began.
   */
  confirmation_id: string;
  /**
   * false: the tool has changed since, or is not there, and calls are asked about again.
   */
  valid: boolean;
}
export interface GrantList {
  grants: Grant[];
}
export interface HeadInput {
  message_id: string;
  /**
   * true: not to end at this message, but to go on to the end of its branch: to the newest message of all that follow it. Default: `false`.
   */
  descend?: boolean;
}
export interface ImportAnswer {
  /**
   * A session whose id is taken by another one has got a new id.
   */
  imported: {
    session_id: string;
    source_id: string;
  }[];
  /**
   * Of these nothing was stored.
   */
  skipped: {
    /**
     * Null where the damage begins before the id.
     */
    source_id: string | null;
    reason: string;
  }[];
}
export interface LatestSummary {
  /**
   * null: there is none yet.
   */
  summary: string | null;
  /**
   * What it is about, in a word or a few each.
   */
  topics: string[];
  /**
   * Left out when there is no summary; null for an imported one.
   */
  model_used?: string | null;
}
export interface MessageLine {
  type: 'message';
  message_id: string;
  /**
   * Null for the first messages of the tree. A parent comes before its children. Default: `null`.
   */
  parent_id?: string | null;
  role: 'system' | 'user' | 'assistant' | 'tool';
  content: string;
  /**
   * Default: `null`.
   */
  thinking?: string | null;
  timestamp: string;
  /**
   * Default: `null`.
   */
  model?: string | null;
  /**
   * Default: `null`.
   */
  eval_count?: number | null;
  /**
   * Default: `null`.
   */
  prompt_eval_count?: number | null;
  /**
   * `stop`: the model ended it. `length`: it was cut, by `num_predict` or at the end of the window. `tool_calls`: it asked for tools. Null: not known, or not ended. Default: `null`.
   */
  finish_reason?: 'stop' | 'length' | 'tool_calls' | null;
  /**
   * Default: `null`.
   */
  tool_calls?: ToolCall[] | null;
  /**
   * Default: `null`.
   */
  source_file?: string | null;
  /**
   * Default: `null`.
   */
  tool_name?: string | null;
  /**
   * Default: `null`.
   */
  tool_call_id?: string | null;
  /**
   * Default: `null`.
   */
  turn_id?: string | null;
  /**
   * Default: `"complete"`.
   */
  status?: 'complete' | 'partial' | 'streaming';
  /**
   * Default: `null`.
   */
  images?: string[] | null;
  /**
   * Default: `null`.
   */
  extra?: {
    [k: string]: unknown;
  } | null;
  /**
   * The name that a client has given it. Default: `null`.
   */
  client_id?: string | null;
  /**
   * The calls of `tool_calls` with their ids and what came of them. Default: `[]`.
   */
  calls?: {
    call_id: string;
    name: string;
    arguments:
      | {
          [k: string]: unknown;
        }
      | string;
    /**
     * The tool that was meant; null: the one of that name. Default: `null`.
     */
    tool?: string | null;
    /**
     * What it ran with; null: `arguments`. Default: `null`.
     */
    ran_arguments?: {
      [k: string]: unknown;
    } | null;
    /**
     * `text`: the model wrote it as its answer; null: it made a call. Default: `null`.
     */
    origin?: 'text' | null;
    state: 'pending' | 'running' | 'done' | 'unknown' | 'open';
    /**
     * Default: `null`.
     */
    result_message_id: string | null;
    /**
     * Default: `null`.
     */
    success: boolean | null;
    /**
     * SHA-256 of tool, fingerprint and arguments. Default: `null`.
     */
    digest?: string | null;
    /**
     * What was decided about it; null: nothing was. Default: `null`.
     */
    verdict?: 'run' | 'ask' | 'refuse' | 'client' | null;
    /**
     * What spoke for the verdict. Default: `null`.
     */
    rule?: string | null;
    /**
     * What was changed in name and arguments. Default: `null`.
     */
    repairs?: string[] | null;
    /**
     * What an MCP server wants back with the answer that it asked for. Default: `null`.
     */
    mcp_state?: string | null;
  }[];
}
export interface ToolCall {
  function: {
    name: string;
    arguments: Record<string, unknown>;
  };
}
export interface Model {
  name: string;
  /**
   * Bytes / 1 048 576, one decimal.
   */
  size_mb: number;
  format: string;
  family: string;
  parameter_size: string;
  quantization_level: string;
  capabilities: string[];
  /**
   * The length the model was trained with; 2048 when the engine does not say.
   */
  context_length: number;
}
/**
 * Formats 1.0 to 1.4 are read, 1.4 is written: the active path. `title`, `client_metadata` and `partial_messages` in `metadata` are additions.
 */
export interface OriginalSessionFile {
  metadata: {
    session_id?: string;
    model: string;
    [k: string]: unknown;
  };
  messages?: Record<string, unknown>[];
  [k: string]: unknown;
}
export interface PatchSession {
  model?: string | null;
  tool_settings?: ToolSettingsInput | null;
  agent_settings?: AgentSettingsInput | null;
  context_window?: ContextWindowInput | null;
  /**
   * A title of the client is never replaced; null clears it, and none is written again.
   */
  title?: string | null;
  summary_model?: string | null;
  /**
   * A free JSON object of the client, at most 16 kB.
   */
  metadata?: {
    [k: string]: unknown;
  } | null;
}
export interface Prompt {
  filename: string;
  /**
   * Written as UTF-8. A file in UTF-16 with its mark is read, too.
   */
  content: string;
}
export interface PromptInput {
  content: string;
}
export interface PromptListItem {
  filename: string;
  /**
   * At most 250 characters.
   */
  preview: string;
  word_count: number;
}
export interface RunToolInput {
  /**
   * As a model would give them: an object, or its JSON text. None where left out.
   */
  arguments?:
    | {
        [k: string]: unknown;
      }
    | string;
}
export interface SearchAnswer {
  results: SearchResult[];
  next_cursor: string | null;
  /**
   * More was found than is ranked: only the newest 2000 are. Look for rarer words.
   */
  truncated: boolean;
}
export interface SearchResult {
  session_id: string;
  /**
   * Title of the session.
   */
  title: string | null;
  /**
   * Null: the title of the session was found.
   */
  message_id: string | null;
  /**
   * Null for a title.
   */
  role: 'system' | 'user' | 'assistant' | 'tool' | null;
  /**
   * Plain text around what was found, about 200 characters; not HTML: escape it.
   */
  snippet: string;
  /**
   * Where the hits stand in `snippet`: `[start, end)` in UTF-16 units, as `String.prototype.slice` takes them; in order, not overlapping.
   */
  highlights: number[][];
  /**
   * Whether the message lies on the path that the session shows.
   */
  active: boolean;
  /**
   * The higher the better; comparable within one search only.
   */
  rank: number;
  /**
   * ISO 8601, UTC, six fraction digits.
   */
  timestamp: string;
  /**
   * Only with `include_agents`. `agent`: of an agent chat.
   */
  kind?: 'chat' | 'agent';
}
export interface Session {
  session_id: string;
  model: string;
  /**
   * ISO 8601, UTC, six fraction digits.
   */
  created_at: string;
  /**
   * ISO 8601, UTC, six fraction digits.
   */
  updated_at: string;
  /**
   * Messages on the active path, the system message included.
   */
  message_count: number;
  /**
   * The client's, or a few words written after the first answer.
   */
  title: string | null;
  metadata: Record<string, unknown>;
  tool_settings: ToolSettings;
  agent_settings: AgentSettings;
  context_window: ContextWindowConfig;
  summary_model: string | null;
  /**
   * Id of the turn that is running or waiting.
   */
  active_turn: string | null;
}
export interface SessionHead {
  session_id: string;
  head: string | null;
  message_count: number;
}
export interface SessionLine {
  type: 'session';
  format: 'mochi-jsonl/1';
  session_id: string;
  model: string;
  created_at: string;
  updated_at: string;
  /**
   * Default: `null`.
   */
  title?: string | null;
  metadata: Record<string, unknown>;
  tool_settings: ToolSettings;
  agent_settings: AgentSettings;
  context_window: ContextWindowConfig;
  /**
   * Default: `null`.
   */
  summary?: SessionSummary | null;
  /**
   * Default: `null`.
   */
  summary_model?: string | null;
  /**
   * The system message; it stands before the tree. Default: `null`.
   */
  system_id?: string | null;
  /**
   * Last message of the active path; null: the path is empty. Default: `null`.
   */
  head?: string | null;
  /**
   * Default: `null`.
   */
  extra?: {
    [k: string]: unknown;
  } | null;
  /**
   * `agent`: an agent chat. Default: `"chat"`.
   */
  kind?: 'chat' | 'agent';
  /**
   * Default: `null`.
   */
  agent_name?: string | null;
  /**
   * The session that an agent chat belongs to. Where it is neither among the lines before nor in the database, the chat stands alone. Default: `null`.
   */
  parent_session_id?: string | null;
  /**
   * The name under which a client of another API knows it. Where another session has it already, it has none. Default: `null`.
   */
  client_key?: string | null;
  /**
   * false: in no list and no search. Default: `true`.
   */
  listed?: boolean;
  /**
   * How many follow: a file that ends early is noticed. Default: `null`.
   */
  message_lines?: number | null;
  /**
   * Default: `null`.
   */
  turn_lines?: number | null;
  /**
   * Default: `null`.
   */
  execution_lines?: number | null;
}
export interface SessionListItem {
  session_id: string;
  model: string;
  title: string | null;
  /**
   * ISO 8601, UTC, six fraction digits.
   */
  created_at: string;
  /**
   * ISO 8601, UTC, six fraction digits.
   */
  updated_at: string;
  message_count: number;
  summary: SessionSummary | null;
  /**
   * First user message, at most 100 characters.
   */
  preview: string;
  metadata: Record<string, unknown>;
  active_turn: string | null;
  /**
   * Only with `include_agents`. `agent`: an agent chat.
   */
  kind?: 'chat' | 'agent';
  /**
   * Only with `unlisted`: it is in no other list, and goes some day.
   */
  unlisted?: true;
}
export interface SessionStatus {
  session_id: string;
  model: string;
  title: string | null;
  message_count: number;
  active_turn: string | null;
  context_window: {
    dynamic_enabled: boolean;
    current_window: number;
    /**
     * What the model was trained for; null when the engine does not say.
     */
    model_max_context: number | null;
    last_adjustment_reason:
      | 'initial_setup'
      | 'usage_threshold'
      | 'model_change'
      | 'no_adjustment'
      | 'manual_override'
      | 'load_failed';
    manual_override: boolean;
  };
  context: ContextReceipt | null;
  /**
   * What a person has to decide, the oldest first.
   */
  approvals: Approval[];
  tools_enabled: boolean;
  active_tools: string[];
  /**
   * Why the tools may not serve: the model cannot call any, or is offered too many to choose from.
   */
  tool_warnings: string[];
  execution_policy: 'always_confirm' | 'never_confirm';
  agents_enabled: boolean;
  enabled_agents: string[];
  /**
   * Those of `enabled_agents` that can work now.
   */
  agents_available: string[];
  /**
   * The label of the system prompt.
   */
  system_prompt_file: string | null;
  summary: SessionSummary | null;
  summary_model: string | null;
}
export interface SessionWithMessages {
  session_id: string;
  model: string;
  /**
   * ISO 8601, UTC, six fraction digits.
   */
  created_at: string;
  /**
   * ISO 8601, UTC, six fraction digits.
   */
  updated_at: string;
  /**
   * Messages on the active path, the system message included.
   */
  message_count: number;
  /**
   * The client's, or a few words written after the first answer.
   */
  title: string | null;
  metadata: Record<string, unknown>;
  tool_settings: ToolSettings;
  agent_settings: AgentSettings;
  context_window: ContextWindowConfig;
  summary_model: string | null;
  /**
   * Id of the turn that is running or waiting.
   */
  active_turn: string | null;
  messages: Message[];
}
export interface Sibling {
  message_id: string;
  role: 'system' | 'user' | 'assistant' | 'tool';
  /**
   * How it begins: at most 200 characters.
   */
  preview: string;
  /**
   * ISO 8601, UTC, six fraction digits.
   */
  timestamp: string;
  model: string | null;
  status: 'complete' | 'partial' | 'streaming';
}
export interface SnapshotMessage {
  role: 'assistant';
  content: string;
  model: string | null;
  message_id: string;
  /**
   * ISO 8601, UTC, six fraction digits.
   */
  timestamp: string;
  eval_count: number | null;
  prompt_eval_count: number | null;
  /**
   * `stop`: the model ended it. `length`: it was cut, by `num_predict` or at the end of the window. `tool_calls`: it asked for tools. Null: not known, or not ended.
   */
  finish_reason: 'stop' | 'length' | 'tool_calls' | null;
  tool_calls: AnswerToolCall[] | null;
  thinking: string | null;
  /**
   * The value of a structured answer; thoughts, Markdown fences and prose that the model wrote around it are left out.
   */
  parsed?: unknown;
  status: 'complete' | 'partial' | 'streaming';
}
export interface SnapshotToolCall {
  tool_name: string;
  tool_call_id: string;
  call_index: number;
  arguments: Record<string, unknown>;
  /**
   * Null while there is no result.
   */
  success: boolean | null;
  result: string | null;
  runs_at?: 'client';
}
export interface SummarizeInput {
  /**
   * Writes the summary, and is remembered as `summary_model`.
   */
  model?: string | null;
}
export interface SystemPromptAnswer {
  content: string;
  source_file: string | null;
  message_index: 0;
}
export interface SystemPromptInput {
  content?: string | null;
  /**
   * With `content`: a label, stored beside it. Alone: the system prompt file to read.
   */
  source_file?: string | null;
}
export interface ToolCounts {
  /**
   * Those that have ended.
   */
  total_executions: number;
  successful: number;
  /**
   * Unknown outcomes included.
   */
  failed: number;
  /**
   * Seconds; 0 where nothing has run.
   */
  average_time: number;
}
export interface ToolConfirmed {
  success: boolean;
  tool_name: string;
  message: string;
}
export interface ToolInfo {
  name: string;
  description: string;
  /**
   * JSON Schema of the arguments as models are shown it: flat, limits told in words.
   */
  parameters: Record<string, unknown>;
  /**
   * The whole JSON Schema, by which arguments are validated.
   */
  input_schema: Record<string, unknown>;
  source: {
    kind: 'python' | 'native' | 'mcp' | 'builtin' | 'agent';
    /**
     * Its folder, or its MCP server.
     */
    group: string;
  };
  /**
   * It changes nothing. Never a reason to let it run unasked.
   */
  read_only: boolean;
  /**
   * Another one when source, name, description or schema of the tool changes.
   */
  fingerprint: string;
  /**
   * Whether it can be offered and run now.
   */
  available: boolean;
  /**
   * Why it cannot.
   */
  problem: string | null;
}
export interface ToolList {
  tools: {
    [k: string]: ToolInfo;
  };
}
export interface ToolRun {
  execution_id: string;
  tool_name: string;
  success: boolean;
  /**
   * What the tool answered; empty when it failed.
   */
  result: string;
  /**
   * What a model would be told.
   */
  error: string | null;
  duration_ms: number;
  /**
   * What was changed in the arguments before they were validated.
   */
  repairs: string[];
  /**
   * The result was cut at the limit.
   */
  truncated: boolean;
}
export interface ToolStats {
  /**
   * Those that have ended.
   */
  total_executions: number;
  successful: number;
  /**
   * Unknown outcomes included.
   */
  failed: number;
  /**
   * Seconds; 0 where nothing has run.
   */
  average_time: number;
  by_tool: {
    [k: string]: ToolCounts;
  };
}
export interface McpServer {
  name: string;
  transport: 'stdio' | 'http' | 'sse';
  /**
   * Name of the program, or origin of the address; nothing more of either.
   */
  target: string;
  /**
   * ready: its tools are listed.
   */
  state: 'starting' | 'ready' | 'failed' | 'disabled' | 'needs_auth';
  /**
   * Version of the protocol that was agreed on.
   */
  era: string | null;
  /**
   * What it says that it is.
   */
  version: string | null;
  /**
   * Names of its tools, as models see them.
   */
  tools: string[];
  /**
   * Why it is not ready, or what went wrong last.
   */
  error: string | null;
  /**
   * The end of what it wrote for people, at most 8 kB.
   */
  stderr_tail: string;
  /**
   * How often it was started again.
   */
  restarts: number;
  /**
   * What it says about its use. It is never part of a prompt.
   */
  instructions: string | null;
}
export interface McpServerList {
  servers: McpServer[];
}
export interface ToolsReloaded {
  /**
   * false: a file of the operator cannot be read, and everything is as it was.
   */
  success: boolean;
  tools_count: number;
  message: string;
  /**
   * What cannot be used, and why; it hides nothing else.
   */
  problems: {
    source: string;
    message: string;
  }[];
}
export interface TreeMessage {
  role: 'system' | 'user' | 'assistant' | 'tool';
  content: string;
  thinking: string | null;
  message_id: string;
  /**
   * ISO 8601, UTC, six fraction digits.
   */
  timestamp: string;
  model: string | null;
  eval_count: number | null;
  prompt_eval_count: number | null;
  /**
   * `stop`: the model ended it. `length`: it was cut, by `num_predict` or at the end of the window. `tool_calls`: it asked for tools. Null: not known, or not ended.
   */
  finish_reason: 'stop' | 'length' | 'tool_calls' | null;
  tool_calls: AnswerToolCall[] | null;
  source_file: string | null;
  tool_name: string | null;
  parent_id: string | null;
  turn_id: string | null;
  /**
   * `partial`: cut by an error, a cancel or a restart. `streaming`: being written now.
   */
  status: 'complete' | 'partial' | 'streaming';
  /**
   * Messages with the same parent, this one included: more than 1 means other branches.
   */
  sibling_count: number;
  /**
   * Which of these it is, from 0, in the order of their creation.
   */
  sibling_index: number;
  /**
   * Base64; only where there are any.
   */
  images?: string[];
  /**
   * In the place of `images`, where these were to be left out.
   */
  image_count?: number;
  active: boolean;
}
export interface Turn {
  turn_id: string;
  /**
   * Empty for a turn of another API that is stored nowhere; it is known as long as it runs.
   */
  session_id: string;
  state: 'queued' | 'running' | 'waiting' | 'completed' | 'failed' | 'cancelled' | 'interrupted';
  /**
   * ISO 8601, UTC, six fraction digits.
   */
  created_at: string;
  /**
   * ISO 8601, UTC, six fraction digits.
   */
  finished_at: string | null;
  error: ErrorObject | null;
  /**
   * The last assistant message of the turn.
   */
  message_id: string | null;
  /**
   * `stop`: the model ended it. `length`: it was cut, by `num_predict` or at the end of the window. `tool_calls`: it asked for tools. Null: not known, or not ended.
   */
  finish_reason: 'stop' | 'length' | 'tool_calls' | null;
  usage: TurnUsage | null;
  context: ContextReceipt | null;
  last_event_id: number;
}
/**
 * First, exactly once: the request is stored.
 */
export interface TurnStartEvent {
  event: 'turn_start';
  data: {
    turn_id: string;
    session_id: string;
    user_message_id: string | null;
  };
}
/**
 * On each change of phase.
 */
export interface StatusEvent {
  event: 'status';
  data: {
    phase:
      | 'queued'
      | 'waiting_for_engine'
      | 'engine_stalled'
      | 'loading_model'
      | 'evaluating_prompt'
      | 'generating'
      | 'running_tool'
      | 'waiting_for_approval';
    /**
     * `queued`: turns ahead in the line of the session, or that wait longer for a slot or for the engine; told anew when it changes.
     */
    position?: number;
    /**
     * How long the phase will take, where rates were measured.
     */
    estimate_ms?: number;
    /**
     * `generating`: the message that is being written.
     */
    message_id?: string;
    /**
     * `generating`: the model that writes it. `queued`: where the turn has begun, the model that answers others of ours first.
     */
    model?: string;
    /**
     * `generating`: the timestamp of that message.
     */
    timestamp?: string;
    /**
     * In a run of an agent: what the agent does.
     */
    agent_phase?: 'planning' | 'executing' | 'reporting';
    /**
     * In a run of an agent: 0 before the first round.
     */
    round?: number;
    /**
     * In a run of an agent: more there are not.
     */
    max_rounds?: number;
    /**
     * `queued`: the turn ahead waits for an approval.
     */
    waiting_for?: 'approval';
    /**
     * `waiting_for_approval`: all that are undecided, told anew when one of them is decided. At most 32, without arguments and schemas of over 4 kB.
     */
    approvals?: Approval[];
  };
}
/**
 * Before the first token: what was planned, sent and left out.
 */
export interface ContextEvent {
  event: 'context';
  data: ContextReceipt;
}
/**
 * A piece of thinking, only when asked for.
 */
export interface ThinkingDeltaEvent {
  event: 'thinking_delta';
  data: {
    content: string;
  };
}
/**
 * A piece of the answer.
 */
export interface ContentDeltaEvent {
  event: 'content_delta';
  data: {
    content: string;
    role: 'assistant';
  };
}
/**
 * A call of the model, with the tool that was meant and the arguments as they run: right before it does, or is answered without.
 */
export interface ToolCallEvent {
  event: 'tool_call';
  data: {
    tool_name: string;
    tool_call_id: string;
    /**
     * Position inside one assistant message, from 0.
     */
    call_index: number;
    /**
     * Of the run; null: nothing ran.
     */
    execution_id: string | null;
    arguments: Record<string, unknown>;
    /**
     * The client runs it: the turn ends with the call open.
     */
    runs_at?: 'client';
  };
}
/**
 * In place of `tool_call`: the turn waits until a person has decided.
 */
export interface ToolCallConfirmationRequiredEvent {
  event: 'tool_call_confirmation_required';
  data: {
    tool_name: string;
    tool_call_id: string;
    /**
     * Position inside one assistant message, from 0.
     */
    call_index: number;
    /**
     * Of the run; null: nothing ran.
     */
    execution_id: string | null;
    confirmation_id: string;
    arguments: Record<string, unknown>;
    kind: 'tool' | 'outcome' | 'question' | 'plan';
    /**
     * Why it is asked.
     */
    rule: string | null;
    digest: string | null;
    /**
     * ISO 8601, UTC, six fraction digits.
     */
    expires_at: string | null;
    agent_name: string | null;
    agent_session_id: string | null;
  };
}
/**
 * How far the tool is, ten times a second at most; not stored.
 */
export interface ToolProgressEvent {
  event: 'tool_progress';
  data: {
    tool_name: string;
    tool_call_id: string;
    /**
     * Position inside one assistant message, from 0.
     */
    call_index: number;
    message: string | null;
    progress: number | null;
    total: number | null;
  };
}
/**
 * What the tool answered, or why it could not.
 */
export interface ToolResultEvent {
  event: 'tool_result';
  data: {
    tool_name: string;
    tool_call_id: string;
    /**
     * Position inside one assistant message, from 0.
     */
    call_index: number;
    /**
     * Of the run; null: nothing ran.
     */
    execution_id: string | null;
    success: boolean;
    result: string;
    error: string | null;
    error_message: string | null;
    /**
     * Where a person has changed them, or no event has told them before.
     */
    arguments?: Record<string, unknown>;
  };
}
/**
 * The results of this round go to the model.
 */
export interface ToolContinuationStartEvent {
  event: 'tool_continuation_start';
  data: {
    tool_count: number;
    message: string;
  };
}
/**
 * An agent begins to work.
 */
export interface AgentStartEvent {
  event: 'agent_start';
  data: {
    agent_name: string;
    /**
     * The agent chat.
     */
    session_id: string;
    /**
     * The run.
     */
    turn_id: string;
    /**
     * The call that started it; null: a client did.
     */
    agent_call_id: string | null;
    /**
     * Position of that call in its message, from 0.
     */
    agent_call_index: number | null;
    instruction: string;
    /**
     * The model that it works with.
     */
    model: string;
    /**
     * It goes on in an agent chat that was there.
     */
    continued: boolean;
  };
}
/**
 * On each change of what an agent does.
 */
export interface AgentStatusEvent {
  event: 'agent_status';
  data: {
    agent_name: string;
    /**
     * The agent chat.
     */
    session_id: string;
    /**
     * The run.
     */
    turn_id: string;
    /**
     * The call that started it; null: a client did.
     */
    agent_call_id: string | null;
    /**
     * Position of that call in its message, from 0.
     */
    agent_call_index: number | null;
    phase: 'planning' | 'executing' | 'reporting' | 'waiting_for_approval';
    /**
     * 0: before the first one.
     */
    round: number;
    max_rounds: number;
    /**
     * What its model is doing; null: it waits for a person.
     */
    engine: 'queued' | 'loading_model' | 'evaluating_prompt' | 'generating' | 'running_tool' | null;
    /**
     * How long that will take, where rates were measured.
     */
    estimate_ms?: number;
  };
}
/**
 * A piece of the plan.
 */
export interface AgentPlanningEvent {
  event: 'agent_planning';
  data: {
    agent_name: string;
    /**
     * The agent chat.
     */
    session_id: string;
    /**
     * The run.
     */
    turn_id: string;
    /**
     * The call that started it; null: a client did.
     */
    agent_call_id: string | null;
    /**
     * Position of that call in its message, from 0.
     */
    agent_call_index: number | null;
    /**
     * A piece; those of one message make up its text.
     */
    content: string;
    /**
     * In the agent chat.
     */
    message_id: string;
    round: number;
  };
}
/**
 * A piece of what the agent says while it works, and of its report.
 */
export interface AgentExecutionEvent {
  event: 'agent_execution';
  data: {
    agent_name: string;
    /**
     * The agent chat.
     */
    session_id: string;
    /**
     * The run.
     */
    turn_id: string;
    /**
     * The call that started it; null: a client did.
     */
    agent_call_id: string | null;
    /**
     * Position of that call in its message, from 0.
     */
    agent_call_index: number | null;
    /**
     * A piece; those of one message make up its text.
     */
    content: string;
    /**
     * In the agent chat.
     */
    message_id: string;
    round: number;
  };
}
/**
 * A call of the agent.
 */
export interface AgentToolCallEvent {
  event: 'agent_tool_call';
  data: {
    agent_name: string;
    /**
     * The agent chat.
     */
    session_id: string;
    /**
     * The run.
     */
    turn_id: string;
    /**
     * The call that started it; null: a client did.
     */
    agent_call_id: string | null;
    /**
     * Position of that call in its message, from 0.
     */
    agent_call_index: number | null;
    tool_name: string;
    tool_call_id: string;
    /**
     * Position inside one message of the agent's, from 0.
     */
    call_index: number;
    /**
     * Of the run of the tool; null: nothing ran.
     */
    execution_id: string | null;
    arguments: Record<string, unknown>;
  };
}
/**
 * What the tool answered, or why it could not.
 */
export interface AgentToolResultEvent {
  event: 'agent_tool_result';
  data: {
    agent_name: string;
    /**
     * The agent chat.
     */
    session_id: string;
    /**
     * The run.
     */
    turn_id: string;
    /**
     * The call that started it; null: a client did.
     */
    agent_call_id: string | null;
    /**
     * Position of that call in its message, from 0.
     */
    agent_call_index: number | null;
    tool_name: string;
    tool_call_id: string;
    /**
     * Position inside one message of the agent's, from 0.
     */
    call_index: number;
    /**
     * Of the run of the tool; null: nothing ran.
     */
    execution_id: string | null;
    success: boolean;
    result: string;
    error: string | null;
    error_message: string | null;
    /**
     * Where a person has changed them, or no event has told them before.
     */
    arguments?: Record<string, unknown>;
  };
}
/**
 * The agent has ended; its chat has everything.
 */
export interface AgentCompleteEvent {
  event: 'agent_complete';
  data: {
    agent_name: string;
    /**
     * The agent chat.
     */
    session_id: string;
    /**
     * The run.
     */
    turn_id: string;
    /**
     * The call that started it; null: a client did.
     */
    agent_call_id: string | null;
    /**
     * Position of that call in its message, from 0.
     */
    agent_call_index: number | null;
    /**
     * What the model that called it reads.
     */
    output: string;
    success: boolean;
    reason:
      'completed' | 'max_iterations' | 'timeout' | 'token_limit' | 'plan_denied' | 'cancelled' | 'failed';
    rounds: number;
    usage: TurnUsage | null;
  };
}
/**
 * Success: the whole final message, stored.
 */
export interface MessageCompleteEvent {
  event: 'message_complete';
  data: {
    message_id: string;
    model: string | null;
    eval_count: number | null;
    prompt_eval_count: number | null;
    /**
     * `stop`: the model ended it. `length`: it was cut, by `num_predict` or at the end of the window. `tool_calls`: it asked for tools. Null: not known, or not ended.
     */
    finish_reason: 'stop' | 'length' | 'tool_calls' | null;
    context_window: ContextWindowInfo;
    message: AnswerMessage;
    context: ContextReceipt;
    /**
     * Of all model calls of the turn; null: not known.
     */
    usage?: TurnUsage | null;
  };
}
/**
 * In place of events that are gone from the buffer: the state up to and including its own id.
 */
export interface SnapshotEvent {
  event: 'snapshot';
  data: TurnSnapshot;
}
export interface TurnSnapshot {
  turn: Turn;
  message: SnapshotMessage | null;
  tool_calls: SnapshotToolCall[];
  /**
   * What a person has to decide, and has not.
   */
  approvals: Approval[];
}
/**
 * The turn failed; what was said until then is kept.
 */
export interface ErrorEvent {
  event: 'error';
  data: {
    code: string;
    message: string;
    details: Record<string, unknown>;
  };
}
/**
 * Always last, exactly once, also after `error`.
 */
export interface DoneEvent {
  event: 'done';
  data: {
    session_id: string;
    turn_id: string;
    state: 'queued' | 'running' | 'waiting' | 'completed' | 'failed' | 'cancelled' | 'interrupted';
  };
}
export interface TurnLine {
  type: 'turn';
  turn_id: string;
  state: 'queued' | 'running' | 'waiting' | 'completed' | 'failed' | 'cancelled' | 'interrupted';
  created_at: string;
  /**
   * Default: `null`.
   */
  finished_at?: string | null;
  /**
   * The user message of a turn that has not begun. Default: `null`.
   */
  request?: {
    messageId: string;
    content: string;
    timestamp: string;
    images: string[];
    /**
     * The message whose sibling it is to be.
     */
    replaces?: string;
    /**
     * What a client of another API has of the conversation.
     */
    placed?: Record<string, unknown>;
  } | null;
  /**
   * Default: `null`.
   */
  user_message_id?: string | null;
  /**
   * Default: `null`.
   */
  message_id?: string | null;
  /**
   * Default: `null`.
   */
  error?: ErrorObject | null;
  /**
   * Default: `null`.
   */
  usage?: {
    [k: string]: unknown;
  } | null;
  /**
   * Default: `null`.
   */
  context?: {
    [k: string]: unknown;
  } | null;
  /**
   * Default: `0`.
   */
  last_event_id?: number;
  /**
   * Default: `null`.
   */
  idempotency_key?: string | null;
  /**
   * Default: `null`.
   */
  idempotency_hash?: string | null;
  /**
   * Default: `false`.
   */
  is_structured?: boolean;
  /**
   * Default: `null`.
   */
  settings?: {
    [k: string]: unknown;
  } | null;
  /**
   * Default: `null`.
   */
  on_disconnect?: 'cancel' | 'continue' | null;
  /**
   * Default: `null`.
   */
  agent_name?: string | null;
  /**
   * Of a run of an agent: how far it has come. Default: `null`.
   */
  phase?: 'planning' | 'gate' | 'executing' | 'reporting' | null;
  /**
   * Default: `null`.
   */
  round?: number | null;
  /**
   * Default: `null`.
   */
  active_ms?: number | null;
  /**
   * Default: `null`.
   */
  tokens?: number | null;
  /**
   * The turn whose call of `agent` started the run, and that call. Default: `null`.
   */
  parent_turn_id?: string | null;
  /**
   * Default: `null`.
   */
  parent_session_id?: string | null;
  /**
   * Default: `null`.
   */
  parent_message_id?: string | null;
  /**
   * Default: `null`.
   */
  parent_call_index?: number | null;
}
export interface WaitingAnswer {
  session_id: string;
  turn_id: string;
  state: 'waiting';
  approvals: Approval[];
}
export interface WrittenSummary {
  /**
   * Two to five sentences.
   */
  summary: string;
  /**
   * What it is about, in a word or a few each.
   */
  topics: string[];
  model_used: string;
}
export interface GetHealthAnswer {
  status: 'ok';
  version: string;
  ollama_connected: boolean;
  ollama_host: string;
  engine: {
    name: string;
    reachable: boolean;
    version: string | null;
  };
}
export interface ListModelsAnswer {
  models: Model[];
}
export interface ListLoadedModelsAnswer {
  models: {
    name: string;
    /**
     * Tokens; null while it is being loaded.
     */
    window: number | null;
    /**
     * How long it stays when nobody uses it; null when the engine does not say.
     */
    expires_in_seconds: number | null;
  }[];
}
export interface ListSessionsAnswer {
  sessions: SessionListItem[];
  next_cursor: string | null;
  /**
   * Only with `q`. More was found than is listed: only the sessions of the newest 5000 hits are.
   */
  truncated?: boolean;
}
export interface ListMessagesAnswer {
  /**
   * Position of the first message that is listed.
   */
  from: number;
  /**
   * Messages of the whole path.
   */
  total: number;
  messages: Message[];
  next_cursor: string | null;
}
export interface GetTreeAnswer {
  session_id: string;
  head: string | null;
  messages: TreeMessage[];
  next_cursor: string | null;
}
export interface ListPromptsAnswer {
  prompts: PromptListItem[];
}
export interface IssueStreamTokenAnswer {
  token: string;
  expires_in_seconds: number;
}
export interface ListTurnsAnswer {
  turns: DescribedTurn[];
  next_cursor: string | null;
}
/** Of every error that the server tells. */
export type ErrorCode =
  | 'bad_request'
  | 'context_overflow'
  | 'cursor_expired'
  | 'empty_history'
  | 'images_not_supported'
  | 'tool_confirmation_requires_streaming'
  | 'tool_call_not_found'
  | 'tools_not_supported'
  | 'unsupported_parameter'
  | 'image_url_not_supported'
  | 'invalid_content'
  | 'invalid_cursor'
  | 'invalid_filename'
  | 'invalid_message_index'
  | 'not_supported'
  | 'model_not_found'
  | 'no_summary_model'
  | 'no_system_prompt'
  | 'unauthorized'
  | 'host_not_allowed'
  | 'tool_execution_denied'
  | 'confirmation_not_found'
  | 'grant_not_found'
  | 'execution_not_found'
  | 'mcp_server_not_found'
  | 'image_not_found'
  | 'message_not_found'
  | 'no_active_turn'
  | 'agent_not_found'
  | 'not_found'
  | 'prompt_not_found'
  | 'session_not_found'
  | 'tool_not_found'
  | 'turn_not_found'
  | 'method_not_allowed'
  | 'request_timeout'
  | 'approval_changed'
  | 'approval_decided'
  | 'prompt_exists'
  | 'session_busy'
  | 'turn_cancelled'
  | 'approval_expired'
  | 'payload_too_large'
  | 'unsupported_media_type'
  | 'decision_not_allowed'
  | 'agent_invalid'
  | 'idempotency_mismatch'
  | 'validation_error'
  | 'headers_too_large'
  | 'internal_error'
  | 'session_load_error'
  | 'session_save_error'
  | 'engine_failed'
  | 'incomplete_response'
  | 'invalid_structured_output'
  | 'model_pull_failed'
  | 'ollama_error'
  | 'ollama_unreachable'
  | 'tool_calls_unusable'
  | 'tool_loop_limit'
  | 'storage_lost'
  | 'database_busy'
  | 'engine_busy'
  | 'engine_not_ready'
  | 'insufficient_memory'
  | 'not_accepting'
  | 'overloaded'
  | 'turn_interrupted'
  | 'engine_timeout';

export const TURN_EVENT_NAMES = [
  'turn_start',
  'status',
  'context',
  'thinking_delta',
  'content_delta',
  'tool_call',
  'tool_call_confirmation_required',
  'tool_progress',
  'tool_result',
  'tool_continuation_start',
  'agent_start',
  'agent_status',
  'agent_planning',
  'agent_execution',
  'agent_tool_call',
  'agent_tool_result',
  'agent_complete',
  'message_complete',
  'snapshot',
  'error',
  'done',
] as const;

export const SERVER_EVENT_NAMES = [
  'hello',
  'reset',
  'session',
  'turn',
  'approval',
  'pull',
] as const;
