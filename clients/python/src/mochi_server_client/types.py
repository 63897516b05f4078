"""What goes over the wire. Made of ``openapi.json`` by ``make_types.py``: change that."""

from __future__ import annotations

import sys
from typing import Any, Literal, TypeAlias

if sys.version_info >= (3, 11):
    from typing import NotRequired, TypedDict
else:
    from typing_extensions import NotRequired, TypedDict


class PullModel1(TypedDict):
    model: str
    name: NotRequired[str]
    on_disconnect: NotRequired[Literal['cancel', 'continue']]


class PullModel2(TypedDict):
    model: NotRequired[str]
    name: str
    on_disconnect: NotRequired[Literal['cancel', 'continue']]


PullModel: TypeAlias = PullModel1 | PullModel2


class PullState(TypedDict):
    name: str
    completed: int | None
    total: int | None
    state: Literal['running', 'completed', 'failed', 'cancelled']


class Data(TypedDict):
    version: str


class ServerHelloEvent(TypedDict):
    id: int
    event: Literal['hello']
    data: Data


class ServerResetEvent(TypedDict):
    id: int
    event: Literal['reset']
    data: dict[str, Any]


class Data1(TypedDict):
    session_id: str
    title: str | None
    updated_at: str | None
    message_count: int
    active_turn: str | None
    deleted: bool


class ServerSessionEvent(TypedDict):
    id: int
    event: Literal['session']
    data: Data1


class Data2(TypedDict):
    turn_id: str
    session_id: str
    state: Literal[
        'queued',
        'running',
        'waiting',
        'completed',
        'failed',
        'cancelled',
        'interrupted',
    ]


class ServerTurnEvent(TypedDict):
    id: int
    event: Literal['turn']
    data: Data2


class ServerPullEvent(TypedDict):
    id: int
    event: Literal['pull']
    data: PullState


class Data3(TypedDict):
    status: str
    completed: int | None
    total: int | None


class PullProgressEvent(TypedDict):
    event: Literal['progress']
    data: Data3


class Data4(TypedDict):
    name: str


class PullDoneEvent(TypedDict):
    event: Literal['done']
    data: Data4


class AgentRun(TypedDict):
    turn_id: str
    session_id: str
    state: Literal[
        'queued',
        'running',
        'waiting',
        'completed',
        'failed',
        'cancelled',
        'interrupted',
    ]
    agent_name: str | None
    phase: Literal['planning', 'gate', 'executing', 'reporting'] | None
    round: int | None


class AgentDetail(TypedDict):
    name: str
    description: str | None
    model: str | None
    valid: bool
    error_message: str | None
    tool_count: int
    tools: list[str]
    warnings: list[str]
    metadata: dict[str, str]
    system_prompt: str | None
    license: str | None
    compatibility: str | None
    allowed_tools: list[str]


class AgentInfo(TypedDict):
    name: str
    description: str | None
    model: str | None
    valid: bool
    error_message: str | None
    tool_count: int
    tools: list[str]
    warnings: list[str]
    metadata: dict[str, str]


class AgentList(TypedDict):
    agents: dict[str, AgentInfo]


EnabledAgent: TypeAlias = str


class AgentSettings(TypedDict):
    enabled_agents: list[EnabledAgent]


class AgentSettingsInput(TypedDict):
    enabled_agents: NotRequired[list[EnabledAgent]]


class Problem(TypedDict):
    source: str
    message: str


class AgentsReloaded(TypedDict):
    success: bool
    agents_count: int
    message: str
    problems: list[Problem]


class Function(TypedDict):
    name: str
    arguments: dict[str, Any]


class AnswerToolCall(TypedDict):
    function: Function
    id: NotRequired[str]
    runs_at: NotRequired[Literal['server', 'client']]


class Previous(TypedDict):
    attempt: int
    started_at: str


class ApprovalQuestion(TypedDict):
    message: str
    schema: dict[str, Any]
    server: str


Image: TypeAlias = str


class ClientTool(TypedDict):
    name: str
    description: NotRequired[str]
    parameters: NotRequired[dict[str, Any]]


class ClientToolResult(TypedDict):
    tool_call_id: str
    content: str
    is_error: NotRequired[bool]


class ConfirmToolInput(TypedDict):
    confirmation_id: str
    approved: bool


class Model(TypedDict):
    name: str
    digest: str | None


ModelChanged = TypedDict(
    'ModelChanged',
    {
        'from': str,
        'to': str,
    },
)


class ContextReceipt(TypedDict):
    window: int | None
    window_reason: Literal[
        'initial_setup',
        'usage_threshold',
        'model_change',
        'no_adjustment',
        'manual_override',
        'load_failed',
    ]
    planned_tokens: int
    prompt_tokens: int | None
    output_tokens: int | None
    answer_limit: int | None
    num_predict_clamped: bool
    messages_sent: int
    messages_left_out: int
    summary_used: bool
    loaded_window: int | None
    reload_expected: bool
    prefix_reused: int
    cache_break: (
        Literal[
            'system_prompt', 'tools', 'edit', 'model', 'options', 'left_out', 'reload'
        ]
        | None
    )
    suspected_truncation: bool
    model: NotRequired[Model]
    engine_restarted: NotRequired[bool]
    model_changed: NotRequired[ModelChanged]
    tools_offered: NotRequired[list[str]]
    tools_missing: NotRequired[list[str]]
    tools_tokens: NotRequired[int]


class AdjustmentHistoryItem(TypedDict):
    reason: str
    window: int
    usage_tokens: int
    timestamp: str | None


class ContextWindowConfig(TypedDict):
    dynamic_enabled: bool
    current_window: int
    last_adjustment: Literal[
        'initial_setup',
        'usage_threshold',
        'model_change',
        'no_adjustment',
        'manual_override',
        'load_failed',
    ]
    adjustment_history: list[AdjustmentHistoryItem]
    manual_override: bool


class ContextWindowInfo(TypedDict):
    current_window: int
    usage_tokens: int
    reason: Literal[
        'initial_setup',
        'usage_threshold',
        'model_change',
        'no_adjustment',
        'manual_override',
        'load_failed',
    ]


class ContextWindowInput(TypedDict):
    dynamic_enabled: NotRequired[bool]
    current_window: NotRequired[int]
    manual_override: NotRequired[bool]


class CreatePrompt(TypedDict):
    filename: str
    content: str


class DecideInput(TypedDict):
    decision: Literal['approve', 'edit', 'respond', 'retry', 'deny']
    arguments: NotRequired[dict[str, Any]]
    content: NotRequired[dict[str, Any] | list[Any] | str | float | bool | None]
    reason: NotRequired[str]
    scope: NotRequired[Literal['once', 'session', 'always']]
    match: NotRequired[Literal['tool', 'arguments']]
    digest: NotRequired[str]
    decided_by: NotRequired[str]


class Decision1(TypedDict):
    confirmation_id: str
    decision: Literal['approve', 'edit', 'respond', 'retry', 'deny']
    arguments: NotRequired[dict[str, Any]]
    content: NotRequired[dict[str, Any] | list[Any] | str | float | bool | None]
    reason: NotRequired[str]
    scope: NotRequired[Literal['once', 'session', 'always']]
    match: NotRequired[Literal['tool', 'arguments']]
    digest: NotRequired[str]
    decided_by: NotRequired[str]


class DecideManyInput(TypedDict):
    decisions: list[Decision1]


class Decision(TypedDict):
    decision: Literal['approve', 'edit', 'respond', 'retry', 'deny']
    arguments: dict[str, Any] | None
    content: dict[str, Any] | list[Any] | str | float | bool | None
    reason: str | None
    scope: Literal['once', 'session', 'always']
    match: Literal['tool', 'arguments']
    digest: str | None
    grant_id: str | None
    decided_by: str | None
    request_id: str | None


class EditMessageInput(TypedDict):
    content: str


StopItem: TypeAlias = str


class EngineOptions(TypedDict):
    temperature: NotRequired[float]
    top_p: NotRequired[float]
    top_k: NotRequired[int]
    min_p: NotRequired[float]
    typical_p: NotRequired[float]
    seed: NotRequired[int]
    num_predict: NotRequired[int]
    stop: NotRequired[str | list[StopItem]]
    repeat_last_n: NotRequired[int]
    repeat_penalty: NotRequired[float]
    presence_penalty: NotRequired[float]
    frequency_penalty: NotRequired[float]
    num_ctx: NotRequired[int]
    num_keep: NotRequired[int]
    num_batch: NotRequired[int]
    num_gpu: NotRequired[int]
    main_gpu: NotRequired[int]
    num_thread: NotRequired[int]
    draft_num_predict: NotRequired[int]
    use_mmap: NotRequired[bool]


class ErrorObject(TypedDict):
    code: str
    message: str
    details: dict[str, Any]


class ExecutedToolCall(TypedDict):
    name: str
    arguments: dict[str, Any]
    success: bool


class Source(TypedDict):
    kind: Literal['python', 'native', 'mcp', 'builtin', 'agent']
    group: str


class Execution(TypedDict):
    execution_id: str
    session_id: str | None
    turn_id: str | None
    message_id: str | None
    call_index: int | None
    tool_call_id: str | None
    tool_name: str
    source: Source
    state: Literal['running', 'succeeded', 'failed', 'unknown', 'asked']
    attempt: int
    origin: Literal['text'] | None
    arguments: dict[str, Any]
    repairs: list[str]
    success: bool | None
    error: str | None
    truncated: bool
    result_bytes: int | None
    duration_ms: int | None
    started_at: str
    finished_at: str | None


class Source1(TypedDict):
    kind: str
    group: str


class ExecutionLine(TypedDict):
    type: Literal['execution']
    execution_id: str
    message_id: str
    call_index: int
    attempt: int
    tool_name: str
    source: Source1
    arguments: dict[str, Any]
    digest: str
    fingerprint: str
    read_only: NotRequired[bool]
    state: Literal['running', 'succeeded', 'failed', 'unknown', 'asked']
    started_at: str
    finished_at: NotRequired[str | None]
    duration_ms: NotRequired[int | None]
    error: NotRequired[str | None]
    repairs: NotRequired[list[str]]
    truncated: NotRequired[bool]
    is_retried: NotRequired[bool]
    result_bytes: NotRequired[int | None]
    output: NotRequired[str | None]
    log: NotRequired[str | None]


class ExecutionPage(TypedDict):
    executions: list[Execution]
    next_cursor: str | None


class Source2(TypedDict):
    kind: Literal['python', 'native', 'mcp', 'builtin', 'agent']
    group: str


class ExecutionWithLog(TypedDict):
    execution_id: str
    session_id: str | None
    turn_id: str | None
    message_id: str | None
    call_index: int | None
    tool_call_id: str | None
    tool_name: str
    source: Source2
    state: Literal['running', 'succeeded', 'failed', 'unknown', 'asked']
    attempt: int
    origin: Literal['text'] | None
    arguments: dict[str, Any]
    repairs: list[str]
    success: bool | None
    error: str | None
    truncated: bool
    result_bytes: int | None
    duration_ms: int | None
    started_at: str
    finished_at: str | None
    log: str | None


class ForkInput(TypedDict):
    message_id: NotRequired[str | None]


class Grant(TypedDict):
    grant_id: str
    scope: Literal['session', 'always']
    session_id: str | None
    tool_name: str
    match: Literal['tool', 'arguments']
    arguments: dict[str, Any] | None
    created_at: str
    confirmation_id: str
    valid: bool


class GrantList(TypedDict):
    grants: list[Grant]


class HeadInput(TypedDict):
    message_id: str
    descend: NotRequired[bool]


class ImportedItem(TypedDict):
    session_id: str
    source_id: str


class SkippedItem(TypedDict):
    source_id: str | None
    reason: str


class ImportAnswer(TypedDict):
    imported: list[ImportedItem]
    skipped: list[SkippedItem]


class LatestSummary(TypedDict):
    summary: str | None
    topics: list[str]
    model_used: NotRequired[str | None]


class Message(TypedDict):
    role: Literal['system', 'user', 'assistant', 'tool']
    content: str
    thinking: str | None
    message_id: str
    timestamp: str
    model: str | None
    eval_count: int | None
    prompt_eval_count: int | None
    finish_reason: Literal['stop', 'length', 'tool_calls'] | None
    tool_calls: list[AnswerToolCall] | None
    source_file: str | None
    tool_name: str | None
    parent_id: str | None
    turn_id: str | None
    status: Literal['complete', 'partial', 'streaming']
    sibling_count: int
    sibling_index: int
    images: NotRequired[list[str]]
    image_count: NotRequired[int]


class Call(TypedDict):
    call_id: str
    name: str
    arguments: dict[str, Any] | str
    tool: NotRequired[str | None]
    ran_arguments: NotRequired[dict[str, Any] | None]
    origin: NotRequired[Literal['text'] | None]
    state: Literal['pending', 'running', 'done', 'unknown', 'open']
    result_message_id: str | None
    success: bool | None
    digest: NotRequired[str | None]
    verdict: NotRequired[Literal['run', 'ask', 'refuse', 'client'] | None]
    rule: NotRequired[str | None]
    repairs: NotRequired[list[str] | None]
    mcp_state: NotRequired[str | None]


class Model1(TypedDict):
    name: str
    size_mb: float
    format: str
    family: str
    parameter_size: str
    quantization_level: str
    capabilities: list[str]
    context_length: int


class Metadata(TypedDict):
    session_id: NotRequired[str]
    model: str


class OriginalSessionFile(TypedDict):
    metadata: Metadata
    messages: NotRequired[list[dict[str, Any]]]


class Prompt(TypedDict):
    filename: str
    content: str


class PromptInput(TypedDict):
    content: str


class PromptListItem(TypedDict):
    filename: str
    preview: str
    word_count: int


class RunToolInput(TypedDict):
    arguments: NotRequired[dict[str, Any] | str]


Highlight: TypeAlias = int


class SearchResult(TypedDict):
    session_id: str
    title: str | None
    message_id: str | None
    role: Literal['system', 'user', 'assistant', 'tool'] | None
    snippet: str
    highlights: list[list[Highlight]]
    active: bool
    rank: float
    timestamp: str
    kind: NotRequired[Literal['chat', 'agent']]


class SessionHead(TypedDict):
    session_id: str
    head: str | None
    message_count: int


class ContextWindow(TypedDict):
    dynamic_enabled: bool
    current_window: int
    model_max_context: int | None
    last_adjustment_reason: Literal[
        'initial_setup',
        'usage_threshold',
        'model_change',
        'no_adjustment',
        'manual_override',
        'load_failed',
    ]
    manual_override: bool


class SessionSummary(TypedDict):
    summary: str
    topics: list[str]


class Sibling(TypedDict):
    message_id: str
    role: Literal['system', 'user', 'assistant', 'tool']
    preview: str
    timestamp: str
    model: str | None
    status: Literal['complete', 'partial', 'streaming']


class SnapshotMessage(TypedDict):
    role: Literal['assistant']
    content: str
    model: str | None
    message_id: str
    timestamp: str
    eval_count: int | None
    prompt_eval_count: int | None
    finish_reason: Literal['stop', 'length', 'tool_calls'] | None
    tool_calls: list[AnswerToolCall] | None
    thinking: str | None
    parsed: NotRequired[Any]
    status: Literal['complete', 'partial', 'streaming']


class SnapshotToolCall(TypedDict):
    tool_name: str
    tool_call_id: str
    call_index: int
    arguments: dict[str, Any]
    success: bool | None
    result: str | None
    runs_at: NotRequired[Literal['client']]


class ToolCall(TypedDict):
    function: Function


class SummarizeInput(TypedDict):
    model: NotRequired[str | None]


class SystemPromptAnswer(TypedDict):
    content: str
    source_file: str | None
    message_index: Literal[0]


class SystemPromptInput1(TypedDict):
    content: str | None
    source_file: NotRequired[str | None]


class SystemPromptInput2(TypedDict):
    content: NotRequired[str | None]
    source_file: str | None


SystemPromptInput: TypeAlias = SystemPromptInput1 | SystemPromptInput2


class ToolCounts(TypedDict):
    total_executions: int
    successful: int
    failed: int
    average_time: float


class ToolConfirmed(TypedDict):
    success: bool
    tool_name: str
    message: str


class ToolInfo(TypedDict):
    name: str
    description: str
    parameters: dict[str, Any]
    input_schema: dict[str, Any]
    source: Source2
    read_only: bool
    fingerprint: str
    available: bool
    problem: str | None


class ToolList(TypedDict):
    tools: dict[str, ToolInfo]


class ToolRun(TypedDict):
    execution_id: str
    tool_name: str
    success: bool
    result: str
    error: str | None
    duration_ms: int
    repairs: list[str]
    truncated: bool


Tool: TypeAlias = str


class ToolSettings(TypedDict):
    tools: list[Tool]
    execution_policy: Literal['always_confirm', 'never_confirm']
    tool_policies: dict[str, Literal['always_confirm', 'never_confirm']]


class ToolSettingsInput(TypedDict):
    tools: NotRequired[list[Tool]]
    execution_policy: NotRequired[Literal['always_confirm', 'never_confirm']]
    tool_policies: NotRequired[dict[str, Literal['always_confirm', 'never_confirm']]]


class ToolStats(TypedDict):
    total_executions: int
    successful: int
    failed: int
    average_time: float
    by_tool: dict[str, ToolCounts]


class McpServer(TypedDict):
    name: str
    transport: Literal['stdio', 'http', 'sse']
    target: str
    state: Literal['starting', 'ready', 'failed', 'disabled', 'needs_auth']
    era: str | None
    version: str | None
    tools: list[str]
    error: str | None
    stderr_tail: str
    restarts: int
    instructions: str | None


class McpServerList(TypedDict):
    servers: list[McpServer]


class ToolsReloaded(TypedDict):
    success: bool
    tools_count: int
    message: str
    problems: list[Problem]


class TreeMessage(TypedDict):
    role: Literal['system', 'user', 'assistant', 'tool']
    content: str
    thinking: str | None
    message_id: str
    timestamp: str
    model: str | None
    eval_count: int | None
    prompt_eval_count: int | None
    finish_reason: Literal['stop', 'length', 'tool_calls'] | None
    tool_calls: list[AnswerToolCall] | None
    source_file: str | None
    tool_name: str | None
    parent_id: str | None
    turn_id: str | None
    status: Literal['complete', 'partial', 'streaming']
    sibling_count: int
    sibling_index: int
    images: NotRequired[list[str]]
    image_count: NotRequired[int]
    active: bool


class Data5(TypedDict):
    turn_id: str
    session_id: str
    user_message_id: str | None


class TurnStartEvent(TypedDict):
    id: int
    event: Literal['turn_start']
    data: Data5


class ContextEvent(TypedDict):
    id: int
    event: Literal['context']
    data: ContextReceipt


class Data7(TypedDict):
    content: str


class ThinkingDeltaEvent(TypedDict):
    id: int
    event: Literal['thinking_delta']
    data: Data7


class Data8(TypedDict):
    content: str
    role: Literal['assistant']


class ContentDeltaEvent(TypedDict):
    id: int
    event: Literal['content_delta']
    data: Data8


class Data9(TypedDict):
    tool_name: str
    tool_call_id: str
    call_index: int
    execution_id: str | None
    arguments: dict[str, Any]
    runs_at: NotRequired[Literal['client']]


class ToolCallEvent(TypedDict):
    id: int
    event: Literal['tool_call']
    data: Data9


class Data10(TypedDict):
    tool_name: str
    tool_call_id: str
    call_index: int
    execution_id: str | None
    confirmation_id: str
    arguments: dict[str, Any]
    kind: Literal['tool', 'outcome', 'question', 'plan']
    rule: str | None
    digest: str | None
    expires_at: str | None
    agent_name: str | None
    agent_session_id: str | None


class ToolCallConfirmationRequiredEvent(TypedDict):
    id: int
    event: Literal['tool_call_confirmation_required']
    data: Data10


class Data11(TypedDict):
    tool_name: str
    tool_call_id: str
    call_index: int
    message: str | None
    progress: float | None
    total: float | None


class ToolProgressEvent(TypedDict):
    id: int
    event: Literal['tool_progress']
    data: Data11


class Data12(TypedDict):
    tool_name: str
    tool_call_id: str
    call_index: int
    execution_id: str | None
    success: bool
    result: str
    error: str | None
    error_message: str | None
    arguments: NotRequired[dict[str, Any]]


class ToolResultEvent(TypedDict):
    id: int
    event: Literal['tool_result']
    data: Data12


class Data13(TypedDict):
    tool_count: int
    message: str


class ToolContinuationStartEvent(TypedDict):
    id: int
    event: Literal['tool_continuation_start']
    data: Data13


class Data14(TypedDict):
    agent_name: str
    session_id: str
    turn_id: str
    agent_call_id: str | None
    agent_call_index: int | None
    instruction: str
    model: str
    continued: bool


class AgentStartEvent(TypedDict):
    id: int
    event: Literal['agent_start']
    data: Data14


class Data15(TypedDict):
    agent_name: str
    session_id: str
    turn_id: str
    agent_call_id: str | None
    agent_call_index: int | None
    phase: Literal['planning', 'executing', 'reporting', 'waiting_for_approval']
    round: int
    max_rounds: int
    engine: (
        Literal[
            'queued', 'loading_model', 'evaluating_prompt', 'generating', 'running_tool'
        ]
        | None
    )
    estimate_ms: NotRequired[int]


class AgentStatusEvent(TypedDict):
    id: int
    event: Literal['agent_status']
    data: Data15


class Data16(TypedDict):
    agent_name: str
    session_id: str
    turn_id: str
    agent_call_id: str | None
    agent_call_index: int | None
    content: str
    message_id: str
    round: int


class AgentPlanningEvent(TypedDict):
    id: int
    event: Literal['agent_planning']
    data: Data16


class AgentExecutionEvent(TypedDict):
    id: int
    event: Literal['agent_execution']
    data: Data16


class Data18(TypedDict):
    agent_name: str
    session_id: str
    turn_id: str
    agent_call_id: str | None
    agent_call_index: int | None
    tool_name: str
    tool_call_id: str
    call_index: int
    execution_id: str | None
    arguments: dict[str, Any]


class AgentToolCallEvent(TypedDict):
    id: int
    event: Literal['agent_tool_call']
    data: Data18


class Data19(TypedDict):
    agent_name: str
    session_id: str
    turn_id: str
    agent_call_id: str | None
    agent_call_index: int | None
    tool_name: str
    tool_call_id: str
    call_index: int
    execution_id: str | None
    success: bool
    result: str
    error: str | None
    error_message: str | None
    arguments: NotRequired[dict[str, Any]]


class AgentToolResultEvent(TypedDict):
    id: int
    event: Literal['agent_tool_result']
    data: Data19


class Data22(TypedDict):
    code: str
    message: str
    details: dict[str, Any]


class ErrorEvent(TypedDict):
    id: int
    event: Literal['error']
    data: Data22


class Data23(TypedDict):
    session_id: str
    turn_id: str
    state: Literal[
        'queued',
        'running',
        'waiting',
        'completed',
        'failed',
        'cancelled',
        'interrupted',
    ]


class DoneEvent(TypedDict):
    id: int
    event: Literal['done']
    data: Data23


class Request(TypedDict):
    messageId: str
    content: str
    timestamp: str
    images: list[str]
    replaces: NotRequired[str]
    placed: NotRequired[dict[str, Any]]


class TurnLine(TypedDict):
    type: Literal['turn']
    turn_id: str
    state: Literal[
        'queued',
        'running',
        'waiting',
        'completed',
        'failed',
        'cancelled',
        'interrupted',
    ]
    created_at: str
    finished_at: NotRequired[str | None]
    request: NotRequired[Request | None]
    user_message_id: NotRequired[str | None]
    message_id: NotRequired[str | None]
    error: NotRequired[ErrorObject | None]
    usage: NotRequired[dict[str, Any] | None]
    context: NotRequired[dict[str, Any] | None]
    last_event_id: NotRequired[int]
    idempotency_key: NotRequired[str | None]
    idempotency_hash: NotRequired[str | None]
    is_structured: NotRequired[bool]
    settings: NotRequired[dict[str, Any] | None]
    on_disconnect: NotRequired[Literal['cancel', 'continue'] | None]
    agent_name: NotRequired[str | None]
    phase: NotRequired[Literal['planning', 'gate', 'executing', 'reporting'] | None]
    round: NotRequired[int | None]
    active_ms: NotRequired[int | None]
    tokens: NotRequired[int | None]
    parent_turn_id: NotRequired[str | None]
    parent_session_id: NotRequired[str | None]
    parent_message_id: NotRequired[str | None]
    parent_call_index: NotRequired[int | None]


class TurnUsage(TypedDict):
    prompt_tokens: int | None
    output_tokens: int | None
    total_tokens: int | None
    load_ms: int | None
    prompt_eval_ms: int | None
    eval_ms: int | None


class WrittenSummary(TypedDict):
    summary: str
    topics: list[str]
    model_used: str


class Engine(TypedDict):
    name: str
    reachable: bool
    version: str | None


class GetHealthAnswer(TypedDict):
    status: Literal['ok']
    version: str
    ollama_connected: bool
    ollama_host: str
    engine: Engine


class IsLiveAnswer(TypedDict):
    status: Literal['ok']


class IsReadyAnswer(TypedDict):
    status: Literal['ok']


class ListModelsAnswer(TypedDict):
    models: list[Model1]


class Model2(TypedDict):
    name: str
    window: int | None
    expires_in_seconds: int | None


class ListLoadedModelsAnswer(TypedDict):
    models: list[Model2]


ListMessagesAnswer = TypedDict(
    'ListMessagesAnswer',
    {
        'from': int,
        'total': int,
        'messages': list[Message],
        'next_cursor': str | None,
    },
)


class GetTreeAnswer(TypedDict):
    session_id: str
    head: str | None
    messages: list[TreeMessage]
    next_cursor: str | None


ListSiblingsAnswer: TypeAlias = list[Sibling]


class ListPromptsAnswer(TypedDict):
    prompts: list[PromptListItem]


class IssueStreamTokenAnswer(TypedDict):
    token: str
    expires_in_seconds: int


class StopUiChatAnswer(TypedDict):
    success: bool


class ReadUiChatAnswer(TypedDict):
    id: str
    session_id: str
    active_turn: str | None
    messages: list[dict[str, Any]]


class ContentItem(TypedDict):
    type: str


class AnthropicMessagesAnswer(TypedDict):
    id: str
    type: Literal['message']
    role: Literal['assistant']
    model: str
    content: list[ContentItem]
    stop_reason: str


class AnthropicCountTokensAnswer(TypedDict):
    input_tokens: int


class CreateResponseAnswer(TypedDict):
    object: Literal['response']
    id: str
    status: str
    output: list[dict[str, Any]]


class CountResponseTokensAnswer(TypedDict):
    object: Literal['response.input_tokens']
    input_tokens: int


class GetResponseAnswer(TypedDict):
    object: Literal['response']
    id: str
    status: str
    output: list[dict[str, Any]]


class DeleteResponseAnswer(TypedDict):
    id: str
    object: str
    deleted: bool


class CancelResponseAnswer(TypedDict):
    object: Literal['response']
    id: str
    status: str
    output: list[dict[str, Any]]


class ListResponseInputAnswer(TypedDict):
    object: Literal['list']
    data: list[dict[str, Any]]
    has_more: bool


class CreateConversationAnswer(TypedDict):
    object: Literal['conversation']
    id: str
    created_at: int
    metadata: dict[str, Any]


class GetConversationAnswer(TypedDict):
    object: Literal['conversation']
    id: str
    created_at: int
    metadata: dict[str, Any]


class UpdateConversationAnswer(TypedDict):
    object: Literal['conversation']
    id: str
    created_at: int
    metadata: dict[str, Any]


class DeleteConversationAnswer(TypedDict):
    id: str
    object: str
    deleted: bool


class ListConversationItemsAnswer(TypedDict):
    object: Literal['list']
    data: list[dict[str, Any]]
    has_more: bool


class AddConversationItemsAnswer(TypedDict):
    object: Literal['list']
    data: list[dict[str, Any]]
    has_more: bool


class GetConversationItemAnswer(TypedDict):
    id: str
    type: str


class DeleteConversationItemAnswer(TypedDict):
    object: Literal['conversation']
    id: str
    created_at: int
    metadata: dict[str, Any]


class Choice(TypedDict):
    index: int
    finish_reason: str


class OpenaiChatAnswer(TypedDict):
    id: str
    object: Literal['chat.completion']
    created: int
    model: str
    choices: list[Choice]


class Datum(TypedDict):
    id: str
    object: Literal['model']
    created: int
    owned_by: str
    context_length: int
    type: Literal['model']
    display_name: str
    created_at: str


class OpenaiListModelsAnswer(TypedDict):
    object: Literal['list']
    data: list[Datum]
    has_more: bool
    first_id: str | None
    last_id: str | None


class OpenaiGetModelAnswer(TypedDict):
    id: str
    object: Literal['model']
    created: int
    owned_by: str
    context_length: int
    type: Literal['model']
    display_name: str
    created_at: str


class Datum1(TypedDict):
    object: Literal['embedding']
    index: int
    embedding: Any


class Usage(TypedDict):
    prompt_tokens: int
    total_tokens: int


class OpenaiEmbedAnswer(TypedDict):
    object: Literal['list']
    data: list[Datum1]
    model: str
    usage: Usage


class OpenaiCompleteAnswer(TypedDict):
    id: str
    object: Literal['text_completion']
    model: str


class OllamaChatAnswer(TypedDict):
    model: str
    created_at: str
    done: bool


class OllamaGenerateAnswer(TypedDict):
    model: str
    created_at: str
    done: bool


class OllamaVersionAnswer(TypedDict):
    pass


class OllamaTagsAnswer(TypedDict):
    pass


class OllamaPsAnswer(TypedDict):
    pass


class OllamaShowAnswer(TypedDict):
    pass


class OllamaPullAnswer(TypedDict):
    pass


class OllamaCopyAnswer(TypedDict):
    pass


class OllamaCreateAnswer(TypedDict):
    pass


class OllamaEmbedAnswer(TypedDict):
    model: str
    embeddings: list[list[float]]


class OllamaEmbeddingsAnswer(TypedDict):
    embedding: list[float]


class PullErrorEvent(TypedDict):
    event: Literal['error']
    data: ErrorObject


class AgentChat(TypedDict):
    session_id: str
    model: str
    created_at: str
    updated_at: str
    message_count: int
    title: str | None
    metadata: dict[str, Any]
    tool_settings: ToolSettings
    agent_settings: AgentSettings
    context_window: ContextWindowConfig
    summary_model: str | None
    active_turn: str | None
    agent_name: str | None
    parent_session_id: str | None
    parent_turn_id: str | None
    messages: list[Message]


class AgentChatItem(TypedDict):
    session_id: str
    model: str
    title: str | None
    created_at: str
    updated_at: str
    message_count: int
    summary: SessionSummary | None
    preview: str
    metadata: dict[str, Any]
    active_turn: str | None
    agent_name: str | None
    parent_session_id: str | None
    last_turn_id: str | None


class AgentChatList(TypedDict):
    sessions: list[AgentChatItem]
    chats: list[AgentChatItem]
    next_cursor: str | None


class AgentRunRequest(TypedDict):
    instruction: str
    session_id: NotRequired[str | None]
    model: NotRequired[str | None]
    tool_settings: NotRequired[ToolSettingsInput | None]
    on_busy: NotRequired[Literal['queue', 'reject', 'interrupt']]
    on_disconnect: NotRequired[Literal['cancel', 'continue']]
    on_approval: NotRequired[Literal['wait', 'fail', 'return']]


class AnswerMessage(TypedDict):
    role: Literal['assistant']
    content: str
    model: str | None
    message_id: str
    timestamp: str
    eval_count: int | None
    prompt_eval_count: int | None
    finish_reason: Literal['stop', 'length', 'tool_calls'] | None
    tool_calls: list[AnswerToolCall] | None
    thinking: str | None
    parsed: NotRequired[Any]


class Approval(TypedDict):
    confirmation_id: str
    kind: Literal['tool', 'outcome', 'question', 'plan']
    state: Literal['pending', 'approved', 'denied', 'answered', 'expired', 'cancelled']
    session_id: str
    turn_id: str
    message_id: str | None
    call_index: int | None
    tool_call_id: str | None
    tool_name: str | None
    agent_name: str | None
    agent_session_id: str | None
    arguments: dict[str, Any] | None
    input_schema: dict[str, Any] | None
    digest: str | None
    rule: str | None
    question: ApprovalQuestion | None
    plan: str | None
    previous: Previous | None
    allowed_decisions: list[Literal['approve', 'edit', 'respond', 'retry', 'deny']]
    allowed_scopes: list[Literal['once', 'session', 'always']]
    created_at: str
    expires_at: str | None
    decided_at: str | None
    decision: Decision | None


class ApprovalChangedEvent(TypedDict):
    event: Literal['approval']
    data: Approval


class ApprovalList(TypedDict):
    approvals: list[Approval]


class ApprovalPage(TypedDict):
    approvals: list[Approval]
    next_cursor: str | None


class ChatAnswer(TypedDict):
    session_id: str
    message: AnswerMessage
    tool_calls_executed: list[ExecutedToolCall]
    context_window: ContextWindowInfo
    turn_id: str
    context: ContextReceipt


class ChatPreview(TypedDict):
    session_id: str
    engine_request: dict[str, Any]
    context: ContextReceipt
    would_reload: bool
    would_leave_out: int


class ChatRequest(TypedDict):
    message: NotRequired[str | None]
    mode: NotRequired[Literal['regenerate', 'continue']]
    replaces: NotRequired[str | None]
    think: NotRequired[bool | Literal['low', 'medium', 'high'] | None]
    options: NotRequired[EngineOptions | None]
    format: NotRequired[Literal['json'] | dict[str, Any] | None]
    images: NotRequired[list[Image]]
    tool_settings: NotRequired[ToolSettingsInput | None]
    tools: NotRequired[list[ClientTool]]
    tool_results: NotRequired[list[ClientToolResult]]
    agent_settings: NotRequired[AgentSettingsInput | None]
    on_busy: NotRequired[Literal['queue', 'reject', 'interrupt']]
    on_disconnect: NotRequired[Literal['cancel', 'continue']]
    on_approval: NotRequired[Literal['wait', 'fail', 'return']]


class CreateSession(TypedDict):
    model: NotRequired[str | None]
    system_prompt: NotRequired[str | None]
    system_prompt_source_file: NotRequired[str | None]
    tool_settings: NotRequired[ToolSettingsInput | None]
    agent_settings: NotRequired[AgentSettingsInput | None]
    context_window: NotRequired[ContextWindowInput | None]
    title: NotRequired[str | None]
    summary_model: NotRequired[str | None]
    context_window_config: NotRequired[ContextWindowInput | None]
    metadata: NotRequired[dict[str, Any] | None]


class DescribedTurn(TypedDict):
    turn_id: str
    session_id: str
    state: Literal[
        'queued',
        'running',
        'waiting',
        'completed',
        'failed',
        'cancelled',
        'interrupted',
    ]
    created_at: str
    finished_at: str | None
    error: ErrorObject | None
    message_id: str | None
    finish_reason: Literal['stop', 'length', 'tool_calls'] | None
    usage: TurnUsage | None
    context: ContextReceipt | None
    last_event_id: int
    agent_name: str | None
    phase: Literal['planning', 'gate', 'executing', 'reporting'] | None
    round: int | None
    parent_turn_id: str | None
    agent_turns: list[AgentRun]
    approvals: list[Approval]


class EditedMessage(TypedDict):
    message: Message
    message_index: int
    message_count: int
    session_id: str


class Detail(TypedDict):
    error: ErrorObject


class ErrorEnvelope(TypedDict):
    detail: Detail


class MessageLine(TypedDict):
    type: Literal['message']
    message_id: str
    parent_id: NotRequired[str | None]
    role: Literal['system', 'user', 'assistant', 'tool']
    content: str
    thinking: NotRequired[str | None]
    timestamp: str
    model: NotRequired[str | None]
    eval_count: NotRequired[int | None]
    prompt_eval_count: NotRequired[int | None]
    finish_reason: NotRequired[Literal['stop', 'length', 'tool_calls'] | None]
    tool_calls: NotRequired[list[ToolCall] | None]
    source_file: NotRequired[str | None]
    tool_name: NotRequired[str | None]
    tool_call_id: NotRequired[str | None]
    turn_id: NotRequired[str | None]
    status: NotRequired[Literal['complete', 'partial', 'streaming']]
    images: NotRequired[list[str] | None]
    extra: NotRequired[dict[str, Any] | None]
    client_id: NotRequired[str | None]
    calls: NotRequired[list[Call]]


class PatchSession(TypedDict):
    model: NotRequired[str | None]
    tool_settings: NotRequired[ToolSettingsInput | None]
    agent_settings: NotRequired[AgentSettingsInput | None]
    context_window: NotRequired[ContextWindowInput | None]
    title: NotRequired[str | None]
    summary_model: NotRequired[str | None]
    metadata: NotRequired[dict[str, Any] | None]


class SearchAnswer(TypedDict):
    results: list[SearchResult]
    next_cursor: str | None
    truncated: bool


class Session(TypedDict):
    session_id: str
    model: str
    created_at: str
    updated_at: str
    message_count: int
    title: str | None
    metadata: dict[str, Any]
    tool_settings: ToolSettings
    agent_settings: AgentSettings
    context_window: ContextWindowConfig
    summary_model: str | None
    active_turn: str | None


class SessionLine(TypedDict):
    type: Literal['session']
    format: Literal['mochi-jsonl/1']
    session_id: str
    model: str
    created_at: str
    updated_at: str
    title: NotRequired[str | None]
    metadata: dict[str, Any]
    tool_settings: ToolSettings
    agent_settings: AgentSettings
    context_window: ContextWindowConfig
    summary: NotRequired[SessionSummary | None]
    summary_model: NotRequired[str | None]
    system_id: NotRequired[str | None]
    head: NotRequired[str | None]
    extra: NotRequired[dict[str, Any] | None]
    kind: NotRequired[Literal['chat', 'agent']]
    agent_name: NotRequired[str | None]
    parent_session_id: NotRequired[str | None]
    client_key: NotRequired[str | None]
    listed: NotRequired[bool]
    message_lines: NotRequired[int | None]
    turn_lines: NotRequired[int | None]
    execution_lines: NotRequired[int | None]


class SessionListItem(TypedDict):
    session_id: str
    model: str
    title: str | None
    created_at: str
    updated_at: str
    message_count: int
    summary: SessionSummary | None
    preview: str
    metadata: dict[str, Any]
    active_turn: str | None
    kind: NotRequired[Literal['chat', 'agent']]
    unlisted: NotRequired[Literal[True]]


class SessionStatus(TypedDict):
    session_id: str
    model: str
    title: str | None
    message_count: int
    active_turn: str | None
    context_window: ContextWindow
    context: ContextReceipt | None
    approvals: list[Approval]
    tools_enabled: bool
    active_tools: list[str]
    tool_warnings: list[str]
    execution_policy: Literal['always_confirm', 'never_confirm']
    agents_enabled: bool
    enabled_agents: list[str]
    agents_available: list[str]
    system_prompt_file: str | None
    summary: SessionSummary | None
    summary_model: str | None


class SessionWithMessages(TypedDict):
    session_id: str
    model: str
    created_at: str
    updated_at: str
    message_count: int
    title: str | None
    metadata: dict[str, Any]
    tool_settings: ToolSettings
    agent_settings: AgentSettings
    context_window: ContextWindowConfig
    summary_model: str | None
    active_turn: str | None
    messages: list[Message]


class Turn(TypedDict):
    turn_id: str
    session_id: str
    state: Literal[
        'queued',
        'running',
        'waiting',
        'completed',
        'failed',
        'cancelled',
        'interrupted',
    ]
    created_at: str
    finished_at: str | None
    error: ErrorObject | None
    message_id: str | None
    finish_reason: Literal['stop', 'length', 'tool_calls'] | None
    usage: TurnUsage | None
    context: ContextReceipt | None
    last_event_id: int


class Data6(TypedDict):
    phase: Literal[
        'queued',
        'waiting_for_engine',
        'engine_stalled',
        'loading_model',
        'evaluating_prompt',
        'generating',
        'running_tool',
        'waiting_for_approval',
    ]
    position: NotRequired[int]
    estimate_ms: NotRequired[int]
    message_id: NotRequired[str]
    model: NotRequired[str]
    timestamp: NotRequired[str]
    agent_phase: NotRequired[Literal['planning', 'executing', 'reporting']]
    round: NotRequired[int]
    max_rounds: NotRequired[int]
    waiting_for: NotRequired[Literal['approval']]
    approvals: NotRequired[list[Approval]]


class StatusEvent(TypedDict):
    id: int
    event: Literal['status']
    data: Data6


class Data20(TypedDict):
    agent_name: str
    session_id: str
    turn_id: str
    agent_call_id: str | None
    agent_call_index: int | None
    output: str
    success: bool
    reason: Literal[
        'completed',
        'max_iterations',
        'timeout',
        'token_limit',
        'plan_denied',
        'cancelled',
        'failed',
    ]
    rounds: int
    usage: TurnUsage | None


class AgentCompleteEvent(TypedDict):
    id: int
    event: Literal['agent_complete']
    data: Data20


class Data21(TypedDict):
    message_id: str
    model: str | None
    eval_count: int | None
    prompt_eval_count: int | None
    finish_reason: Literal['stop', 'length', 'tool_calls'] | None
    context_window: ContextWindowInfo
    message: AnswerMessage
    context: ContextReceipt
    usage: NotRequired[TurnUsage | None]


class MessageCompleteEvent(TypedDict):
    id: int
    event: Literal['message_complete']
    data: Data21


class TurnSnapshot(TypedDict):
    turn: Turn
    message: SnapshotMessage | None
    tool_calls: list[SnapshotToolCall]
    approvals: list[Approval]


class WaitingAnswer(TypedDict):
    session_id: str
    turn_id: str
    state: Literal['waiting']
    approvals: list[Approval]


class ListSessionsAnswer(TypedDict):
    sessions: list[SessionListItem]
    next_cursor: str | None
    truncated: NotRequired[bool]


class ListTurnsAnswer(TypedDict):
    turns: list[DescribedTurn]
    next_cursor: str | None


PullEvent: TypeAlias = PullProgressEvent | PullDoneEvent | PullErrorEvent


class ServerApprovalEvent(TypedDict):
    id: int
    event: Literal['approval']
    data: Approval


ApprovalEvent: TypeAlias = ApprovalChangedEvent


class SnapshotEvent(TypedDict):
    id: int
    event: Literal['snapshot']
    data: TurnSnapshot


ServerEvent: TypeAlias = (
    ServerHelloEvent
    | ServerResetEvent
    | ServerSessionEvent
    | ServerTurnEvent
    | ServerApprovalEvent
    | ServerPullEvent
)


TurnEvent: TypeAlias = (
    TurnStartEvent
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
    | DoneEvent
)

TURN_EVENT_NAMES = frozenset(
    ['agent_complete', 'agent_execution', 'agent_planning', 'agent_start', 'agent_status', 'agent_tool_call', 'agent_tool_result', 'content_delta', 'context', 'done', 'error', 'message_complete', 'snapshot', 'status', 'thinking_delta', 'tool_call', 'tool_call_confirmation_required', 'tool_continuation_start', 'tool_progress', 'tool_result', 'turn_start']
)

SERVER_EVENT_NAMES = frozenset(
    ['approval', 'hello', 'pull', 'reset', 'session', 'turn']
)
