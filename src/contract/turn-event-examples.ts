// One example of every event, as the OpenAPI document shows them.
import { RECEIPT_EXAMPLE } from './context-window.ts';

const turn = { turn_id: 'turn_0f3c5a9d21be', session_id: 'b5a3d7e4c9' };

const context = { ...RECEIPT_EXAMPLE, planned_tokens: 13, prompt_tokens: null, output_tokens: null };

const measured = { ...context, prompt_tokens: 31, output_tokens: 2 };

const message = {
  role: 'assistant',
  content: 'Paris.',
  model: 'llama3.2:latest',
  message_id: '194e786d07',
  timestamp: '2026-02-15T09:49:38.310281Z',
  eval_count: 2,
  prompt_eval_count: 31,
  finish_reason: 'stop',
  tool_calls: null,
  thinking: null,
};

const call = { tool_name: 'add_numbers', tool_call_id: 'call_ab12cd34', call_index: 0 };

export const EVENT_EXAMPLES = {
  turn_start: { ...turn, user_message_id: '9191228aff' },
  status: { phase: 'generating', message_id: '194e786d07' },
  context,
  thinking_delta: { content: 'The user asks for a capital.' },
  content_delta: { content: 'Paris.', role: 'assistant' },
  tool_call: { ...call, execution_id: 'exec_5b1f0c9a77de', arguments: { a: 1, b: 2 } },
  tool_call_confirmation_required: {
    ...call,
    execution_id: null,
    confirmation_id: 'conf_3f0a9c1d77be',
    arguments: { a: 1, b: 2 },
    kind: 'tool',
    rule: 'execution_policy',
    digest: '9b2d6c0f4e1a7385c6d9f0b1a2e3d4c5f60718293a4b5c6d7e8f90a1b2c3d4e5',
    expires_at: null,
    agent_name: null,
    agent_session_id: null,
  },
  tool_progress: { ...call, message: 'Adding.', progress: 1, total: 2 },
  tool_result: {
    ...call,
    execution_id: 'exec_5b1f0c9a77de',
    success: true,
    result: '3',
    error: null,
    error_message: null,
  },
  tool_continuation_start: { tool_count: 1, message: 'Processing tool results...' },
  message_complete: {
    message_id: message.message_id,
    model: message.model,
    eval_count: 2,
    prompt_eval_count: 31,
    finish_reason: 'stop',
    context_window: { current_window: 8192, usage_tokens: 33, reason: 'initial_setup' },
    message,
    context: measured,
    usage: {
      prompt_tokens: 31,
      output_tokens: 2,
      total_tokens: 33,
      load_ms: 12,
      prompt_eval_ms: 40,
      eval_ms: 25,
    },
  },
  snapshot: {
    turn: {
      ...turn,
      state: 'running',
      created_at: '2026-02-15T09:49:38.102003Z',
      finished_at: null,
      error: null,
      message_id: message.message_id,
      finish_reason: null,
      usage: null,
      context,
      last_event_id: 250,
    },
    message: {
      ...message,
      status: 'streaming',
      eval_count: null,
      prompt_eval_count: null,
      finish_reason: null,
    },
    tool_calls: [],
    approvals: [],
  },
  error: {
    code: 'incomplete_response',
    message: 'The answer of Ollama ended early; what came until then is kept.',
    details: { ...turn, message_id: '194e786d07' },
  },
  done: { ...turn, state: 'completed' },
} as const;
